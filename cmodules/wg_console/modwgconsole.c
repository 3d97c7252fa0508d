// MicroPython module `wgconsole`: what the console needs of the interpreter and Python can't give.
//
// - A number that a soft reset leaves as it is and a reset of the chip makes 0: so Python can tell
//   the one from the other, which machine.reset_cause() can't (machine.reset() and Ctrl-D give the
//   same).
// - At the prompt, exceptions of one class are shown as their sentence, without a traceback. In
//   the raw REPL, which programs on a PC use, nothing changes.

#include "py/objexcept.h"
#include "py/runtime.h"
#include "shared/runtime/pyexec.h"

static mp_int_t number;

MP_REGISTER_ROOT_POINTER(mp_obj_t wgconsole_sentences);

// retained() -> the number; retained(n) sets it.
static mp_obj_t mod_retained(size_t n_args, const mp_obj_t *args) {
    if (n_args > 0) {
        number = mp_obj_get_int(args[0]);
    }
    return mp_obj_new_int(number);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_retained_obj, 0, 1, mod_retained);

// sentences(exception class): its tracebacks are not shown at the prompt; None: all are. At a soft
// reset it is forgotten.
static mp_obj_t mod_sentences(mp_obj_t class) {
    if (class != mp_const_none && !mp_obj_is_exception_type(class)) {
        mp_raise_TypeError(MP_ERROR_TEXT("not an exception class"));
    }
    MP_STATE_VM(wgconsole_sentences) = class;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_sentences_obj, mod_sentences);

// The linker puts this in the place of MicroPython's own (--wrap).
void __real_mp_obj_print_exception(const mp_print_t *print, mp_obj_t exception);
void __wrap_mp_obj_print_exception(const mp_print_t *print, mp_obj_t exception);

void __wrap_mp_obj_print_exception(const mp_print_t *print, mp_obj_t exception) {
    mp_obj_t class = MP_STATE_VM(wgconsole_sentences);
    if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && class != MP_OBJ_NULL &&
        class != mp_const_none && mp_obj_is_exception_instance(exception) &&
        mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(exception)), class)) {
        mp_obj_print_helper(print, exception, PRINT_STR);
        mp_print_str(print, "\n");
    } else {
        __real_mp_obj_print_exception(print, exception);
    }
}

static const mp_rom_map_elem_t wgconsole_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wgconsole)},
    {MP_ROM_QSTR(MP_QSTR_retained), MP_ROM_PTR(&mod_retained_obj)},
    {MP_ROM_QSTR(MP_QSTR_sentences), MP_ROM_PTR(&mod_sentences_obj)},
};
static MP_DEFINE_CONST_DICT(wgconsole_globals, wgconsole_globals_table);

const mp_obj_module_t wgconsole_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&wgconsole_globals,
};

MP_REGISTER_MODULE(MP_QSTR_wgconsole, wgconsole_module);
