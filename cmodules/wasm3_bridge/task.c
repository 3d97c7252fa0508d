/*
 * A native thread that runs an instance: POSIX threads on a PC; under ESP-IDF the same functions,
 * which make a FreeRTOS task on the core that MicroPython does not use.
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
#include <unistd.h>
#endif

typedef enum { IDLE, RUNNING, PARKED } wg_state;

/* What the owner wants of the thread. */
typedef enum { NOTHING, CALL, REPLY, FAIL, QUIT } wg_order;

struct wg_task {
    wg_instance *instance;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t wake;  /* the thread waits for an order */
    pthread_cond_t gone;  /* the owner waits for the thread's end */
    bool ended;           /* the thread touches the task no more */
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
    uint32_t parked_in; /* host function */
};

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
    event->type = type;
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

/* Waits for an order, or a cancel, or the deadline. */
static void wait_for_order(wg_task *task) {
    int32_t left = wg_instance_time_left(task->instance);
    if (left < 0) {
        pthread_cond_wait(&task->wake, &task->lock);
        return;
    }
    struct timespec until;
#if defined(ESP_PLATFORM)
    /* the only clock there is for this, which SNTP sets: so never wait long */
    left = left < 100 ? left : 100;
    clock_gettime(CLOCK_REALTIME, &until);
#else
    clock_gettime(CLOCK_MONOTONIC, &until);
#endif
    until.tv_sec += left / 1000;
    until.tv_nsec += (left % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&task->wake, &task->lock, &until);
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
    task->event = event;
    task->state = PARKED;
    task->parked_in = index;
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

static void *thread_main(void *context) {
    wg_task *task = context;
    wg_event event;
    yield_to_others();
    pthread_mutex_lock(&task->lock);
    while (!task->quit) {
        if (task->order == CALL) {
            run(task, &event);
            task->event = event;
            task->state = IDLE;
        } else {
            pthread_cond_wait(&task->wake, &task->lock);
        }
    }
    task->ended = true;
    pthread_cond_signal(&task->gone);
    pthread_mutex_unlock(&task->lock);
    return NULL;
}

#if defined(ESP_PLATFORM)
static bool make_thread(wg_task *task, size_t stack) {
    esp_pthread_cfg_t before;
    bool had = esp_pthread_get_cfg(&before) == ESP_OK;
    esp_pthread_cfg_t settings = esp_pthread_get_default_config();
    settings.stack_size = stack;
    settings.prio = WG_TASK_PRIORITY;
    settings.thread_name = "wasm3";
#if !CONFIG_FREERTOS_UNICORE
    settings.pin_to_core = WG_TASK_CORE;
#endif
    esp_pthread_set_cfg(&settings);
    bool made = pthread_create(&task->thread, NULL, thread_main, task) == 0;
    if (made) {
        /* ESP-IDF's join waits for any notification of the calling task, and MicroPython's main
         * task gets one with each character from the terminal: it would delete a thread at work */
        pthread_detach(task->thread);
    }
    if (had) {
        esp_pthread_set_cfg(&before);
    }
    return made;
}
#else
static bool make_thread(wg_task *task, size_t stack) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (stack < (size_t)PTHREAD_STACK_MIN) {
        stack = (size_t)PTHREAD_STACK_MIN;
    }
    pthread_attr_setstacksize(&attributes, (stack + 0xffff) & ~(size_t)0xffff);
    /* signals are for MicroPython's threads */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool made = pthread_create(&task->thread, &attributes, thread_main, task) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return made;
}
#endif

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
    pthread_cond_init(&task->gone, NULL);
    pthread_condattr_destroy(&attributes);
    return task;
}

void wg_task_free(wg_task *task) {
    if (task == NULL) {
        return;
    }
    wg_instance_cancel(task->instance);
    if (task->has_thread) {
        pthread_mutex_lock(&task->lock);
        task->quit = true;
        pthread_cond_signal(&task->wake);
        while (!task->ended) {
            pthread_cond_wait(&task->gone, &task->lock);
        }
        pthread_mutex_unlock(&task->lock);
#if !defined(ESP_PLATFORM)
        pthread_join(task->thread, NULL);
#endif
    }
    pthread_cond_destroy(&task->gone);
    pthread_cond_destroy(&task->wake);
    pthread_mutex_destroy(&task->lock);
    wg_heap_free(task);
}

static void give(wg_task *task, wg_order order) {
    task->order = order;
    task->state = RUNNING;
    pthread_cond_signal(&task->wake);
}

bool wg_task_start(wg_task *task, uint32_t function, const wg_type *type, const uint64_t *args,
                   size_t count, wg_error *error) {
    if (count > WG_MAX_PARAMS || count != type->params || type->results > WG_MAX_RESULTS) {
        wg_error_set(error, WG_ERROR, NULL, "the function takes %u arguments, not %u", type->params,
                     (unsigned)count);
        return false;
    }
    if (wg_instance_cancelled(task->instance)) {
        return wg_instance_may_go_on(task->instance, error);
    }
    if (!task->has_thread) {
        if (!make_thread(task, wg_instance_native_stack(task->instance) + WG_NATIVE_RESERVE)) {
            wg_error_set(error, WG_QUOTA, "memory", "there is not enough memory for a thread");
            return false;
        }
        task->has_thread = true;
    }
    pthread_mutex_lock(&task->lock);
    bool free_ = task->state != RUNNING && task->event.kind == WG_NO_EVENT;
    if (free_) {
        wg_instance_set_hooks(task->instance, park, NULL, task);
        task->function = function;
        task->type = type;
        if (count > 0) {
            memcpy(task->args, args, count * sizeof(*args));
        }
        give(task, CALL);
    }
    pthread_mutex_unlock(&task->lock);
    if (!free_) {
        wg_error_set(error, WG_ERROR, NULL,
                     "the instance is running, or poll() has news to be taken first");
    }
    return free_;
}

void wg_task_take(wg_task *task, wg_event *event) {
    pthread_mutex_lock(&task->lock);
    *event = task->event;
    task->event.kind = WG_NO_EVENT;
    pthread_mutex_unlock(&task->lock);
}

bool wg_task_has_event(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    bool has = task->event.kind != WG_NO_EVENT;
    pthread_mutex_unlock(&task->lock);
    return has;
}

static bool answer(wg_task *task, wg_order order, uint64_t value, const wg_error *why,
                   wg_error *error) {
    pthread_mutex_lock(&task->lock);
    bool parked = task->state == PARKED && task->event.kind == WG_NO_EVENT;
    if (parked) {
        task->value = value;
        if (why != NULL) {
            task->why = *why;
        }
        give(task, order);
    }
    pthread_mutex_unlock(&task->lock);
    if (!parked) {
        wg_error_set(error, WG_ERROR, NULL, "no host call is waiting for an answer");
    }
    return parked;
}

bool wg_task_reply(wg_task *task, uint64_t value, wg_error *error) {
    return answer(task, REPLY, value, NULL, error);
}

bool wg_task_fail(wg_task *task, const wg_error *why, wg_error *error) {
    return answer(task, FAIL, 0, why, error);
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
    uint32_t index = task->state == PARKED ? task->parked_in : UINT32_MAX;
    pthread_mutex_unlock(&task->lock);
    return index;
}

static void wake(wg_task *task) {
    pthread_mutex_lock(&task->lock);
    pthread_cond_signal(&task->wake);
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
