/*
 * Module `wasm3`: the engine for Python. See docs/engine.md for the contract.
 *
 * An instance runs either inline, in call(), where host functions are Python callables and Ctrl-C
 * ends the run; or after start(), for a moment on this thread and else in a native one, where host
 * calls wait to be served by poll() and reply(). The native thread touches no Python object and
 * never needs the GIL, so that close() and the finaliser can join it.
 */
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/mpthread.h"
#include "py/objint.h"
#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/runtime.h"
#include "py/stream.h"

#include <string.h>

#include "buffer.h"
#include "engine.h"
#if WG_THREADS
#include "task.h"
#endif
#if defined(ESP_PLATFORM)
#include "py/mphal.h"
#if defined(MP_TASK_COREID) && !CONFIG_FREERTOS_UNICORE
_Static_assert(WG_TASK_CORE != MP_TASK_COREID, "the engine's core must not be MicroPython's");
#endif
#endif

/* The build states it; not so when the file is only scanned for qstrs. */
#ifndef WG_WASM3_VERSION
#define WG_WASM3_VERSION ""
#endif

/* ---- Types ---- */

typedef struct {
    mp_obj_base_t base;
    wg_module *module; /* NULL: closed */
} module_obj_t;

typedef struct {
    mp_obj_base_t base;
    wg_instance *instance; /* NULL: closed */
#if WG_THREADS
    wg_task *task; /* made by the first start() */
#endif
    mp_obj_t host;      /* of inline mode, or None */
    mp_obj_t exception; /* of a host function, to be raised again, or NULL */
    char *results;      /* of each host function, the letter of its result, or 0 */
    size_t offers;
    size_t calls; /* call()s that are active within each other */
#if MICROPY_PY_THREAD
    mp_uint_t caller; /* the thread that is in call() */
#endif
    bool taking; /* a poll() waits */
    bool close_later;
} instance_obj_t;

enum { EVENT_HOST = 1, EVENT_DONE = 2 };

extern const mp_obj_type_t wasm3_module_type;
extern const mp_obj_type_t wasm3_instance_type;

/* ---- Errors ---- */

#define ERROR_TYPE(NAME, PARENT)                                                                   \
    MP_DEFINE_CONST_OBJ_TYPE(wasm3_##NAME##_type, MP_QSTR_##NAME, MP_TYPE_FLAG_NONE, make_new,     \
                             mp_obj_exception_make_new, print, mp_obj_exception_print, attr,       \
                             mp_obj_exception_attr, parent, PARENT)

static ERROR_TYPE(Error, &mp_type_Exception);
static ERROR_TYPE(MalformedError, &wasm3_Error_type);
static ERROR_TYPE(InvalidError, &wasm3_Error_type);
static ERROR_TYPE(UnsupportedError, &wasm3_Error_type);
static ERROR_TYPE(LinkError, &wasm3_Error_type);
static ERROR_TYPE(TrapError, &wasm3_Error_type);
static ERROR_TYPE(QuotaError, &wasm3_Error_type);
static ERROR_TYPE(HostError, &wasm3_Error_type);

static MP_NORETURN void raise(const wg_error *error) {
    static const mp_obj_type_t *const types[] = {
        [WG_OK] = &wasm3_Error_type,
        [WG_ERROR] = &wasm3_Error_type,
        [WG_MALFORMED] = &wasm3_MalformedError_type,
        [WG_INVALID] = &wasm3_InvalidError_type,
        [WG_UNSUPPORTED] = &wasm3_UnsupportedError_type,
        [WG_LINK] = &wasm3_LinkError_type,
        [WG_TRAP] = &wasm3_TrapError_type,
        [WG_QUOTA] = &wasm3_QuotaError_type,
        [WG_HOST] = &wasm3_HostError_type,
        [WG_INTERRUPT] = &wasm3_Error_type,
    };
    if (error->code == WG_INTERRUPT) {
        mp_handle_pending(true); /* raises */
    }
    mp_obj_t args[] = {
        mp_obj_new_str(error->message, strlen(error->message)),
        error->kind == NULL ? mp_const_none : mp_obj_new_str(error->kind, strlen(error->kind)),
        error->function[0] == 0 ? mp_const_none
                                : mp_obj_new_str(error->function, strlen(error->function)),
    };
    size_t count = error->code == WG_TRAP ? 3 : 2;
    nlr_raise(mp_obj_new_exception_args(types[error->code], count, args));
}

