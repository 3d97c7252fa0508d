// QEMU's simcalls: the host's files, its clock and its exit. QEMU counts instructions, not time.
#ifndef WG_XTENSA_CONSOLE_H
#define WG_XTENSA_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#define CONSOLE_INPUT 0
#define CONSOLE_OUTPUT 1

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
// are one.
uint64_t console_us(void);

// The deepest that the stack has been, in bytes.
size_t console_stack_used(void);

#endif
