// Threads of the simulated board: POSIX threads under a fair global lock, with a reliable stop of
// all of them at a soft reset. See threads.c.
#ifndef SIM_MPTHREADPORT_H
#define SIM_MPTHREADPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

// First come, first served: unlocking hands the mutex to the thread that has waited longest.
typedef struct _mp_thread_mutex_t {
    pthread_mutex_t guard; // over the fields below; held for some instructions only
    bool locked;
    struct _mp_thread_waiter_t *first, *last;
} mp_thread_mutex_t;

typedef pthread_mutex_t mp_thread_recursive_mutex_t;

void mp_thread_init(void);
// Stops all threads but the calling one (the main thread, which holds the global lock).
// Returns how many could not be stopped yet; they end when they next ask for the global lock.
int mp_thread_deinit(void);
void mp_thread_gc_others(void);
// Makes the main thread's system call, if it is in one, end with EINTR.
void mp_thread_wake_main(void);
// How many threads run Python code, the main thread included.
int mp_thread_count(void);

// The port's "disable interrupts": one lock for code that must not be entered twice.
void mp_thread_begin_atomic_section(void);
void mp_thread_end_atomic_section(void);

#endif
