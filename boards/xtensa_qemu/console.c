// The C library's and the engine's ground: memory, clock, input, files of the host, fatal errors.
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xtensa/config/core-isa.h>

#include "threads.h"

enum {
    SYS_EXIT = 1,
    SYS_READ = 3,
    SYS_WRITE = 4,
    SYS_OPEN = 5,
    SYS_CLOSE = 6,
    SYS_SELECT_ONE = 29,
    SYS_ARGC = 1000,
    SYS_ARGV_SIZE = 1001,
    SYS_ARGV = 1002,
};

enum { SELECT_READ = 1 };

#define TIMER_INTERRUPT XCHAL_TIMER0_INTERRUPT
#define SOFTWARE_INTERRUPT 7
_Static_assert(XCHAL_INTLEVEL1_MASK & 1 << TIMER_INTERRUPT, "the timer's interrupt is of level 1");
_Static_assert(XCHAL_INTLEVEL1_MASK & XCHAL_INTTYPE_MASK_SOFTWARE & 1 << SOFTWARE_INTERRUPT,
               "so is the one that a thread asks for");

#define CYCLES_PER_US 40

int32_t simcall(int32_t number, int32_t a, int32_t b, int32_t c);
int main(void);
const uint32_t *console_interrupt(void);
_Noreturn void start_c(void);
_Noreturn void fatal_exception(uint32_t cause, uint32_t pc, uint32_t address, uint32_t stack);

extern char _heap_start, _heap_end;

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

uint32_t console_option(const char *name, uint32_t otherwise) {
    static char text[512];
    size_t size = strlen(name);
    int32_t need = simcall(SYS_ARGV_SIZE, 0, 0, 0);
    if (need <= 0 || need > (int32_t)sizeof(text)) {
        return otherwise;
    }
    memset(text, 0, sizeof(text));
    int32_t count = simcall(SYS_ARGC, 0, 0, 0);
    simcall(SYS_ARGV, (int32_t)text, 0, 0);
    const char *const *words = (const char *const *)text;
    for (int32_t i = 0; i < count; i++) {
        const char *word = words[i];
        if (strncmp(word, name, size) == 0 && word[size] == '=') {
            return (uint32_t)strtoul(word + size + 1, NULL, 10);
        }
    }
    return otherwise;
}

// ---- Interrupts: all are on one level ----

uint32_t console_mask(void) {
    uint32_t before;
    __asm__ volatile("rsil %0, 1" : "=a"(before)::"memory");
    return before;
}

void console_unmask(uint32_t before) {
    if ((before & 15) == 0) {
        console_unmask_all();
    }
}

void console_unmask_all(void) {
    uint32_t before;
    __asm__ volatile("rsil %0, 0" : "=a"(before)::"memory");
}

void console_interrupt_self(void) {
    __asm__ volatile("wsr %0, intset; rsync" ::"a"(1 << SOFTWARE_INTERRUPT) : "memory");
}

static uint32_t ccount(void) {
    uint32_t now;
    __asm__ volatile("rsr %0, ccount" : "=a"(now));
    return now;
}

uint64_t console_us(void) {
    static uint64_t cycles;
    static uint32_t last;
    uint32_t before = console_mask();
    uint32_t now = ccount();
    cycles += now - last;
    last = now;
    uint64_t us = cycles / CYCLES_PER_US;
    console_unmask(before);
    return us;
}

// ---- Input ----

static unsigned char input[8192]; // what was read and not asked for yet
static size_t input_from, input_to;
static bool input_ended;
static bool (*input_key)(int c);

static bool input_ready(const uint32_t *limit) {
    return simcall(SYS_SELECT_ONE, CONSOLE_INPUT, SELECT_READ, (int32_t)limit) > 0;
}

// Reads what is there. Interrupts are masked.
static void fill(void) {
    static const uint32_t at_once[2] = {0, 0};
    // within one page: QEMU would read into the next by itself, and wait for what is not there yet
    static _Alignas(1024) unsigned char piece[1024];
    if (input_from == input_to) {
        input_from = input_to = 0;
    }
    size_t room = sizeof(input) - input_to;
    if (input_ended || room == 0 || !input_ready(at_once)) {
        return;
    }
    int got = console_read(CONSOLE_INPUT, piece, room < sizeof(piece) ? room : sizeof(piece));
    input_ended = got <= 0;
    for (int i = 0; i < got; i++) {
        if (input_key == NULL || !input_key(piece[i])) {
            input[input_to++] = piece[i];
        }
    }
}

int console_get(void) {
    uint32_t before = console_mask();
    if (input_from == input_to) {
        fill();
    }
    int c = input_from < input_to ? input[input_from++] : input_ended ? -2 : -1;
    console_unmask(before);
    return c;
}

bool console_has_input(void) {
    uint32_t before = console_mask();
    if (input_from == input_to) {
        fill();
    }
    bool has = input_from < input_to || input_ended;
    console_unmask(before);
    return has;
}

void console_wait_for_input(void) {
    // Nothing may read the input between the look and the wait.
    uint32_t before = console_mask();
    if (input_from == input_to && !input_ended) {
        input_ready(NULL);
    }
    console_unmask(before);
}

static uint64_t tick_at;

// The timer's next interrupt. That of the one before is no longer pending.
static void set_timer(uint64_t now, uint64_t at) {
    uint32_t us = at > now ? (uint32_t)(at - now) : 1;
    __asm__ volatile("wsr %0, ccompare0; esync" ::"a"(ccount() + us * CYCLES_PER_US));
}

// Returns the registers of the thread that goes on. Called at each tick at least, since the cycle
// counter's 32 bits are 107 s.
const uint32_t *console_interrupt(void) {
    __asm__ volatile("wsr %0, intclear; rsync" ::"a"(1 << SOFTWARE_INTERRUPT));
    uint64_t now = console_us();
    if (now >= tick_at) {
        tick_at = now + CONSOLE_TICK_US;
        fill();
        threads_tick();
    }
    uint64_t wake_at;
    const uint32_t *registers = threads_next(now, &wake_at);
    set_timer(now, wake_at < tick_at ? wake_at : tick_at);
    return registers;
}

void console_start(bool (*key)(int c)) {
    input_key = key;
    uint64_t now = console_us();
    tick_at = now + CONSOLE_TICK_US;
    set_timer(now, tick_at);
    uint32_t enabled = 1 << TIMER_INTERRUPT | 1 << SOFTWARE_INTERRUPT;
    __asm__ volatile("wsr %0, intenable; rsync" ::"a"(enabled));
}

// ---- Start and end ----

_Noreturn void start_c(void) {
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
