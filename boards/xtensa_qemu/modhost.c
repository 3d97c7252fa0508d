// Module `host`: the files of the machine that QEMU runs on, to be read; memory that stays over a
// soft reset; how deep the stack went; the end.
#include "console.h"
#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "stack.h"

_Noreturn void end(int code); // main.c: tells the stack's depth first

#define PIECE 4096
#define FLASH_SIZE (1024 * 1024)

static mp_obj_t host_read(mp_obj_t path) {
    int file = console_open(mp_obj_str_get_str(path));
    if (file < 0) {
        mp_raise_OSError(MP_ENOENT);
    }
    vstr_t all;
    vstr_init(&all, PIECE);
    int got;
    do {
        got = console_read(file, vstr_add_len(&all, PIECE), PIECE);
        vstr_cut_tail_bytes(&all, (size_t)(PIECE - (got > 0 ? got : 0)));
    } while (got > 0);
    console_close(file);
    if (got < 0) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_obj_new_bytes_from_vstr(&all);
}
static MP_DEFINE_CONST_FUN_OBJ_1(host_read_obj, host_read);

static mp_obj_t host_flash(void) {
    static unsigned char flash[FLASH_SIZE];
    return mp_obj_new_memoryview('B' | MP_OBJ_ARRAY_TYPECODE_FLAG_RW, sizeof(flash), flash);
}
static MP_DEFINE_CONST_FUN_OBJ_0(host_flash_obj, host_flash);

// (of a Python thread, of loading alone, of a run), in bytes; with an argument, begins anew.
static mp_obj_t host_stack(size_t count, const mp_obj_t *args) {
    mp_obj_t items[STACK_KINDS];
    for (int kind = 0; kind < STACK_KINDS; kind++) {
        items[kind] = mp_obj_new_int_from_uint(stack_deepest(kind));
    }
    if (count > 0 && mp_obj_is_true(args[0])) {
        stack_reset();
    }
    return mp_obj_new_tuple(STACK_KINDS, items);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(host_stack_obj, 0, 1, host_stack);

static mp_obj_t host_exit(mp_obj_t code) {
    end(mp_obj_get_int(code));
}
static MP_DEFINE_CONST_FUN_OBJ_1(host_exit_obj, host_exit);

static const mp_rom_map_elem_t globals[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_host)},
    {MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&host_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_flash), MP_ROM_PTR(&host_flash_obj)},
    {MP_ROM_QSTR(MP_QSTR_stack), MP_ROM_PTR(&host_stack_obj)},
    {MP_ROM_QSTR(MP_QSTR_exit), MP_ROM_PTR(&host_exit_obj)},
};
static MP_DEFINE_CONST_DICT(globals_dict, globals);

const mp_obj_module_t host_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&globals_dict,
};
MP_REGISTER_MODULE(MP_QSTR_host, host_module);
