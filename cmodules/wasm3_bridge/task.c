/*
 * Runs of an instance, on the owner's thread for a moment, and else on one of their own: POSIX
 * threads on a PC; under ESP-IDF the same functions, which make a FreeRTOS task on the core that
 * MicroPython does not use.
 */
#include "task.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "heap.h"

#if defined(ESP_PLATFORM)
#include "esp_pthread.h"
#include "freertos/FreeRTOS.h"
#else
#include <signal.h>
#endif
#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#endif
#if !defined(ESP_PLATFORM)
#include <unistd.h>
#endif

/* Between two looks at what another processor may change. */
#if defined(__x86_64__) || defined(__i386__)
#define RELAX() __builtin_ia32_pause()
#else
#define RELAX() __asm__ volatile("" ::: "memory")
#endif

typedef enum { IDLE, RUNNING, PARKED } wg_state;

/* What the owner wants of the thread: GO_ON where runs can be suspended, else the other three. */
typedef enum { NOTHING, GO_ON, CALL, REPLY, FAIL } wg_order;

/* A thread. It serves a task until that has been idle for a while, and then waits for another one.
 */
typedef struct {
    wg_task *task;       /* NULL: it is the spare one */
    size_t stack;        /* bytes */
    pthread_cond_t wake; /* the spare one waits for a task */
} wg_worker;

/* What a condition's waiter knows of it. */
typedef struct {
    uint32_t count; /* how often it was signalled: looked at without the lock, too */
    uint8_t misses; /* how often in a row it was watched for nothing */
    uint8_t skip;   /* how often it is not watched for now */
} wg_signals;

static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static wg_worker *spare;

struct wg_task {
    wg_instance *instance;

    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t wake;  /* the thread waits for an order */
    pthread_cond_t news;  /* the owner waits for an event, or for the thread to go */
    wg_signals wakes;     /* of each */
    wg_signals told;
    bool served; /* a thread is here; else none touches the task */
    wg_state state;
    wg_order order;
    bool quit;

    /* With the order. */
    uint32_t function;
    const wg_type *type;
    uint64_t args[WG_MAX_PARAMS];
    uint64_t value;
    wg_error why;

    wg_event event;
    uint32_t parked_in; /* host function, where the thread waits for the answer */
};

/* Both sides hand over to each other several times in a run, mostly after some microseconds of
 * work: so whoever waits watches for so long before it asks the system to wake it up, which takes
 * longer than that. No use where one processor has to do both. */
static uint32_t watch_us(void) {
#if defined(ESP_PLATFORM)
#if CONFIG_FREERTOS_UNICORE
    return 0;
#else
    return WG_WATCH_US;
#endif
#else
    static uint32_t us = UINT32_MAX;
    uint32_t known = __atomic_load_n(&us, __ATOMIC_RELAXED);
    if (known == UINT32_MAX) {
        known = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? WG_WATCH_US : 0;
        __atomic_store_n(&us, known, __ATOMIC_RELAXED);
    }
    return known;
#endif
}

/* With the lock, so the count needs no atomic sum: the chip has none for words in PSRAM. */
static void notify(pthread_cond_t *condition, wg_signals *signals) {
    __atomic_store_n(&signals->count, signals->count + 1, __ATOMIC_RELEASE);
    pthread_cond_signal(condition);
}

static void wake_thread(wg_task *task) {
    notify(&task->wake, &task->wakes);
}

static void tell_owner(wg_task *task) {
    notify(&task->news, &task->told);
}

/* Watches for a signal, without the lock, for so long at most. true: there was one. After some
 * misses in a row, as when there are more threads than processors, it is left out for a while. */
static bool watch(wg_task *task, wg_signals *signals, uint32_t us) {
    uint32_t before = signals->count;
    us = us < watch_us() ? us : watch_us();
    if (signals->skip > 0) {
        signals->skip--;
        return false;
    }
    if (us == 0) {
        return false;
    }
    pthread_mutex_unlock(&task->lock);
    uint32_t since = wg_clock_us();
    bool changed;
    do {
        for (int i = 0; i < 16; i++) {
            RELAX();
        }
        changed = __atomic_load_n(&signals->count, __ATOMIC_ACQUIRE) != before;
    } while (!changed && wg_clock_us() - since < us);
    pthread_mutex_lock(&task->lock);
    changed = signals->count != before;
    if (changed) {
        signals->misses = 0;
    } else if (++signals->misses == WG_WATCH_MISSES) {
        signals->misses = 0;
        signals->skip = WG_WATCH_SKIPS;
    }
    return changed;
}

