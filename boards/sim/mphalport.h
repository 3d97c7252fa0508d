// The simulated board's hardware layer, as MicroPython's core wants it (instead of the unix
// port's).
#ifndef SIM_MPHALPORT_H
#define SIM_MPHALPORT_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#ifndef CHAR_CTRL_C
#define CHAR_CTRL_C (3)
#endif

#define MICROPY_BEGIN_ATOMIC_SECTION() (mp_thread_begin_atomic_section(), 0xffffffff)
#define MICROPY_END_ATOMIC_SECTION(x)                                                              \
    (void)x;                                                                                       \
    mp_thread_end_atomic_section()

// Sleeps without the global lock. Not for the full time, because nothing else ends the sleep.
#define MICROPY_INTERNAL_WFE(timeout_ms)                                                           \
    do {                                                                                           \
        MP_THREAD_GIL_EXIT();                                                                      \
        usleep(500);                                                                               \
        MP_THREAD_GIL_ENTER();                                                                     \
    } while (0)

// The character that interrupts the running program, or -1.
void mp_hal_set_interrupt_char(int c);
void mp_hal_get_random(size_t n, void *buf);

static inline void mp_hal_delay_us(mp_uint_t us) {
    usleep(us);
}

#define mp_hal_ticks_cpu() ((mp_uint_t)mp_hal_ticks_us())

// Calls a blocking system call without the global lock; again if a signal ended it (PEP 475).
#define MP_HAL_RETRY_SYSCALL(ret, syscall, raise)                                                  \
    {                                                                                              \
        for (;;) {                                                                                 \
            MP_THREAD_GIL_EXIT();                                                                  \
            ret = syscall;                                                                         \
            int err = errno;                                                                       \
            MP_THREAD_GIL_ENTER();                                                                 \
            if (ret == -1) {                                                                       \
                if (err == EINTR) {                                                                \
                    mp_handle_pending(true);                                                       \
                    continue;                                                                      \
                }                                                                                  \
                raise;                                                                             \
            }                                                                                      \
            break;                                                                                 \
        }                                                                                          \
    }

#define RAISE_ERRNO(err_flag, error_val)                                                           \
    {                                                                                              \
        if (err_flag == -1) {                                                                      \
            mp_raise_OSError(error_val);                                                           \
        }                                                                                          \
    }

#endif
