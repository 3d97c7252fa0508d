// A board with a REPL on QEMU's standard input and output; it ends with its input.
#include <stdio.h>
#include <stdlib.h>

#include "console.h"
#include "py/compile.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stackctrl.h"
#include "py/stream.h"
#include "shared/readline/readline.h"
#include "shared/runtime/interrupt_char.h"
#include "shared/runtime/pyexec.h"
#include "stack.h"
#include "threads.h"

#define PYTHON_HEAP (2 * 1024 * 1024)

extern char _stack_bottom, _stack_top;
void __xtensa_libgcc_window_spill(void);
_Noreturn void end(int code);

// In the timer's interrupt.
static bool take_key(int c) {
    if (c != mp_interrupt_char) {
        return false;
    }
    mp_sched_keyboard_interrupt();
    return true;
}

int main(void) {
    stack_start();
    size_t size = console_option("heap", PYTHON_HEAP);
    char *heap = malloc(size);
    if (heap == NULL) {
        printf("fatal: no memory for a heap of %u bytes\n", (unsigned)size);
        return 73;
    }
    mp_stack_set_top(&_stack_top);
    mp_stack_set_limit((mp_uint_t)(&_stack_top - &_stack_bottom) - 16 * 1024);
    threads_set_slice(console_option("slice", THREADS_SLICE_US));
    console_start(take_key);
    for (;;) {
        gc_init(heap, heap + size);
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

_Noreturn void end(int code) {
    char text[64];
    int size =
        snprintf(text, sizeof(text), "stack: %u %u %u\n", (unsigned)stack_deepest(STACK_PYTHON),
                 (unsigned)stack_deepest(STACK_LOAD), (unsigned)stack_deepest(STACK_RUN));
    console_write(CONSOLE_ERRORS, text, (size_t)size);
    console_exit(code);
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = console_get();
        if (c >= 0) {
            return c;
        }
        if (c == -2) {
            end(0);
        }
        if (threads_others_run()) {
            threads_wait_for_tick();
        } else {
            console_wait_for_input();
        }
        mp_handle_pending(true);
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t size) {
    int done = console_write(CONSOLE_OUTPUT, text, size);
    return done < 0 ? 0 : (mp_uint_t)done;
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    return flags &
           (console_has_input() ? MP_STREAM_POLL_RD | MP_STREAM_POLL_WR : MP_STREAM_POLL_WR);
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
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = console_us() + (uint64_t)ms * 1000;
    for (;;) {
        mp_handle_pending(true);
        uint64_t us = console_us();
        if (us >= end) {
            return;
        }
        if (end - us < CONSOLE_TICK_US) {
            mp_hal_delay_us((mp_uint_t)(end - us));
        } else {
            threads_wait_for_tick();
        }
    }
}

// Since 2000; the board starts on 1 January 2025.
uint64_t mp_hal_time_ns(void) {
    return 789004800ULL * 1000000000 + console_us() * 1000;
}
