/*
 * wasm3.buffer(size): a block of bytes outside the Python heap, for files and bodies that would
 * take a large part of it in one piece.
 *
 * It is used as a bytearray of fixed size: len(), an index, a slice, the buffer protocol. A slice
 * is a part of the same bytes and keeps them alive, unlike a memoryview, which the garbage
 * collector can't follow to here: use none beyond the buffer's close(). All blocks together have
 * WG_BUFFERS_SIZE bytes at most. close() gives the bytes back; else the finaliser does.
 */
#include "buffer.h"

#include <string.h>

#include "heap.h"
#include "py/binary.h"
#include "py/gc.h"
#include "py/runtime.h"
#include "settings.h"

typedef struct _buffer_obj_t {
    mp_obj_base_t base;
    struct _buffer_obj_t *whole; /* of which this is a part; of a whole, itself */
    uint8_t *bytes;              /* where it begins; of a whole, NULL: closed */
    size_t size;
} buffer_obj_t;

/* Bytes of all that are open. The GIL guards it. */
static size_t in_use;

/* ---- Bytes ---- */

static buffer_obj_t *open_buffer(mp_obj_t object) {
    buffer_obj_t *self = MP_OBJ_TO_PTR(object);
    if (self->whole->bytes == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("the buffer is closed"));
    }
    return self;
}

static uint8_t *reserve(size_t size) {
    if (size > WG_BUFFERS_SIZE - in_use) {
        return NULL;
    }
    uint8_t *bytes = wg_heap_resize_memory(NULL, size);
    if (bytes != NULL) {
        memset(bytes, 0, size);
        in_use += size;
    }
    return bytes;
}

static mp_obj_t buffer_make_new(const mp_obj_type_t *type, size_t count, size_t keywords,
                                const mp_obj_t *args) {
    mp_arg_check_num(count, keywords, 1, 1, false);
    mp_int_t size = mp_obj_get_int(args[0]);
    if (size < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("a buffer can't have less than 0 bytes"));
    }
    buffer_obj_t *self = mp_obj_malloc_with_finaliser(buffer_obj_t, type);
    self->whole = self;
    self->size = 0;
    self->bytes = reserve((size_t)size);
    if (self->bytes == NULL) {
        gc_collect(); /* some may be open that nobody holds */
        self->bytes = reserve((size_t)size);
    }
    if (self->bytes == NULL) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("no memory for a buffer of %u bytes"),
                          (unsigned)size);
    }
    self->size = (size_t)size;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t buffer_close(mp_obj_t object) {
    buffer_obj_t *whole = ((buffer_obj_t *)MP_OBJ_TO_PTR(object))->whole;
    if (whole->bytes != NULL) {
        wg_heap_free(whole->bytes);
        whole->bytes = NULL;
        in_use -= whole->size;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(buffer_close_obj, buffer_close);

/* Of a whole only: a part that is collected must not take the rest along. */
static mp_obj_t buffer_del(mp_obj_t object) {
    buffer_obj_t *self = MP_OBJ_TO_PTR(object);
    return self->whole == self ? buffer_close(object) : mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(buffer_del_obj, buffer_del);

static mp_int_t buffer_get(mp_obj_t object, mp_buffer_info_t *info, mp_uint_t flags) {
    (void)flags;
    buffer_obj_t *self = open_buffer(object);
    info->buf = self->bytes;
    info->len = self->size;
    info->typecode = BYTEARRAY_TYPECODE;
    return 0;
}

/* ---- As a sequence ---- */

static mp_obj_t part(buffer_obj_t *self, size_t start, size_t stop) {
    buffer_obj_t *found = mp_obj_malloc(buffer_obj_t, self->base.type);
    found->whole = self->whole;
    found->bytes = self->bytes + start;
    found->size = stop - start;
    return MP_OBJ_FROM_PTR(found);
}

static mp_obj_t buffer_subscr(mp_obj_t object, mp_obj_t index, mp_obj_t value) {
    if (value == MP_OBJ_NULL) {
        return MP_OBJ_NULL; /* nothing can be deleted */
    }
    buffer_obj_t *self = open_buffer(object);
    if (mp_obj_is_type(index, &mp_type_slice)) {
        mp_bound_slice_t bounds;
        if (!mp_seq_get_fast_slice_indexes(self->size, index, &bounds)) {
            mp_raise_NotImplementedError(MP_ERROR_TEXT("a buffer's slice has no step"));
        }
        if (value == MP_OBJ_SENTINEL) {
            return part(self, bounds.start, bounds.stop);
        }
        mp_buffer_info_t from;
        mp_get_buffer_raise(value, &from, MP_BUFFER_READ);
        if (from.len != (size_t)(bounds.stop - bounds.start)) {
            mp_raise_ValueError(MP_ERROR_TEXT("a buffer's size can't change"));
        }
        memmove(self->bytes + bounds.start, from.buf, from.len);
        return mp_const_none;
    }
    size_t at = mp_get_index(self->base.type, self->size, index, false);
    if (value == MP_OBJ_SENTINEL) {
        return MP_OBJ_NEW_SMALL_INT(self->bytes[at]);
    }
    self->bytes[at] = (uint8_t)mp_obj_get_int(value);
    return mp_const_none;
}

static mp_obj_t buffer_unary_op(mp_unary_op_t op, mp_obj_t object) {
    switch (op) {
    case MP_UNARY_OP_LEN:
        return MP_OBJ_NEW_SMALL_INT(open_buffer(object)->size);
    case MP_UNARY_OP_BOOL:
        return mp_obj_new_bool(open_buffer(object)->size > 0);
    default:
        return MP_OBJ_NULL;
    }
}

/* ---- Type ---- */

static const mp_rom_map_elem_t buffer_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&buffer_del_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&buffer_close_obj)},
};
static MP_DEFINE_CONST_DICT(buffer_locals, buffer_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(wasm3_buffer_type, MP_QSTR_buffer, MP_TYPE_FLAG_NONE, make_new,
                         buffer_make_new, buffer, buffer_get, subscr, buffer_subscr, unary_op,
                         buffer_unary_op, locals_dict, &buffer_locals);