/* As much of an event as is set. */
static void copy(wg_event *to, const wg_event *from) {
    memcpy(to, from,
           from->kind == WG_FAILED
               ? sizeof(*from)
               : offsetof(wg_event, values) + from->count * sizeof(*from->values));
}

/* What the run has come to, for the owner. */
static void post(wg_task *task, const wg_event *event) {
    copy(&task->event, event);
    task->state = wg_instance_waits_in(task->instance) != UINT32_MAX ? PARKED : IDLE;
    tell_owner(task);
}

/* Ends the runs that wait, for this reason. */
static void give_up(wg_task *task, const wg_error *why) {
    wg_event event;
    wg_instance_give_up(task->instance, why, &event);
    post(task, &event);
}

/* ---- The thread ---- */

/* Runs what was ordered. The lock is held before and after, not meanwhile. true: it went well. */
static bool run(wg_task *task, wg_event *event) {
    uint64_t args[WG_MAX_PARAMS];
    uint64_t results[WG_MAX_RESULTS];
    memcpy(args, task->args, sizeof(args));
    uint32_t function = task->function;
    const wg_type *type = task->type;
    task->order = NOTHING;
    task->state = RUNNING;
    pthread_mutex_unlock(&task->lock);

    memset(event, 0, sizeof(*event));
    event->kind = WG_DONE;
    bool good = wg_instance_call(task->instance, function, args, type->params, results,
                                 wg_instance_native_stack(task->instance), &event->error);
    if (good) {
        event->count = type->results;
        memcpy(event->values, results, type->results * sizeof(*results));
    } else {
        event->kind = WG_FAILED;
    }

    pthread_mutex_lock(&task->lock);
    return good;
}

/* Waits for a condition of the task, for so long at most. It may be early. */
static void wait_for(wg_task *task, pthread_cond_t *condition, wg_signals *signals, uint32_t us) {
    if (watch(task, signals, us)) {
        return;
    }
    struct timespec until;
#if defined(ESP_PLATFORM)
    /* the only clock there is for this, which SNTP sets: so never wait long */
    us = us < 100000 ? us : 100000;
    clock_gettime(CLOCK_REALTIME, &until);
#else
    clock_gettime(CLOCK_MONOTONIC, &until);
#endif
    until.tv_sec += us / 1000000;
    until.tv_nsec += (us % 1000000) * 1000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_cond_timedwait(condition, &task->lock, &until);
}

/* Goes on with the run until it ends or waits. The lock is held before and after, not meanwhile. */
static void go_on(wg_task *task, wg_event *event) {
    task->order = NOTHING;
    task->state = RUNNING;
    pthread_mutex_unlock(&task->lock);
    wg_instance_go_on(task->instance, 0, wg_instance_native_stack(task->instance), event);
    pthread_mutex_lock(&task->lock);
    post(task, event);
}

/* Waits for an order, or a cancel, or the deadline. */
static void wait_for_order(wg_task *task) {
    int32_t left = wg_instance_time_left(task->instance);
    if (left < 0) {
        if (!watch(task, &task->wakes, UINT32_MAX)) {
            pthread_cond_wait(&task->wake, &task->lock);
        }
    } else {
        wait_for(task, &task->wake, &task->wakes,
                 left < 1000000 ? (uint32_t)left * 1000 : 1000000000);
    }
}

/* The instance calls a host function: park until the owner answers. Nested runs happen in here. */
static bool park(void *context, uint32_t index, const uint64_t *args, size_t count,
                 uint64_t *result, wg_error *error) {
    wg_task *task = context;
    wg_event event;
    memset(&event, 0, sizeof(event));
    event.kind = WG_HOST_CALL;
    event.index = index;
    event.count = count;
    memcpy(event.values, args, count * sizeof(*args));

    pthread_mutex_lock(&task->lock);
    copy(&task->event, &event);
    task->state = PARKED;
    task->parked_in = index;
    tell_owner(task);
    bool good = false;
    for (;;) {
        if (!wg_instance_may_go_on(task->instance, error)) {
            break;
        }
        if (task->order == CALL) {
            if (!run(task, &event)) {
                /* the instance is dead: the runs around this one end too, and the outermost tells
                 * why */
                *error = event.error;
                break;
            }
            task->event = event;
            task->state = PARKED;
            task->parked_in = index;
            tell_owner(task);
        } else if (task->order == REPLY) {
            *result = task->value;
            good = true;
            break;
        } else if (task->order == FAIL) {
            *error = task->why;
            break;
        } else {
            wait_for_order(task);
        }
    }
    task->order = NOTHING;
    task->event.kind = WG_NO_EVENT;
    task->state = RUNNING;
    pthread_mutex_unlock(&task->lock);
    return good;
}