static MP_NORETURN void raise_misuse(const char *message) {
    wg_error error;
    wg_error_set(&error, WG_ERROR, NULL, "%s", message);
    raise(&error);
}

/* ---- Values ---- */

static bool fits(uint64_t low, uint64_t high, bool narrow) {
    if (high != 0 && !(high == UINT64_MAX && (int64_t)low < 0)) {
        return false;
    }
    return !narrow || (high == 0 ? low <= UINT32_MAX : (int64_t)low >= INT32_MIN);
}

/* An int of -2**(n-1) to 2**n-1, for a value of type `letter`. */
static uint64_t value_from(mp_obj_t object, char letter) {
    bool narrow = letter == 'i' || letter == 'f';
    uint64_t low = 0;
    bool good;
    if (mp_obj_is_small_int(object)) {
        int64_t value = MP_OBJ_SMALL_INT_VALUE(object);
        low = (uint64_t)value;
        good = fits(low, value < 0 ? UINT64_MAX : 0, narrow);
    } else if (mp_obj_is_exact_type(object, &mp_type_int)) {
        byte bytes[16];
        uint64_t high = 0;
        good = mp_obj_int_to_bytes_impl(object, false, sizeof(bytes), bytes);
        for (size_t i = 0; i < 8; i++) {
            low |= (uint64_t)bytes[i] << (8 * i);
            high |= (uint64_t)bytes[8 + i] << (8 * i);
        }
        good = good && fits(low, high, narrow);
    } else {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("a value must be an int, not %s"),
                          mp_obj_get_type_str(object));
    }
    if (!good) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("value out of range for %d bits"),
                          narrow ? 32 : 64);
    }
    return narrow ? (uint32_t)low : low;
}

static mp_obj_t value_to(uint64_t value) {
    return mp_obj_new_int_from_ull(value);
}

