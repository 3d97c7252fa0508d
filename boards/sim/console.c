// The console and the clocks of the simulated board (instead of ports/unix/unix_mphal.c).

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "py/stream.h"

#include "console.h"

// As large as what the PC's side of a pty holds, so that nothing that a program sent is lost.
#define RX_SIZE (64 * 1024)
// A program on the PC that has the port open but does not read for so long loses output, as with
// a USB-serial chip whose buffer is full.
#define TX_STALL_MS (1000)
// While an interrupt is pending the main thread's system call is ended this often: the first
// signal may come just before the call begins.
#define WAKE_EVERY_MS (3)

int64_t console_clock_offset_ns;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    uint8_t bytes[RX_SIZE];
    size_t head, used;
    bool eof;
} rx = {.mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static volatile int interrupt_char = -1;
static int pty_master = -1, pty_slave = -1;
static int out_fd = STDOUT_FILENO;
static bool out_stalled;

// ---- Receiving ----

static void rx_put(const uint8_t *bytes, size_t count) {
    pthread_mutex_lock(&rx.mutex);
    for (size_t i = 0; i < count && rx.used < RX_SIZE; i++) {
        rx.bytes[(rx.head + rx.used++) % RX_SIZE] = bytes[i];
    }
    pthread_cond_broadcast(&rx.filled);
    pthread_mutex_unlock(&rx.mutex);
}

static bool interrupt_is_pending(void) {
    return MP_STATE_MAIN_THREAD(mp_pending_exception) ==
           MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_kbd_exception));
}

// Receives as the UART's interrupt handler does: the interrupt character is acted on at once.
static void *receive(void *arg) {
    bool tether = arg != NULL;
    for (;;) {
        struct pollfd fds[2] = {{.fd = pty_master, .events = POLLIN},
                                {.fd = tether ? STDIN_FILENO : -1, .events = POLLIN}};
        bool pending = interrupt_is_pending();
        if (pending) {
            mp_thread_wake_main();
        }
        poll(fds, 2, pending ? WAKE_EVERY_MS : -1);
        if (fds[1].revents != 0) {
            char byte;
            if (read(STDIN_FILENO, &byte, 1) == 0) {
                _exit(0);
            }
        }
        if ((fds[0].revents & POLLIN) == 0) {
            continue;
        }
        uint8_t buffer[512];
        ssize_t count = read(pty_master, buffer, sizeof(buffer));
        ssize_t start = 0;
        for (ssize_t i = 0; i < count; i++) {
            if (buffer[i] == interrupt_char) {
                rx_put(buffer + start, i - start);
                start = i + 1;
                mp_sched_keyboard_interrupt();
                mp_thread_wake_main();
                pthread_mutex_lock(&rx.mutex);
                pthread_cond_broadcast(&rx.filled);
                pthread_mutex_unlock(&rx.mutex);
            }
        }
        if (count > start) {
            rx_put(buffer + start, count - start);
        }
    }
    return NULL;
}

static int rx_get(void) {
    int c = -1;
    if (rx.used > 0) {
        c = rx.bytes[rx.head];
        rx.head = (rx.head + 1) % RX_SIZE;
        rx.used--;
    }
    return c;
}