/* Lets the threads that draw and answer come first. FreeRTOS has priorities and a core for each. */
static void yield_to_others(void) {
#if defined(__linux__)
    int before = getpriority(PRIO_PROCESS, 0);
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), before + WG_THREAD_NICE);
#endif
}

/* Serves a task until it has been idle for a while or its owner wants the thread gone. */
static void serve(wg_task *task) {
    wg_event event;
    pthread_mutex_lock(&task->lock);
    uint32_t idle_since = wg_clock_ms();
    while (!task->quit) {
        if (task->order == GO_ON) {
            go_on(task, &event);
            idle_since = wg_clock_ms();
        } else if (task->order == CALL) {
            run(task, &event);
            task->event = event;
            task->state = IDLE;
            tell_owner(task);
            idle_since = wg_clock_ms();
        } else if (task->state == PARKED) {
            /* stays: for the answer there may be no memory for another one */
            wait_for(task, &task->wake, &task->wakes, 100000);
            idle_since = wg_clock_ms();
        } else if (wg_clock_ms() - idle_since >= WG_IDLE_MS) {
            break;
        } else {
            wait_for(task, &task->wake, &task->wakes, WG_IDLE_MS * 1000);
        }
    }
    task->served = false;
    tell_owner(task);
    pthread_mutex_unlock(&task->lock);
}

/* Waits for another task, as the one thread that does so. false: there is one already. */
static bool wait_for_task(wg_worker *worker) {
    pthread_mutex_lock(&spare_lock);
    worker->task = NULL;
    bool stays = spare == NULL && worker->stack <= WG_NATIVE_STACK + WG_NATIVE_RESERVE;
    if (stays) {
        spare = worker;
        while (worker->task == NULL) {
            pthread_cond_wait(&worker->wake, &spare_lock);
        }
    }
    pthread_mutex_unlock(&spare_lock);
    return stays;
}

static void *thread_main(void *context) {
    wg_worker *worker = context;
    yield_to_others();
    do {
        serve(worker->task);
    } while (wait_for_task(worker));
    pthread_cond_destroy(&worker->wake);
    wg_heap_free(worker);
    return NULL;
}

/* Gives the task to the spare thread, if it has enough stack. */
static bool take_spare(wg_task *task, size_t stack) {
    pthread_mutex_lock(&spare_lock);
    bool fits = spare != NULL && spare->stack >= stack;
    if (fits) {
        spare->task = task;
        pthread_cond_signal(&spare->wake);
        spare = NULL;
    }
    pthread_mutex_unlock(&spare_lock);
    return fits;
}

/* Nobody joins the thread: ESP-IDF's pthread_join() waits for any notification of the calling task,
 * and MicroPython's main task gets one with each character from the terminal. */
#if defined(ESP_PLATFORM)
static bool make_thread(wg_worker *worker) {
    esp_pthread_cfg_t before;
    bool had = esp_pthread_get_cfg(&before) == ESP_OK;
    esp_pthread_cfg_t settings = esp_pthread_get_default_config();
    settings.stack_size = worker->stack;
    settings.prio = WG_TASK_PRIORITY;
    settings.thread_name = "wasm3";
#if !CONFIG_FREERTOS_UNICORE
    settings.pin_to_core = WG_TASK_CORE;
#endif
    esp_pthread_set_cfg(&settings);
    pthread_t thread;
    bool made = pthread_create(&thread, NULL, thread_main, worker) == 0;
    if (made) {
        pthread_detach(thread);
    }
    if (had) {
        esp_pthread_set_cfg(&before);
    }
    return made;
}
#else
static bool make_thread(wg_worker *worker) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    size_t stack = worker->stack;
    if (stack < (size_t)PTHREAD_STACK_MIN) {
        stack = (size_t)PTHREAD_STACK_MIN;
    }
    pthread_attr_setstacksize(&attributes, (stack + 0xffff) & ~(size_t)0xffff);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* signals are for MicroPython's threads */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    bool made = pthread_create(&thread, &attributes, thread_main, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return made;
}
#endif

