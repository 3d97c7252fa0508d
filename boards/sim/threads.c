// Python threads of the simulated board (instead of ports/unix/mpthreadport.c).
//
// What the ESP32's FreeRTOS gives and plain POSIX mutexes don't:
// - The global lock is fair. A busy loop at the prompt must not starve the application's thread.
// - A soft reset stops all threads. Cancelling a POSIX thread anywhere can leave a lock of the C
//   library held for ever, so a thread is marked instead, and ends at the only gate that leads
//   back to Python: when it takes a mutex, the global lock above all. A signal ends its system
//   calls, so that it comes there soon. A marked thread never touches Python's heap again.

#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"

#define SIGNAL_SCAN (SIGRTMIN + 5) // scan your registers and stack for the collector
#define SIGNAL_WAKE (SIGRTMIN + 6) // come out of your system call

// A frame on x86-64 is two to four times one on the ESP32, so a stack size that suits the board
// is scaled. Below the limit that Python checks there is room for C code that doesn't check.
#define STACK_SCALE (sizeof(void *) == 8 ? 4 : 2)
#define STACK_MINIMUM (64 * 1024)
#define STACK_MARGIN (32 * 1024)
// How long a soft reset waits for the threads.
#define STOP_TIMEOUT_MS (2000)
// A waiting thread looks this often whether it has been marked.
#define WAIT_SLICE_MS (25)

typedef struct _mp_thread_waiter_t {
    pthread_cond_t granted_changed;
    bool granted;
    struct _mp_thread_waiter_t *next;
} waiter_t;

typedef struct _thread_t {
    pthread_t id;
    bool ready;         // has its thread state: may be scanned
    volatile bool doom; // must not run Python any more
    void *(*entry)(void *);
    void *arg; // a root pointer of the collector
    jmp_buf exit;
    struct _thread_t *next;
} thread_t;

static pthread_mutex_t atomic_mutex;
static thread_t *threads; // newest first, the main thread last
static thread_t main_thread;
static sem_t scan_done;
static __thread thread_t *self;
static __thread mp_state_thread_t *state;

void mp_thread_begin_atomic_section(void) {
    pthread_mutex_lock(&atomic_mutex);
}

void mp_thread_end_atomic_section(void) {
    pthread_mutex_unlock(&atomic_mutex);
}

static void on_scan(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)info;
    (void)context;
    int saved = errno;
    gc_helper_collect_regs_and_stack();
    sem_post(&scan_done);
    errno = saved;
}

static void on_wake(int signal) {
    (void)signal;
}

void mp_thread_init(void) {
    static bool once;
    if (!once) {
        once = true;
        mp_thread_recursive_mutex_init(&atomic_mutex);
        sem_init(&scan_done, 0, 0);
        struct sigaction scan = {.sa_sigaction = on_scan, .sa_flags = SA_SIGINFO | SA_RESTART};
        sigaction(SIGNAL_SCAN, &scan, NULL);
        struct sigaction wake = {.sa_handler = on_wake};
        sigaction(SIGNAL_WAKE, &wake, NULL);
    }
    main_thread = (thread_t){.id = pthread_self(), .ready = true};
    threads = &main_thread;
    self = &main_thread;
    state = &mp_state_ctx.thread;
}

int mp_thread_count(void) {
    mp_thread_begin_atomic_section();
    int count = 0;
    for (thread_t *th = threads; th != NULL; th = th->next) {
        count++;
    }
    mp_thread_end_atomic_section();
    return count;
}

void mp_thread_wake_main(void) {
    pthread_kill(main_thread.id, SIGNAL_WAKE);
}

int mp_thread_deinit(void) {
    mp_thread_begin_atomic_section();
    for (thread_t *th = threads; th != NULL; th = th->next) {
        th->doom = th != &main_thread;
    }
    mp_thread_end_atomic_section();
    int left = 0;
    for (int ms = 0; ms < STOP_TIMEOUT_MS; ms++) {
        left = 0;
        mp_thread_begin_atomic_section();
        for (thread_t *th = threads; th != NULL; th = th->next) {
            if (th != &main_thread) {
                left++;
                pthread_kill(th->id, SIGNAL_WAKE);
            }
        }
        mp_thread_end_atomic_section();
        if (left == 0) {
            break;
        }
        MP_THREAD_GIL_EXIT();
        usleep(1000);
        MP_THREAD_GIL_ENTER();
    }
    // What is left keeps its own record and frees it when it ends.
    mp_thread_begin_atomic_section();
    for (thread_t **link = &threads; *link != NULL;) {
        if (*link != &main_thread) {
            (*link)->ready = false;
            *link = (*link)->next;
        } else {
            link = &(*link)->next;
        }
    }
    mp_thread_end_atomic_section();
    return left;
}

