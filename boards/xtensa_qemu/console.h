// QEMU's simcalls: the host's files, its clock and its exit. QEMU counts instructions, not time.
#ifndef WG_XTENSA_CONSOLE_H
#define WG_XTENSA_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_INPUT 0
#define CONSOLE_OUTPUT 1
#define CONSOLE_ERRORS 2

// Bytes read; 0 at the end; below 0 if it fails.
int console_read(int file, void *to, size_t size);

// Bytes written; below 0 if it fails.
int console_write(int file, const void *from, size_t size);

// Opens a file of the host to read it. Below 0 if it fails.
int console_open(const char *path);
void console_close(int file);

// Ends QEMU with this exit code.
_Noreturn void console_exit(int code);

// Microseconds since the start, of the simulated clock: 25 instructions are one cycle, 40 cycles
// are one. Waiting costs no instructions.
uint64_t console_us(void);

// From one tick of the timer to the next, in microseconds.
#define CONSOLE_TICK_US 5000

// Starts the timer whose interrupt reads the input, as a UART's does. `key` is told each byte
// first, in the interrupt; what it takes (true) does not get into the input.
void console_start(bool (*key)(int c));

// A byte of input, or -1: there is none now, or -2: there will never be any again.
int console_get(void);

// Would console_get() return at once, with a byte or at the end?
bool console_has_input(void);

// Masks all interrupts, and lets them be as they were before, or all of them in.
uint32_t console_mask(void);
void console_unmask(uint32_t before);
void console_unmask_all(void);

// Asks for an interrupt, which comes as soon as it is let in.
void console_interrupt_self(void);

// Stops QEMU until there is input. The simulated clock stands still.
void console_wait_for_input(void);

// The number after `name=` in QEMU's -append, or `otherwise`.
uint32_t console_option(const char *name, uint32_t otherwise);

#endif