static mp_obj_t values_to_tuple(const uint64_t *values, size_t count) {
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(count, NULL));
    for (size_t i = 0; i < count; i++) {
        tuple->items[i] = value_to(values[i]);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

/* None, a value, or a tuple of several. */
static mp_obj_t results_to(const uint64_t *values, size_t count) {
    return count == 0   ? mp_const_none
           : count == 1 ? value_to(values[0])
                        : values_to_tuple(values, count);
}

static mp_obj_t name_to(wg_name name) {
    return mp_obj_new_str(name.text, name.size);
}

static wg_name name_from(mp_obj_t object) {
    size_t size;
    const char *text = mp_obj_str_get_data(object, &size);
    return (wg_name){text, (uint32_t)size};
}

/* ---- Module ---- */

static module_obj_t *open_module(mp_obj_t object) {
    module_obj_t *self = MP_OBJ_TO_PTR(object);
    if (self->module == NULL) {
        raise_misuse("the module is closed");
    }
    return self;
}

static mp_obj_t module_make_new(const mp_obj_type_t *type, size_t count, size_t keywords,
                                const mp_obj_t *args) {
    mp_arg_check_num(count, keywords, 1, 1, false);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(args[0], &buffer, MP_BUFFER_READ);
    module_obj_t *self = mp_obj_malloc_with_finaliser(module_obj_t, type);
    wg_error error;
    self->module = NULL;
    self->module = wg_module_new(buffer.buf, buffer.len, &error);
    if (self->module == NULL) {
        raise(&error);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t module_close(mp_obj_t object) {
    module_obj_t *self = MP_OBJ_TO_PTR(object);
    wg_module_release(self->module);
    self->module = NULL;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(module_close_obj, module_close);

static mp_obj_t kind_to(wg_kind kind) {
    static const qstr kinds[] = {MP_QSTR_func, MP_QSTR_table, MP_QSTR_memory, MP_QSTR_global};
    return MP_OBJ_NEW_QSTR(kinds[kind]);
}

/* "iI:f" for a function, "i" or "im" (mutable) for a global, "1" or "1:16" for a memory or a table.
 */
static mp_obj_t item_type_to(const wg_item *item) {
    vstr_t text;
    vstr_init(&text, 16);
    if (item->kind == WG_FUNC) {
        vstr_add_strn(&text, item->type->letters, item->type->params);
        vstr_add_char(&text, ':');
        vstr_add_strn(&text, item->type->letters + item->type->params, item->type->results);
    } else if (item->kind == WG_GLOBAL) {
        vstr_add_char(&text, item->letter);
        if (item->mutable_) {
            vstr_add_char(&text, 'm');
        }
    } else {
        vstr_printf(&text, "%u", (unsigned)item->bounds.min);
        if (item->bounds.has_max) {
            vstr_printf(&text, ":%u", (unsigned)item->bounds.max);
        }
    }
    return mp_obj_new_str_from_vstr(&text);
}

static mp_obj_t module_imports(const wg_module *module) {
    const wg_import *list;
    size_t count = wg_module_imports(module, &list);
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(count, NULL));
    for (size_t i = 0; i < count; i++) {
        mp_obj_t items[] = {name_to(list[i].module), name_to(list[i].name),
                            kind_to(list[i].item.kind), item_type_to(&list[i].item)};
        tuple->items[i] = mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

static mp_obj_t module_exports(const wg_module *module) {
    const wg_export *list;
    size_t count = wg_module_exports(module, &list);
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(count, NULL));
    for (size_t i = 0; i < count; i++) {
        mp_obj_t items[] = {name_to(list[i].name), kind_to(list[i].item.kind),
                            item_type_to(&list[i].item)};
        tuple->items[i] = mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

static void module_attr(mp_obj_t object, qstr attribute, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; /* nothing can be stored */
    }
    switch (attribute) {
    case MP_QSTR_imports:
        dest[0] = module_imports(open_module(object)->module);
        break;
    case MP_QSTR_exports:
        dest[0] = module_exports(open_module(object)->module);
        break;
    case MP_QSTR_has_start:
        dest[0] = mp_obj_new_bool(wg_module_has_start(open_module(object)->module));
        break;
    case MP_QSTR_size:
        dest[0] = mp_obj_new_int_from_uint(wg_module_size(open_module(object)->module));
        break;
    default:
        dest[1] = MP_OBJ_SENTINEL; /* look in the locals table */
    }
}

static uint32_t limit_from(mp_obj_t object, uint32_t min, uint32_t max, uint32_t otherwise) {
    if (object == mp_const_none) {
        return otherwise;
    }
    mp_int_t value = mp_obj_get_int(object);
    if (value < (mp_int_t)min || value > (mp_int_t)max) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("a limit must be between %u and %u"),
                          (unsigned)min, (unsigned)max);
    }
    return (uint32_t)value;
}

static mp_obj_t module_instantiate(size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_imports, ARG_stack, ARG_pages, ARG_native_stack, ARG_heap, ARG_host };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_imports, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_PTR(&mp_const_empty_tuple_obj)}},
        {MP_QSTR_stack, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_pages, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_native_stack, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_heap, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_host, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
    };
    module_obj_t *module = open_module(pos_args[0]);
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);

    wg_limits limits = {
        .stack =
            limit_from(args[ARG_stack].u_obj, WG_STACK_SIZE_MIN, WG_STACK_SIZE_MAX, WG_STACK_SIZE),
        .pages = limit_from(args[ARG_pages].u_obj, 1, WG_PAGES_MAX, WG_PAGES),
        .native_stack = limit_from(args[ARG_native_stack].u_obj, WG_NATIVE_STACK_MIN,
                                   WG_NATIVE_STACK_MAX, WG_NATIVE_STACK),
        .heap = limit_from(args[ARG_heap].u_obj, 1, INT32_MAX / 2, WG_HEAP_SIZE),
    };
    size_t count;
    mp_obj_t *items;
    mp_obj_get_array(args[ARG_imports].u_obj, &count, &items);
    wg_offer *offers = m_new(wg_offer, count);
    char *results = m_new(char, count);
    for (size_t i = 0; i < count; i++) {
        mp_obj_t *parts;
        mp_obj_get_array_fixed_n(items[i], 3, &parts);
        wg_name type = name_from(parts[2]);
        offers[i] = (wg_offer){name_from(parts[0]), name_from(parts[1]), type.text, type.size};
        results[i] =
            type.size == 0 || type.text[type.size - 1] == ':' ? 0 : type.text[type.size - 1];
    }

    instance_obj_t *self = mp_obj_malloc_with_finaliser(instance_obj_t, &wasm3_instance_type);
    memset((char *)self + sizeof(self->base), 0, sizeof(*self) - sizeof(self->base));
    self->host = args[ARG_host].u_obj;
    self->exception = MP_OBJ_NULL;
    self->results = results;
    self->offers = count;
    wg_error error;
    self->instance = wg_instance_new(module->module, offers, count, &limits, &error);
    m_del(wg_offer, offers, count);
    if (self->instance == NULL) {
        raise(&error);
    }
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(module_instantiate_obj, 1, module_instantiate);