/* A thread for the task: the spare one or a new one. */
static bool get_thread(wg_task *task) {
    size_t stack = wg_instance_native_stack(task->instance) + WG_NATIVE_RESERVE;
    if (take_spare(task, stack)) {
        return true;
    }
    wg_heap *payer = wg_heap_enter(NULL);
    wg_worker *worker = wg_heap_allocate(sizeof(*worker));
    wg_heap_enter(payer);
    if (worker == NULL) {
        return false;
    }
    worker->task = task;
    worker->stack = stack;
    pthread_cond_init(&worker->wake, NULL);
    if (!make_thread(worker)) {
        pthread_cond_destroy(&worker->wake);
        wg_heap_free(worker);
        return false;
    }
    return true;
}

/* ---- The owner ---- */

wg_task *wg_task_new(wg_instance *instance, wg_error *error) {
    wg_heap *payer = wg_heap_enter(NULL);
    wg_task *task = wg_heap_allocate(sizeof(*task));
    wg_heap_enter(payer);
    if (task == NULL) {
        wg_error_set(error, WG_QUOTA, "memory", "there is not enough memory for a task");
        return NULL;
    }
    task->instance = instance;
    pthread_mutex_init(&task->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#if !defined(ESP_PLATFORM)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    pthread_cond_init(&task->wake, &attributes);
    pthread_cond_init(&task->news, &attributes);
    pthread_condattr_destroy(&attributes);
    return task;
}

void wg_task_free(wg_task *task) {
    if (task == NULL) {
        return;
    }
    wg_instance_cancel(task->instance);
    pthread_mutex_lock(&task->lock);
    task->quit = true;
    wake_thread(task);
    while (task->served) {
        pthread_cond_wait(&task->news, &task->lock);
    }
    pthread_mutex_unlock(&task->lock);
    pthread_cond_destroy(&task->news);
    pthread_cond_destroy(&task->wake);
    pthread_mutex_destroy(&task->lock);
    wg_heap_free(task);
}

/* Makes sure that the task has a thread. */
static bool serve_task(wg_task *task, wg_error *error) {
    if (!task->served) {
        task->served = get_thread(task); /* which waits for the lock */
        if (!task->served) {
            wg_error_set(error, WG_QUOTA, "memory", "there is not enough memory for a thread");
        }
    }
    return task->served;
}

static void give(wg_task *task, wg_order order) {
    task->order = order;
    task->state = RUNNING;
    wake_thread(task);
}

/* Goes on with the run here, for a moment, and leaves the rest to the thread. The lock is held
 * before and after, not meanwhile; nobody else touches the task then. */
static void go_on_here(wg_task *task, size_t native_room) {
    const uint32_t brief_us = WG_BRIEF_US;
    wg_event event;
    event.kind = WG_HEAVY;
    if (brief_us > 0 && native_room > 0) {
        task->state = RUNNING;
        pthread_mutex_unlock(&task->lock);
        uint32_t since = wg_clock_us();
        do {
            wg_instance_go_on(task->instance, WG_BRIEF_SLICE, native_room, &event);
        } while (event.kind == WG_PAUSED && wg_clock_us() - since < brief_us);
        pthread_mutex_lock(&task->lock);
    }
    bool more = event.kind == WG_PAUSED || event.kind == WG_HEAVY;
    if (more && !serve_task(task, &event.error)) {
        wg_instance_give_up(task->instance, &event.error, &event);
        more = false;
    }
    if (more) {
        give(task, GO_ON);
    } else {
        post(task, &event);
    }
}

/* Begins a run that can be suspended. false: it can't begin, and nothing has changed. */
static bool begin(wg_task *task, uint32_t function, const uint64_t *args, size_t count,
                  size_t native_room, wg_error *error) {
    if (wg_instance_begin(task->instance, function, args, count, error)) {
        go_on_here(task, native_room);
    } else if (error->code == WG_ERROR) {
        return false;
    } else {
        give_up(task, error);
    }
    return true;
}

/* Hands a run to the thread, which waits for answers itself. */
static bool order_run(wg_task *task, uint32_t function, const wg_type *type, const uint64_t *args,
                      size_t count, wg_error *error) {
    if (!serve_task(task, error)) {
        return false;
    }
    wg_instance_set_hooks(task->instance, park, NULL, task);
    task->function = function;
    task->type = type;
    if (count > 0) {
        memcpy(task->args, args, count * sizeof(*args));
    }
    give(task, CALL);
    return true;
}

bool wg_task_start(wg_task *task, uint32_t function, const wg_type *type, const uint64_t *args,
                   size_t count, size_t native_room, wg_error *error) {
    if (count > WG_MAX_PARAMS || count != type->params || type->results > WG_MAX_RESULTS) {
        wg_error_set(error, WG_ERROR, NULL, "the function takes %u arguments, not %u", type->params,
                     (unsigned)count);
        return false;
    }
    if (wg_instance_cancelled(task->instance)) {
        return wg_instance_may_go_on(task->instance, error);
    }
    pthread_mutex_lock(&task->lock);
    bool started = false;
    if (task->state == RUNNING || task->event.kind != WG_NO_EVENT) {
        wg_error_set(error, WG_ERROR, NULL,
                     "the instance is running, or poll() has news to be taken first");
    } else if (wg_engine_suspends()) {
        started = begin(task, function, args, count, native_room, error);
    } else {
        started = order_run(task, function, type, args, count, error);
    }
    pthread_mutex_unlock(&task->lock);
    return started;
}

/* A run that waits for its host ends when it is cancelled or its time is over. Its thread would see
 * to that; where it has none, whoever asks does. */
static void end_if_due(wg_task *task) {
    wg_error why;
    if (wg_engine_suspends() && task->state == PARKED &&
        !wg_instance_may_go_on(task->instance, &why)) {
        give_up(task, &why);
    }
}

void wg_task_take(wg_task *task, uint32_t us, wg_event *event) {
    pthread_mutex_lock(&task->lock);
    if (us > 0 && task->event.kind == WG_NO_EVENT && task->state == RUNNING) {
        wait_for(task, &task->news, &task->told, us);
    }
    end_if_due(task);
    copy(event, &task->event);
    task->event.kind = WG_NO_EVENT;
    pthread_mutex_unlock(&task->lock);
}

bool wg_task_has_event(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    end_if_due(task);
    bool has = task->event.kind != WG_NO_EVENT;
    pthread_mutex_unlock(&task->lock);
    return has;
}

/* Hands the answer to the thread, which waits for it. */
static void order_answer(wg_task *task, uint64_t value, const wg_error *why) {
    task->value = value;
    if (why != NULL) {
        task->why = *why;
    }
    give(task, why == NULL ? REPLY : FAIL);
}

/* why: NULL, or why the run has to end. */
static bool answer(wg_task *task, uint64_t value, const wg_error *why, size_t native_room,
                   wg_error *error) {
    pthread_mutex_lock(&task->lock);
    bool parked = task->state == PARKED && task->event.kind == WG_NO_EVENT;
    if (!parked) {
        wg_error_set(error, WG_ERROR, NULL, "no host call is waiting for an answer");
    } else if (!wg_engine_suspends()) {
        order_answer(task, value, why);
    } else {
        end_if_due(task);
        if (task->state == PARKED && why == NULL) {
            wg_instance_answer(task->instance, value);
            go_on_here(task, native_room);
        } else if (task->state == PARKED) {
            give_up(task, why);
        }
    }
    pthread_mutex_unlock(&task->lock);
    return parked;
}

bool wg_task_reply(wg_task *task, uint64_t value, size_t native_room, wg_error *error) {
    return answer(task, value, NULL, native_room, error);
}

bool wg_task_fail(wg_task *task, const wg_error *why, wg_error *error) {
    return answer(task, 0, why, 0, error);
}

bool wg_task_at_rest(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    bool rest = task->state != RUNNING;
    pthread_mutex_unlock(&task->lock);
    return rest;
}

bool wg_task_idle(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    bool idle = task->state == IDLE && task->event.kind == WG_NO_EVENT;
    pthread_mutex_unlock(&task->lock);
    return idle;
}

bool wg_task_parked(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    bool parked = task->state == PARKED && task->event.kind == WG_NO_EVENT;
    pthread_mutex_unlock(&task->lock);
    return parked;
}

uint32_t wg_task_parked_in(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    uint32_t index = UINT32_MAX;
    if (task->state == PARKED) {
        index = wg_engine_suspends() ? wg_instance_waits_in(task->instance) : task->parked_in;
    }
    pthread_mutex_unlock(&task->lock);
    return index;
}

static void wake(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    wake_thread(task);
    pthread_mutex_unlock(&task->lock);
}

void wg_task_cancel(wg_task *task) {
    wg_instance_cancel(task->instance);
    wake(task);
}

void wg_task_set_deadline(wg_task *task, int32_t ms) {
    wg_instance_set_deadline(task->instance, ms);
    wake(task);
}