int mp_hal_stdin_rx_chr(void) {
    if (pty_master < 0) {
        unsigned char c;
        ssize_t ret;
        MP_HAL_RETRY_SYSCALL(ret, read(STDIN_FILENO, &c, 1), {});
        return ret == 1 ? c : 4; // Ctrl-D at the end
    }
    for (;;) {
        pthread_mutex_lock(&rx.mutex);
        int c = rx_get();
        pthread_mutex_unlock(&rx.mutex);
        if (c >= 0) {
            return c;
        }
        // At the prompt nothing catches an exception: an interrupt that came too late is dropped.
        mp_handle_pending(interrupt_char >= 0);
        MP_THREAD_GIL_EXIT();
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100000000; // scheduled callbacks run at least this often
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_mutex_lock(&rx.mutex);
        if (rx.used == 0 && !(interrupt_is_pending() && interrupt_char >= 0)) {
            pthread_cond_timedwait(&rx.filled, &rx.mutex, &until);
        }
        pthread_mutex_unlock(&rx.mutex);
        MP_THREAD_GIL_ENTER();
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ret = poll_flags & MP_STREAM_POLL_WR;
    if (poll_flags & MP_STREAM_POLL_RD) {
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        if (pty_master < 0 ? poll(&fd, 1, 0) > 0 : rx.used > 0) {
            ret |= MP_STREAM_POLL_RD;
        }
    }
    return ret;
}

void mp_hal_set_interrupt_char(int c) {
    interrupt_char = c;
}

// ---- Sending ----

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    size_t sent = 0;
    MP_THREAD_GIL_EXIT();
    while (sent < len) {
        ssize_t ret = write(out_fd, str + sent, len - sent);
        if (ret >= 0) {
            sent += ret;
            out_stalled = false;
        } else if (errno == EAGAIN && !out_stalled) {
            struct pollfd fd = {.fd = out_fd, .events = POLLOUT};
            struct timespec begin, now;
            clock_gettime(CLOCK_MONOTONIC, &begin);
            int ready, waited_ms;
            do {
                ready = poll(&fd, 1, TX_STALL_MS);
                clock_gettime(CLOCK_MONOTONIC, &now);
                waited_ms =
                    (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;
            } while (ready < 0 && waited_ms < TX_STALL_MS);
            out_stalled = ready <= 0;
        } else if (errno != EINTR) {
            break;
        }
    }
    MP_THREAD_GIL_ENTER();
    return sent;
}

void mp_hal_stdout_tx_str(const char *str) {
    mp_hal_stdout_tx_strn(str, strlen(str));
}

void mp_hal_stdout_tx_strn_cooked(const char *str, size_t len) {
    if (pty_master < 0) {
        mp_hal_stdout_tx_strn(str, len);
        return;
    }
    for (size_t start = 0; start < len;) {
        const char *newline = memchr(str + start, '\n', len - start);
        size_t end = newline == NULL ? len : (size_t)(newline - str);
        if (end > start) {
            mp_hal_stdout_tx_strn(str + start, end - start);
        }
        if (newline != NULL) {
            mp_hal_stdout_tx_strn("\r\n", 2);
            end++;
        }
        start = end;
    }
}

// Messages of the core (a failed assertion, say) go where a board's ROM would print them.
static void print_error_strn(void *env, const char *str, size_t len) {
    (void)env;
    if (pty_master < 0) {
        if (write(STDERR_FILENO, str, len) < 0) {
            return;
        }
    } else {
        mp_hal_stdout_tx_strn_cooked(str, len);
    }
}

const mp_print_t mp_stderr_print = {NULL, print_error_strn};

// ---- Opening ----

static bool fail(const char *what) {
    fprintf(stderr, "wgdisplay: %s: %s\n", what, strerror(errno));
    return false;
}

static bool open_pty(void) {
    const char *inherited = getenv(CONSOLE_INHERIT);
    if (inherited != NULL && sscanf(inherited, "%d,%d", &pty_master, &pty_slave) == 2) {
        unsetenv(CONSOLE_INHERIT);
        return true;
    }
    pty_master = posix_openpt(O_RDWR | O_NOCTTY);
    if (pty_master < 0 || grantpt(pty_master) != 0 || unlockpt(pty_master) != 0) {
        return fail("no pty");
    }
    // Held open, so that the line settings and what is on the way outlive each program on the PC.
    pty_slave = open(ptsname(pty_master), O_RDWR | O_NOCTTY);
    if (pty_slave < 0) {
        return fail(ptsname(pty_master));
    }
    struct termios settings;
    tcgetattr(pty_slave, &settings);
    cfmakeraw(&settings);
    tcsetattr(pty_slave, TCSANOW, &settings);
    return true;
}

bool console_open_pty(const char *link, bool tether) {
    if (!open_pty()) {
        return false;
    }
    fcntl(pty_master, F_SETFL, O_NONBLOCK);
    fcntl(pty_master, F_SETFD, FD_CLOEXEC);
    fcntl(pty_slave, F_SETFD, FD_CLOEXEC);
    out_fd = pty_master;
    struct stat existing;
    if (lstat(link, &existing) == 0 && !S_ISLNK(existing.st_mode)) {
        errno = EEXIST;
        return fail(link);
    }
    // Made beside and renamed: a program on the PC never sees the link missing or half new.
    char beside[4096];
    snprintf(beside, sizeof(beside), "%s.%d", link, (int)getpid());
    unlink(beside);
    if (symlink(ptsname(pty_master), beside) != 0 || rename(beside, link) != 0) {
        unlink(beside);
        return fail(link);
    }
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int ret = pthread_create(&thread, NULL, receive, tether ? &rx : NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ret != 0) {
        errno = ret;
        return fail("no thread");
    }
    return true;
}

void console_keep_for_reset(void) {
    if (pty_master >= 0) {
        char value[32];
        snprintf(value, sizeof(value), "%d,%d", pty_master, pty_slave);
        setenv(CONSOLE_INHERIT, value, 1);
        fcntl(pty_master, F_SETFD, 0);
        fcntl(pty_slave, F_SETFD, 0);
    }
}

static void on_interrupt(int signal) {
    (void)signal;
    if (interrupt_is_pending()) {
        _exit(130); // the second one, and the first was not heard
    }
    mp_sched_keyboard_interrupt();
}

void console_open_stdio(void) {
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
}

// ---- Time ----

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000ULL + now.tv_nsec;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

mp_uint_t mp_hal_ticks_us(void) {
    return clock_ns(CLOCK_MONOTONIC) / 1000;
}

uint64_t mp_hal_time_ns(void) {
    return clock_ns(CLOCK_REALTIME) + console_clock_offset_ns;
}

// The C library's time() for the rest of the program, Mbed TLS above all (linker option --wrap): on
// the chip it is the board's clock, too.
time_t __wrap_time(time_t *out);

time_t __wrap_time(time_t *out) {
    time_t now = mp_hal_time_ns() / 1000000000ULL;
    if (out != NULL) {
        *out = now;
    }
    return now;
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = clock_ns(CLOCK_MONOTONIC) + ms * 1000000ULL;
    do {
        mp_handle_pending(true);
        MP_THREAD_GIL_EXIT();
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        if (now < end) {
            struct timespec rest = {(end - now) / 1000000000ULL, (end - now) % 1000000000ULL};
            nanosleep(&rest, NULL);
        }
        MP_THREAD_GIL_ENTER();
    } while (clock_ns(CLOCK_MONOTONIC) < end);
    mp_handle_pending(true);
}

void mp_hal_get_random(size_t n, void *buf) {
    for (size_t done = 0; done < n;) {
        ssize_t ret = getrandom((char *)buf + done, n - done, 0);
        if (ret > 0) {
            done += ret;
        } else if (errno != EINTR) {
            mp_raise_OSError(errno);
        }
    }
}
