// The C library's and the engine's ground: memory, clock, files of the host, fatal errors.
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4, SYS_OPEN = 5, SYS_CLOSE = 6 };

#define CYCLES_PER_US 40
#define STACK_MARK 0xa5

int32_t simcall(int32_t number, int32_t a, int32_t b, int32_t c);
int main(void);
_Noreturn void start_c(void);
_Noreturn void fatal_exception(uint32_t cause, uint32_t pc, uint32_t address, uint32_t stack);

extern char _heap_start, _heap_end, _stack_bottom, _stack_top;

int console_read(int file, void *to, size_t size) {
    // QEMU maps the buffer page by page: each must have been written to.
    memset(to, 0, size);
    return simcall(SYS_READ, file, (int32_t)to, (int32_t)size);
}

int console_write(int file, const void *from, size_t size) {
    return simcall(SYS_WRITE, file, (int32_t)from, (int32_t)size);
}

int console_open(const char *path) {
    return simcall(SYS_OPEN, (int32_t)path, 0, 0);
}

void console_close(int file) {
    simcall(SYS_CLOSE, file, 0, 0);
}

_Noreturn void console_exit(int code) {
    simcall(SYS_EXIT, code, 0, 0);
    for (;;) {
    }
}

uint64_t console_us(void) {
    static uint64_t cycles;
    static uint32_t before;
    uint32_t now;
    __asm__ volatile("rsr %0, ccount" : "=a"(now));
    cycles += now - before;
    before = now;
    return cycles / CYCLES_PER_US;
}

size_t console_stack_used(void) {
    const char *at = &_stack_bottom;
    while (at < &_stack_top && *at == (char)STACK_MARK) {
        at++;
    }
    return (size_t)(&_stack_top - at);
}

_Noreturn void start_c(void) {
    char here;
    memset(&_stack_bottom, STACK_MARK, (size_t)(&here - &_stack_bottom) - 256);
    console_exit(main());
}

_Noreturn void fatal_exception(uint32_t cause, uint32_t pc, uint32_t address, uint32_t stack) {
    char text[120];
    int size = snprintf(text, sizeof(text),
                        "\nfatal: exception %u at 0x%08x, address 0x%08x, stack 0x%08x\n",
                        (unsigned)cause, (unsigned)pc, (unsigned)address, (unsigned)stack);
    console_write(CONSOLE_OUTPUT, text, (size_t)size);
    console_exit(70);
}

// ---- What the C library asks for ----
void *sbrk(ptrdiff_t more);
void *sbrk(ptrdiff_t more) {
    static char *end;
    if (end == NULL) {
        end = &_heap_start;
    }
    if (more > &_heap_end - end || more < &_heap_start - end) {
        errno = ENOMEM;
        return (void *)-1;
    }
    char *before = end;
    end += more;
    return before;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    (void)which;
    uint64_t us = console_us();
    now->tv_sec = (time_t)(us / 1000000);
    now->tv_nsec = (long)(us % 1000000) * 1000;
    return 0;
}

_Noreturn void _exit(int code);
_Noreturn void _exit(int code) {
    console_exit(code);
}

_Noreturn void abort(void) {
    static const char text[] = "\nfatal: abort()\n";
    console_write(CONSOLE_OUTPUT, text, sizeof(text) - 1);
    console_exit(71);
}

static int put_to_console(char c, FILE *file) {
    (void)file;
    console_write(CONSOLE_OUTPUT, &c, 1);
    return (unsigned char)c;
}

static FILE console = FDEV_SETUP_STREAM(put_to_console, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &console;
FILE *const stderr = &console;
FILE *const stdin = &console;
