// Threads, with POSIX's and ESP-IDF's functions for them, on one CPU. A switch is an interrupt that
// goes on with another thread's registers (start.S); all interrupts are on one level, so masking
// that one is the lock of all that is here.
#include "threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "esp_pthread.h"
#include "pthread.h"
#include "stack.h"

// As start.S counts them.
enum { A0, A1, A6 = 6, PC = 16, PS, F15 = 26 + 15, REGISTERS };

// Windows on, user vector, no interrupt masked; of an interrupt that is being left (EXCM), to
// the `entry` of a function that callx4 called (CALLINC).
#define PS_BEGIN ((1 << 18) | (1 << 16) | (1 << 5) | (1 << 4))

// Variables that each thread has of its own (_Thread_local).
#define LOCALS 8

typedef struct thread {
    uint32_t registers[REGISTERS]; // the first: start.S
    struct thread *next;           // all that have not ended, in a ring; or those that have
    const void *waits;             // for what, or NULL: it can run
    uint64_t until;                // it waits no longer than this, in microseconds
    bool ended;
    int error_number;
    uint32_t *stack; // NULL: the first thread's
    char *stack_end;
    void *(*run)(void *argument);
    void *argument;
    void *locals[LOCALS];
} thread;

static thread first = {.next = &first};
static thread idle;
static thread *last = &first; // of the others, the last that ran
static thread *ended;
thread *threads_running = &first; // start.S
static uint32_t slice_us = THREADS_SLICE_US;

// ---- Switching ----

static _Noreturn void stop(const char *why) {
    console_write(CONSOLE_OUTPUT, why, strlen(why));
    console_exit(74);
}

// What an interrupt would have saved of a thread that is about to call `function`.
static void set_registers(thread *made, char *stack_end, void (*function)(thread *made)) {
    memset(made->registers, 0, sizeof(made->registers));
    made->registers[A1] = (uint32_t)stack_end & ~15u;
    made->registers[A6] = (uint32_t)made;
    made->registers[PC] = (uint32_t)function;
    made->registers[PS] = PS_BEGIN;
}

static void be_idle(thread *self) {
    (void)self;
    for (;;) {
        __asm__ volatile("waiti 0" ::: "memory");
    }
}

// Lets those go on that have waited long enough; when the next of them will have.
static uint64_t wake_by_time(uint64_t now) {
    uint64_t next = THREADS_NEVER;
    thread *one = &first;
    do {
        if (one->waits != NULL && now >= one->until) {
            one->waits = NULL;
        } else if (one->waits != NULL && one->until < next) {
            next = one->until;
        }
        one = one->next;
    } while (one != &first);
    return next;
}

// The first thread, MicroPython's, has every other turn: on the chip it has a core of its own.
static thread *choose(void) {
    if (threads_running != &first && first.waits == NULL) {
        return &first;
    }
    thread *one = last;
    do {
        one = one->next;
        if (one != &first && one->waits == NULL) {
            last = one;
            return one;
        }
    } while (one != last);
    if (first.waits == NULL) {
        return &first;
    }
    static char stack[512];
    if (idle.registers[PC] == 0) {
        set_registers(&idle, stack + sizeof(stack) - 32, be_idle);
    }
    return &idle;
}

// Could another thread than the chosen one run?
static bool others_run(void) {
    if (threads_running == &idle) {
        return false;
    }
    for (thread *one = threads_running->next; one != threads_running; one = one->next) {
        if (one->waits == NULL) {
            return true;
        }
    }
    return false;
}

static void take_out(thread *gone) {
    thread *before = gone;
    while (before->next != gone) {
        before = before->next;
    }
    before->next = gone->next;
    if (last == gone) {
        last = before;
    }
    gone->next = ended;
    ended = gone;
}

const uint32_t *threads_next(uint64_t now, uint64_t *wake_at) {
    if (threads_running->stack != NULL && threads_running->stack[0] != STACK_MARK) {
        stop("\nfatal: a thread's stack is used up\n");
    }
    threads_running->error_number = errno;
    if (threads_running->ended) {
        take_out(threads_running);
    }
    uint64_t wake = wake_by_time(now);
    threads_running = choose();
    errno = threads_running->error_number;
    uint64_t slice_end = now + slice_us;
    *wake_at = wake < slice_end || !others_run() ? wake : slice_end;
    return threads_running->registers;
}

// Interrupts are masked before and after. true: in time, not because `until` has come.
static void wait_for(const void *what, uint64_t until) {
    thread *self = threads_running;
    self->until = until;
    *(const void *volatile *)&self->waits = what;
    console_interrupt_self();
    console_unmask_all();
    while (*(const void *volatile *)&self->waits != NULL) {
    }
    console_mask();
}

// Lets those that wait for it go on: one, or all of them. Interrupts are masked.
static void wake(const void *what, bool all) {
    thread *one = last;
    do {
        one = one->next;
        if (one->waits == what) {
            one->waits = NULL;
            if (!all) {
                return;
            }
        }
    } while (one != last);
}

void threads_set_slice(uint32_t us) {
    slice_us = us;
}

static const char tick;

void threads_tick(void) {
    wake(&tick, true);
}

void threads_wait_for_tick(void) {
    uint32_t before = console_mask();
    wait_for(&tick, THREADS_NEVER);
    console_unmask(before);
}

bool threads_others_run(void) {
    uint32_t before = console_mask();
    bool any = others_run();
    console_unmask(before);
    return any;
}

void threads_see_stacks(void (*see)(uint32_t *bottom, const char *used, const char *end)) {
    uint32_t before = console_mask();
    for (thread *one = first.next; one != &first; one = one->next) {
        see(one->stack, (const char *)one->registers[A1], one->stack_end);
    }
    for (thread *one = ended; one != NULL; one = one->next) {
        see(one->stack, (const char *)one->registers[A1], one->stack_end);
    }
    console_unmask(before);
}