/* ---- Instance: both modes ---- */

static instance_obj_t *open_instance(mp_obj_t object) {
    instance_obj_t *self = MP_OBJ_TO_PTR(object);
    if (self->instance == NULL) {
        raise_misuse("the instance is closed");
    }
    return self;
}

static bool called_by_other_thread(const instance_obj_t *self) {
#if MICROPY_PY_THREAD
    return self->calls > 0 && self->caller != mp_thread_get_id();
#else
    (void)self;
    return false;
#endif
}

/* An instance whose memory this thread may use. */
static instance_obj_t *resting_instance(mp_obj_t object) {
    instance_obj_t *self = open_instance(object);
    bool rests = !called_by_other_thread(self);
#if WG_THREADS
    rests = rests && (self->task == NULL || wg_task_at_rest(self->task));
#endif
    if (!rests) {
        raise_misuse("the instance is running");
    }
    return self;
}

/* Converts the arguments of a call of export args[1]; returns the function's index. */
static uint32_t function_from(instance_obj_t *self, size_t n_args, const mp_obj_t *args,
                              uint64_t *values, const wg_type **type) {
    wg_name name = name_from(args[1]);
    uint32_t function = wg_instance_find(self->instance, name.text, name.size, type);
    wg_error error;
    if (function == UINT32_MAX) {
        wg_error_set(&error, WG_ERROR, NULL, "the module exports no function \"%.*s\"",
                     name.size < 64 ? (int)name.size : 64, name.text);
        raise(&error);
    }
    if (n_args - 2 != (*type)->params || n_args - 2 > WG_MAX_PARAMS) {
        wg_error_set(&error, WG_ERROR, NULL, "\"%.*s\" takes %u arguments, not %u",
                     name.size < 64 ? (int)name.size : 64, name.text, (*type)->params,
                     (unsigned)(n_args - 2));
        raise(&error);
    }
    for (size_t i = 0; i < (*type)->params; i++) {
        values[i] = value_from(args[2 + i], (*type)->letters[i]);
    }
    return function;
}

/* Frees the native part. Allocates nothing, since the finaliser calls it. */
static void free_native(instance_obj_t *self) {
    wg_instance *instance = self->instance;
    self->instance = NULL;
#if WG_THREADS
    wg_task_free(self->task);
    self->task = NULL;
#endif
    wg_instance_free(instance);
}

