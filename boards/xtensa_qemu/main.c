// A board with a REPL on QEMU's standard input and output; it ends with its input.
#include <stdlib.h>

#include "console.h"
#include "py/compile.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stackctrl.h"
#include "py/stream.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"

static char heap[WG_PYTHON_HEAP];

extern char _stack_bottom, _stack_top;
void __xtensa_libgcc_window_spill(void);

int main(void) {
    mp_stack_set_top(&_stack_top);
    mp_stack_set_limit((mp_uint_t)(&_stack_top - &_stack_bottom) - 16 * 1024);
    for (;;) {
        gc_init(heap, heap + sizeof(heap));
        mp_init();
        readline_init0();
        pyexec_frozen_module("_boot.py", false);
        for (;;) {
            int ended = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl()
                                                                 : pyexec_friendly_repl();
            if (ended) {
                break;
            }
        }
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        gc_sweep_all();
        mp_deinit();
    }
}

// Roots: all that is in the stack. Registers of the callers are written to it first; the last of
// them lie in the 16 bytes below the stack pointer.
void gc_collect(void) {
    gc_collect_start();
    __xtensa_libgcc_window_spill();
    char *stack;
    __asm__ volatile("mov %0, a1" : "=a"(stack));
    stack -= 16;
    gc_collect_root((void **)stack, (size_t)(&_stack_top - stack) / sizeof(void *));
    gc_collect_end();
}

void nlr_jump_fail(void *value) {
    (void)value;
    mp_printf(&mp_plat_print, "fatal: uncaught exception\n");
    console_exit(72);
}

int mp_hal_stdin_rx_chr(void) {
    unsigned char c;
    if (console_read(CONSOLE_INPUT, &c, 1) != 1) {
        console_exit(0);
    }
    return c;
}

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t size) {
    int done = console_write(CONSOLE_OUTPUT, text, size);
    return done < 0 ? 0 : (mp_uint_t)done;
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    return flags & MP_STREAM_POLL_WR;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(console_us() / 1000);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)console_us();
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)console_us();
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = console_us() + us;
    while (console_us() < end) {
        mp_handle_pending(true);
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_hal_delay_us(ms * 1000);
}

uint64_t mp_hal_time_ns(void) {
    return console_us() * 1000;
}