// ---- Threads ----

static void begin(thread *self) {
    self->run(self->argument);
    console_mask();
    self->ended = true;
    wait_for(self, THREADS_NEVER);
}

static void free_ended(void) {
    threads_see_stacks(stack_note);
    uint32_t before = console_mask();
    thread *one = ended;
    ended = NULL;
    console_unmask(before);
    while (one != NULL) {
        thread *gone = one;
        one = one->next;
        for (size_t i = 0; i < LOCALS; i++) {
            free(gone->locals[i]);
        }
        free(gone->stack);
        free(gone);
    }
}

static esp_pthread_cfg_t settings;
static bool has_settings;

esp_pthread_cfg_t esp_pthread_get_default_config(void) {
    return (esp_pthread_cfg_t){.stack_size = 3072, .prio = 5, .pin_to_core = -1};
}

esp_err_t esp_pthread_set_cfg(const esp_pthread_cfg_t *cfg) {
    settings = *cfg;
    has_settings = true;
    return ESP_OK;
}

esp_err_t esp_pthread_get_cfg(esp_pthread_cfg_t *p) {
    if (!has_settings) {
        return ESP_ERR_NOT_FOUND;
    }
    *p = settings;
    return ESP_OK;
}

int pthread_create(pthread_t *name, const pthread_attr_t *attr, void *(*run)(void *), void *arg) {
    (void)attr;
    free_ended();
    esp_pthread_cfg_t own = has_settings ? settings : esp_pthread_get_default_config();
    thread *made = calloc(1, sizeof(*made));
    uint32_t *stack = malloc(own.stack_size);
    if (made == NULL || stack == NULL) {
        free(made);
        free(stack);
        return ENOMEM;
    }
    made->stack = stack;
    made->stack_end = (char *)stack + own.stack_size;
    stack_fill(made->stack, made->stack_end);
    made->run = run;
    made->argument = arg;
    set_registers(made, made->stack_end - 16, begin);
    uint32_t before = console_mask();
    made->next = threads_running->next;
    threads_running->next = made;
    console_unmask(before);
    *name = (pthread_t)made;
    return 0;
}

int pthread_detach(pthread_t which) {
    (void)which; // all are: nobody can join one
    return 0;
}

// ---- Mutexes: the thread that has it, or 0 ----

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr) {
    (void)attr;
    *mutex = PTHREAD_MUTEX_INITIALIZER;
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex) {
    return *mutex == 0 ? 0 : EBUSY;
}

static void lock(pthread_mutex_t *mutex) {
    while (*mutex != 0) {
        wait_for(mutex, THREADS_NEVER);
    }
    *mutex = (pthread_mutex_t)threads_running;
}

static void unlock(pthread_mutex_t *mutex) {
    if (*mutex != (pthread_mutex_t)threads_running) {
        stop("\nfatal: a mutex is unlocked by a thread that has not locked it\n");
    }
    *mutex = 0;
    wake(mutex, false);
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
    uint32_t before = console_mask();
    lock(mutex);
    console_unmask(before);
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
    uint32_t before = console_mask();
    unlock(mutex);
    console_unmask(before);
    return 0;
}

// ---- Conditions: their address is what is waited for ----

int pthread_condattr_init(pthread_condattr_t *attr) {
    attr->clock = 0;
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr) {
    (void)attr;
    return 0;
}

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr) {
    (void)attr; // all clocks are one
    *cond = PTHREAD_COND_INITIALIZER;
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond) {
    (void)cond;
    return 0;
}

static void wait_for_signal(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t until) {
    uint32_t before = console_mask();
    unlock(mutex);
    wait_for(cond, until);
    lock(mutex);
    console_unmask(before);
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
    wait_for_signal(cond, mutex, THREADS_NEVER);
    return 0;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *until) {
    uint64_t us = (uint64_t)until->tv_sec * 1000000 + (uint64_t)(until->tv_nsec + 999) / 1000;
    wait_for_signal(cond, mutex, us);
    return console_us() < us ? 0 : ETIMEDOUT;
}

int pthread_cond_signal(pthread_cond_t *cond) {
    uint32_t before = console_mask();
    wake(cond, false);
    console_unmask(before);
    return 0;
}

// ---- _Thread_local: what GCC calls for an object, which says where it stands ----

typedef struct {
    size_t size, align;
    size_t number; // 0: none has been given yet
    const void *initial;
} local;

void *__emutls_get_address(void *which);
void *__emutls_get_address(void *which) {
    static size_t count;
    local *object = which;
    uint32_t before = console_mask();
    if (object->number == 0) {
        object->number = ++count;
    }
    if (object->number > LOCALS) {
        stop("\nfatal: too many thread-local objects\n");
    }
    void **place = &threads_running->locals[object->number - 1];
    if (*place == NULL) {
        *place = calloc(1, object->size);
        if (*place == NULL) {
            stop("\nfatal: no memory for a thread-local object\n");
        }
        if (object->initial != NULL) {
            memcpy(*place, object->initial, object->size);
        }
    }
    console_unmask(before);
    return *place;
}

// ---- The C library was made for one thread: its allocator runs undisturbed (--wrap) ----

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size) {
    uint32_t before = console_mask();
    void *block = __real_malloc(size);
    console_unmask(before);
    return block;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size) {
    uint32_t before = console_mask();
    void *block = __real_calloc(count, size);
    console_unmask(before);
    return block;
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size) {
    uint32_t before = console_mask();
    void *moved = __real_realloc(block, size);
    console_unmask(before);
    return moved;
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block) {
    uint32_t before = console_mask();
    __real_free(block);
    console_unmask(before);
}
