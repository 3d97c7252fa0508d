// Threads on the one CPU: round robin, switched by the timer's interrupt and where one waits. POSIX
// threads (idf_headers/pthread.h) are made of them, as far as the engine's task.c uses those.
#ifndef WG_XTENSA_THREADS_H
#define WG_XTENSA_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS_NEVER UINT64_MAX

// The longest turn while others could run, in microseconds; `slice=` in QEMU's -append is another.
#define THREADS_SLICE_US 250
void threads_set_slice(uint32_t us);

// In an interrupt: the registers of the thread that goes on now, for start.S. `wake_at`: when it
// must be asked again, in microseconds, or THREADS_NEVER.
const uint32_t *threads_next(uint64_t now, uint64_t *wake_at);

// In the timer's interrupt: those that wait for it go on.
void threads_tick(void);

// Waits for the next tick of the timer, while others run.
void threads_wait_for_tick(void);

// Could another thread run now?
bool threads_others_run(void);

// Calls `see` for the stack of each thread but the first, of those that have ended too; `used` is
// its stack pointer.
void threads_see_stacks(void (*see)(uint32_t *bottom, const char *used, const char *end));

#endif