void mp_thread_gc_others(void) {
    mp_thread_begin_atomic_section();
    for (thread_t *th = threads; th != NULL; th = th->next) {
        gc_collect_root(&th->arg, 1);
        if (th == self || !th->ready || th->doom) {
            continue;
        }
        if (pthread_kill(th->id, SIGNAL_SCAN) == 0) {
            while (sem_wait(&scan_done) != 0) {
            }
        }
    }
    mp_thread_end_atomic_section();
}

mp_state_thread_t *mp_thread_get_state(void) {
    return state;
}

void mp_thread_set_state(mp_state_thread_t *new_state) {
    state = new_state;
}

mp_uint_t mp_thread_get_id(void) {
    return (mp_uint_t)pthread_self();
}

void mp_thread_start(void) {
    mp_thread_begin_atomic_section();
    self->ready = true;
    mp_thread_end_atomic_section();
}

static void forget_self(void) {
    mp_thread_begin_atomic_section();
    for (thread_t **link = &threads; *link != NULL; link = &(*link)->next) {
        if (*link == self) {
            *link = self->next;
            break;
        }
    }
    mp_thread_end_atomic_section();
}

static void *run(void *arg) {
    self = arg;
    if (setjmp(self->exit) == 0) {
        self->entry(self->arg);
    }
    forget_self();
    free(self);
    return NULL;
}

mp_uint_t mp_thread_create(void *(*entry)(void *), void *arg, size_t *stack_size) {
    size_t size = MAX(*stack_size * STACK_SCALE, STACK_MINIMUM);
    thread_t *th = calloc(1, sizeof(thread_t));
    if (th == NULL) {
        mp_raise_OSError(ENOMEM);
    }
    th->entry = entry;
    th->arg = arg;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, size + STACK_MARGIN);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    *stack_size = size; // the new thread reads it at once
    mp_thread_begin_atomic_section();
    int ret = pthread_create(&th->id, &attr, run, th);
    mp_uint_t id = (mp_uint_t)th->id;
    if (ret == 0) {
        th->next = threads;
        threads = th;
    }
    mp_thread_end_atomic_section();
    pthread_attr_destroy(&attr);
    if (ret != 0) {
        free(th);
        mp_raise_OSError(ret);
    }
    return id;
}

// The thread leaves the list in run(), after its last use of Python's heap.
void mp_thread_finish(void) {
    mp_thread_begin_atomic_section();
    self->ready = false;
    mp_thread_end_atomic_section();
}

static void end_if_doomed(void) {
    if (self != NULL && self->doom) {
        longjmp(self->exit, 1);
    }
}

void mp_thread_mutex_init(mp_thread_mutex_t *mutex) {
    *mutex = (mp_thread_mutex_t){.guard = PTHREAD_MUTEX_INITIALIZER};
}

int mp_thread_mutex_lock(mp_thread_mutex_t *mutex, int wait) {
    end_if_doomed();
    pthread_mutex_lock(&mutex->guard);
    if (!mutex->locked) {
        mutex->locked = true;
        pthread_mutex_unlock(&mutex->guard);
        return 1;
    }
    if (!wait) {
        pthread_mutex_unlock(&mutex->guard);
        return 0;
    }
    waiter_t me = {.granted_changed = PTHREAD_COND_INITIALIZER};
    if (mutex->last != NULL) {
        mutex->last->next = &me;
    } else {
        mutex->first = &me;
    }
    mutex->last = &me;
    while (!me.granted) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_SLICE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&me.granted_changed, &mutex->guard, &until);
        if (!me.granted && self->doom) {
            waiter_t *previous = NULL;
            for (waiter_t *w = mutex->first; w != &me; w = w->next) {
                previous = w;
            }
            if (previous != NULL) {
                previous->next = me.next;
            } else {
                mutex->first = me.next;
            }
            if (mutex->last == &me) {
                mutex->last = previous;
            }
            break;
        }
    }
    pthread_mutex_unlock(&mutex->guard);
    if (self->doom) {
        if (me.granted) {
            mp_thread_mutex_unlock(mutex);
        }
        end_if_doomed();
    }
    return 1;
}

void mp_thread_mutex_unlock(mp_thread_mutex_t *mutex) {
    pthread_mutex_lock(&mutex->guard);
    waiter_t *next = mutex->first;
    if (next != NULL) {
        mutex->first = next->next;
        if (mutex->first == NULL) {
            mutex->last = NULL;
        }
        next->granted = true;
        pthread_cond_signal(&next->granted_changed);
    } else {
        mutex->locked = false;
    }
    pthread_mutex_unlock(&mutex->guard);
}

void mp_thread_recursive_mutex_init(mp_thread_recursive_mutex_t *mutex) {
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
}

int mp_thread_recursive_mutex_lock(mp_thread_recursive_mutex_t *mutex, int wait) {
    end_if_doomed();
    return (wait ? pthread_mutex_lock(mutex) : pthread_mutex_trylock(mutex)) == 0;
}

void mp_thread_recursive_mutex_unlock(mp_thread_recursive_mutex_t *mutex) {
    pthread_mutex_unlock(mutex);
}