static mp_obj_t instance_cancel(mp_obj_t object) {
    instance_obj_t *self = open_instance(object);
#if WG_THREADS
    if (self->task != NULL) {
        wg_task_cancel(self->task);
        return mp_const_none;
    }
#endif
    wg_instance_cancel(self->instance);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(instance_cancel_obj, instance_cancel);

static mp_obj_t instance_reset(mp_obj_t object) {
    instance_obj_t *self = open_instance(object);
    bool idle = self->calls == 0;
#if WG_THREADS
    idle = idle && (self->task == NULL || wg_task_idle(self->task));
#endif
    if (!idle) {
        raise_misuse("the instance is running, or poll() has news to be taken first");
    }
    wg_error error;
    if (!wg_instance_reset(self->instance, &error)) {
        raise(&error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(instance_reset_obj, instance_reset);

static mp_obj_t instance_close(mp_obj_t object) {
    instance_obj_t *self = MP_OBJ_TO_PTR(object);
    if (self->instance == NULL) {
        return mp_const_none;
    }
    if (self->calls > 0 || self->taking) {
        /* from a host function, or from another thread: the outermost call(), or poll(), closes
         * when it ends */
        wg_instance_cancel(self->instance);
        self->close_later = true;
        return mp_const_none;
    }
    free_native(self);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(instance_close_obj, instance_close);

/* The collector found that nobody holds the instance: a call() that seems to go on is of a thread
 * that a soft reset ended in the midst of it. */
static mp_obj_t instance_del(mp_obj_t object) {
    instance_obj_t *self = MP_OBJ_TO_PTR(object);
    if (!gc_is_locked()) {
        return instance_close(object); /* not the collector, somebody's own call of __del__() */
    }
    if (self->instance != NULL) {
        free_native(self);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(instance_del_obj, instance_del);

static mp_obj_t instance_deadline(mp_obj_t object, mp_obj_t ms) {
    instance_obj_t *self = open_instance(object);
    int32_t value = ms == mp_const_none ? -1 : (int32_t)limit_from(ms, 0, INT32_MAX / 4, 0);
#if WG_THREADS
    if (self->task != NULL) {
        wg_task_set_deadline(self->task, value);
        return mp_const_none;
    }
#endif
    wg_instance_set_deadline(self->instance, value);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(instance_deadline_obj, instance_deadline);

static mp_obj_t instance_fuel(mp_obj_t object, mp_obj_t fuel) {
    instance_obj_t *self = resting_instance(object);
    int64_t value = fuel == mp_const_none ? -1 : (int64_t)value_from(fuel, 'I');
    if (fuel != mp_const_none && value < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("fuel must be between 0 and 2**63-1"));
    }
    wg_instance_set_fuel(self->instance, value);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(instance_fuel_obj, instance_fuel);

static mp_obj_t instance_read(mp_obj_t object, mp_obj_t pointer, mp_obj_t count) {
    instance_obj_t *self = resting_instance(object);
    uint32_t at = (uint32_t)value_from(pointer, 'i');
    uint32_t size = (uint32_t)value_from(count, 'i');
    wg_error error;
    if (!wg_instance_check(self->instance, at, size, &error)) {
        raise(&error);
    }
    vstr_t bytes;
    vstr_init_len(&bytes, size);
    if (!wg_instance_read(self->instance, at, bytes.buf, size, &error)) {
        raise(&error);
    }
    return mp_obj_new_bytes_from_vstr(&bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_3(instance_read_obj, instance_read);

static mp_obj_t instance_read_into(mp_obj_t object, mp_obj_t pointer, mp_obj_t to) {
    instance_obj_t *self = resting_instance(object);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(to, &buffer, MP_BUFFER_WRITE);
    wg_error error;
    if (!wg_instance_read(self->instance, (uint32_t)value_from(pointer, 'i'), buffer.buf,
                          buffer.len, &error)) {
        raise(&error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(instance_read_into_obj, instance_read_into);

static mp_obj_t instance_write(mp_obj_t object, mp_obj_t pointer, mp_obj_t from) {
    instance_obj_t *self = resting_instance(object);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(from, &buffer, MP_BUFFER_READ);
    wg_error error;
    if (!wg_instance_write(self->instance, (uint32_t)value_from(pointer, 'i'), buffer.buf,
                           buffer.len, &error)) {
        raise(&error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(instance_write_obj, instance_write);

static void instance_attr(mp_obj_t object, qstr attribute, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return;
    }
    switch (attribute) {
    case MP_QSTR_memory_size:
        dest[0] =
            mp_obj_new_int_from_uint(wg_instance_memory_size(resting_instance(object)->instance));
        break;
    case MP_QSTR_has_start:
        dest[0] = mp_obj_new_bool(wg_instance_start_function(open_instance(object)->instance) !=
                                  UINT32_MAX);
        break;
    case MP_QSTR_heap_used:
        dest[0] =
            mp_obj_new_int_from_uint(wg_instance_heap_used(resting_instance(object)->instance));
        break;
    case MP_QSTR_heap_peak:
        dest[0] =
            mp_obj_new_int_from_uint(wg_instance_heap_peak(resting_instance(object)->instance));
        break;
    default:
        dest[1] = MP_OBJ_SENTINEL;
    }
}

/* ---- Instance: inline mode ---- */

/* Calls the Python callable. An exception stays here until call() can raise it outside of wasm3's
 * frames. */
static bool inline_host(void *context, uint32_t index, const uint64_t *args, size_t count,
                        uint64_t *result, wg_error *error) {
    instance_obj_t *self = context;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        self->exception = MP_OBJ_FROM_PTR(nlr.ret_val);
        wg_error_set(error, WG_HOST, NULL, "a host function raised an exception");
        return false;
    }
    if (self->host == mp_const_none) {
        wg_error_set(error, WG_HOST, NULL, "the instance has no host to call");
        raise(error);
    }
    mp_obj_t value =
        mp_call_function_2(self->host, MP_OBJ_NEW_SMALL_INT(index), values_to_tuple(args, count));
    char letter = self->results[index];
    if (letter != 0) {
        *result = value_from(value, letter);
    } else if (value != mp_const_none) {
        mp_raise_TypeError(MP_ERROR_TEXT("a host function without a result must return None"));
    }
    nlr_pop();
    return true;
}

/* Lets other threads run; true if an exception waits for this one, such as KeyboardInterrupt. */
static bool inline_poll(void *context) {
    (void)context;
    MP_THREAD_GIL_EXIT();
    MP_THREAD_GIL_ENTER();
    return MP_STATE_THREAD(mp_pending_exception) != MP_OBJ_NULL;
}

/* Bytes of native stack that this thread has left for wasm code. */
static size_t native_room(void) {
    char here;
    size_t used = (size_t)(MP_STATE_THREAD(stack_top) - &here);
    size_t limit = MP_STATE_THREAD(stack_limit);
    return used + WG_NATIVE_RESERVE < limit ? limit - used - WG_NATIVE_RESERVE : 0;
}

static mp_obj_t run_inline(instance_obj_t *self, uint32_t function, const wg_type *type,
                           const uint64_t *values) {
    uint64_t results[WG_MAX_RESULTS];
    wg_error error;
#if WG_THREADS
    if (self->task != NULL && wg_task_parked_in(self->task) != UINT32_MAX) {
        raise_misuse("the instance is in a host call of a run that was started; use start()");
    }
#endif
    wg_instance_set_hooks(self->instance, inline_host, inline_poll, self);
#if MICROPY_PY_THREAD
    self->caller = mp_thread_get_id();
#endif
    self->calls++;
    bool good = wg_instance_call(self->instance, function, values, type->params, results,
                                 native_room(), &error);
    self->calls--;
    mp_obj_t exception = self->exception;
    self->exception = MP_OBJ_NULL;
    size_t count = type->results;
    if (self->calls == 0 && self->close_later) {
        free_native(self);
    }
    if (exception != MP_OBJ_NULL) {
        nlr_raise(exception);
    }
    if (!good) {
        raise(&error);
    }
    return results_to(results, count);
}

static mp_obj_t instance_call(size_t n_args, const mp_obj_t *args) {
    instance_obj_t *self = resting_instance(args[0]);
    uint64_t values[WG_MAX_PARAMS];
    const wg_type *type;
    uint32_t function = function_from(self, n_args, args, values, &type);
    return run_inline(self, function, type, values);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(instance_call_obj, 2, instance_call);

/* ---- Instance: started ---- */

static const wg_type start_type = {"", 0, 0};

#if WG_THREADS
static void start(instance_obj_t *self, uint32_t function, const wg_type *type,
                  const uint64_t *values) {
    wg_error error;
    if (self->calls > 0) {
        raise_misuse("the instance is in call()");
    }
    if (wg_instance_dead(self->instance)) {
        raise_misuse("this instance ended in an error before; make a new one");
    }
    if (self->task == NULL) {
        self->task = wg_task_new(self->instance, &error);
        if (self->task == NULL) {
            raise(&error);
        }
    }
    if (!wg_task_start(self->task, function, type, values, type->params, native_room(), &error)) {
        raise(&error);
    }
}

static mp_obj_t instance_start(size_t n_args, const mp_obj_t *args) {
    instance_obj_t *self = resting_instance(args[0]);
    uint64_t values[WG_MAX_PARAMS];
    const wg_type *type;
    uint32_t function = function_from(self, n_args, args, values, &type);
    start(self, function, type, values);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(instance_start_obj, 2, instance_start);

static mp_obj_t instance_poll(size_t n_args, const mp_obj_t *args) {
    instance_obj_t *self = open_instance(args[0]);
    wg_event event;
    event.kind = WG_NO_EVENT;
    uint32_t us = n_args < 2 ? 0 : limit_from(args[1], 0, WG_POLL_US, 0);
    if (self->task != NULL) {
        wg_task_take(self->task, 0, &event);
    }
    if (event.kind == WG_NO_EVENT && us > 0 && self->task != NULL && !self->taking) {
        /* nobody frees the task meanwhile: see instance_close() */
        self->taking = true;
        MP_THREAD_GIL_EXIT();
        wg_task_take(self->task, us, &event);
        MP_THREAD_GIL_ENTER();
        self->taking = false;
        if (self->close_later) {
            free_native(self);
        }
    }
    mp_obj_t items[3];
    switch (event.kind) {
    case WG_HOST_CALL:
        items[0] = MP_OBJ_NEW_SMALL_INT(EVENT_HOST);
        items[1] = MP_OBJ_NEW_SMALL_INT(event.index);
        items[2] = values_to_tuple(event.values, event.count);
        return mp_obj_new_tuple(3, items);
    case WG_DONE:
        items[0] = MP_OBJ_NEW_SMALL_INT(EVENT_DONE);
        items[1] = results_to(event.values, event.count);
        return mp_obj_new_tuple(2, items);
    case WG_FAILED:
        raise(&event.error);
    default:
        return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(instance_poll_obj, 1, 2, instance_poll);

static wg_task *open_task(mp_obj_t object) {
    instance_obj_t *self = open_instance(object);
    if (self->task == NULL) {
        raise_misuse("the instance was not started");
    }
    return self->task;
}

static mp_obj_t instance_reply(size_t n_args, const mp_obj_t *args) {
    wg_task *task = open_task(args[0]);
    instance_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    wg_error error;
    uint32_t index = wg_task_parked_in(task);
    uint64_t value = 0;
    if (index < self->offers) {
        bool given = n_args > 1 && args[1] != mp_const_none;
        if (self->results[index] != 0) {
            value = value_from(given ? args[1] : mp_const_none, self->results[index]);
        } else if (given) {
            mp_raise_TypeError(
                MP_ERROR_TEXT("a host function without a result must be answered with None"));
        }
    }
    if (!wg_task_reply(task, value, native_room(), &error)) {
        raise(&error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(instance_reply_obj, 1, 2, instance_reply);

static mp_obj_t instance_fail(mp_obj_t object, mp_obj_t message) {
    wg_task *task = open_task(object);
    wg_name text = name_from(message);
    wg_error why, error;
    wg_error_set(&why, WG_HOST, NULL, "%.*s",
                 text.size < WG_MESSAGE_SIZE ? (int)text.size : WG_MESSAGE_SIZE, text.text);
    if (!wg_task_fail(task, &why, &error)) {
        raise(&error);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(instance_fail_obj, instance_fail);

static mp_uint_t instance_ioctl(mp_obj_t object, mp_uint_t request, uintptr_t arg, int *errcode) {
    instance_obj_t *self = MP_OBJ_TO_PTR(object);
    if (request == MP_STREAM_POLL) {
        /* a closed instance is readable, so that whoever waits for it gets its error */
        bool news = self->instance == NULL || (self->task != NULL && wg_task_has_event(self->task));
        return news ? arg & MP_STREAM_POLL_RD : 0;
    }
    if (request == MP_STREAM_CLOSE) {
        instance_close(object);
        return 0;
    }
    *errcode = MP_EINVAL;
    return MP_STREAM_ERROR;
}

static const mp_stream_p_t instance_stream = {.ioctl = instance_ioctl};
#endif

/* Runs the module's start function, if it has one: in the thread, or inline where there are none.
 */
static mp_obj_t instance_run_start(mp_obj_t object) {
    instance_obj_t *self = resting_instance(object);
    uint32_t function = wg_instance_start_function(self->instance);
    if (function == UINT32_MAX) {
        raise_misuse("the module has no start function");
    }
#if WG_THREADS
    if (self->calls == 0 && self->host == mp_const_none) {
        start(self, function, &start_type, NULL);
        return mp_const_none;
    }
#endif
    return run_inline(self, function, &start_type, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_1(instance_run_start_obj, instance_run_start);

/* ---- Locals tables ---- */

static const mp_rom_map_elem_t module_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&module_close_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&module_close_obj)},
    {MP_ROM_QSTR(MP_QSTR_instantiate), MP_ROM_PTR(&module_instantiate_obj)},
};
static MP_DEFINE_CONST_DICT(module_locals, module_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(wasm3_module_type, MP_QSTR_Module, MP_TYPE_FLAG_NONE, make_new,
                         module_make_new, attr, module_attr, locals_dict, &module_locals);

static const mp_rom_map_elem_t instance_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&instance_del_obj)},
    {MP_ROM_QSTR(MP_QSTR_call), MP_ROM_PTR(&instance_call_obj)},
    {MP_ROM_QSTR(MP_QSTR_run_start), MP_ROM_PTR(&instance_run_start_obj)},
#if WG_THREADS
    {MP_ROM_QSTR(MP_QSTR_start), MP_ROM_PTR(&instance_start_obj)},
    {MP_ROM_QSTR(MP_QSTR_poll), MP_ROM_PTR(&instance_poll_obj)},
    {MP_ROM_QSTR(MP_QSTR_reply), MP_ROM_PTR(&instance_reply_obj)},
    {MP_ROM_QSTR(MP_QSTR_fail), MP_ROM_PTR(&instance_fail_obj)},
#endif
    {MP_ROM_QSTR(MP_QSTR_cancel), MP_ROM_PTR(&instance_cancel_obj)},
    {MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&instance_reset_obj)},
    {MP_ROM_QSTR(MP_QSTR_deadline), MP_ROM_PTR(&instance_deadline_obj)},
    {MP_ROM_QSTR(MP_QSTR_fuel), MP_ROM_PTR(&instance_fuel_obj)},
    {MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&instance_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_read_into), MP_ROM_PTR(&instance_read_into_obj)},
    {MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&instance_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&instance_close_obj)},
};
static MP_DEFINE_CONST_DICT(instance_locals, instance_locals_table);

#if WG_THREADS
MP_DEFINE_CONST_OBJ_TYPE(wasm3_instance_type, MP_QSTR_Instance, MP_TYPE_FLAG_NONE, attr,
                         instance_attr, protocol, &instance_stream, locals_dict, &instance_locals);
#else
MP_DEFINE_CONST_OBJ_TYPE(wasm3_instance_type, MP_QSTR_Instance, MP_TYPE_FLAG_NONE, attr,
                         instance_attr, locals_dict, &instance_locals);
#endif

/* ---- Module table ---- */

static MP_DEFINE_STR_OBJ(version_obj, WG_WASM3_VERSION);

static const mp_rom_map_elem_t wasm3_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wasm3)},
    {MP_ROM_QSTR(MP_QSTR_VERSION), MP_ROM_PTR(&version_obj)},
    {MP_ROM_QSTR(MP_QSTR_THREADS), WG_THREADS ? MP_ROM_TRUE : MP_ROM_FALSE},
    {MP_ROM_QSTR(MP_QSTR_HOST), MP_ROM_INT(EVENT_HOST)},
    {MP_ROM_QSTR(MP_QSTR_DONE), MP_ROM_INT(EVENT_DONE)},
    {MP_ROM_QSTR(MP_QSTR_Module), MP_ROM_PTR(&wasm3_module_type)},
    {MP_ROM_QSTR(MP_QSTR_Instance), MP_ROM_PTR(&wasm3_instance_type)},
    {MP_ROM_QSTR(MP_QSTR_buffer), MP_ROM_PTR(&wasm3_buffer_type)},
    {MP_ROM_QSTR(MP_QSTR_Error), MP_ROM_PTR(&wasm3_Error_type)},
    {MP_ROM_QSTR(MP_QSTR_MalformedError), MP_ROM_PTR(&wasm3_MalformedError_type)},
    {MP_ROM_QSTR(MP_QSTR_InvalidError), MP_ROM_PTR(&wasm3_InvalidError_type)},
    {MP_ROM_QSTR(MP_QSTR_UnsupportedError), MP_ROM_PTR(&wasm3_UnsupportedError_type)},
    {MP_ROM_QSTR(MP_QSTR_LinkError), MP_ROM_PTR(&wasm3_LinkError_type)},
    {MP_ROM_QSTR(MP_QSTR_TrapError), MP_ROM_PTR(&wasm3_TrapError_type)},
    {MP_ROM_QSTR(MP_QSTR_QuotaError), MP_ROM_PTR(&wasm3_QuotaError_type)},
    {MP_ROM_QSTR(MP_QSTR_HostError), MP_ROM_PTR(&wasm3_HostError_type)},
};
static MP_DEFINE_CONST_DICT(wasm3_globals, wasm3_globals_table);

const mp_obj_module_t wasm3_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&wasm3_globals,
};

MP_REGISTER_MODULE(MP_QSTR_wasm3, wasm3_module);
