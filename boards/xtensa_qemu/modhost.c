// Module `host`: the files of the machine that QEMU runs on, to be read.
#include "console.h"
#include "py/mperrno.h"
#include "py/runtime.h"

#define PIECE 4096

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

static mp_obj_t host_stack_used(void) {
    return mp_obj_new_int_from_uint(console_stack_used());
}
static MP_DEFINE_CONST_FUN_OBJ_0(host_stack_used_obj, host_stack_used);

static const mp_rom_map_elem_t globals[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_host)},
    {MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&host_read_obj)},
    {MP_ROM_QSTR(MP_QSTR_stack_used), MP_ROM_PTR(&host_stack_used_obj)},
};
static MP_DEFINE_CONST_DICT(globals_dict, globals);

const mp_obj_module_t host_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&globals_dict,
};
MP_REGISTER_MODULE(MP_QSTR_host, host_module);
