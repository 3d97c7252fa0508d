/*
 * Runs of an instance without waiting for them, and the mailbox between whoever works at them and
 * the one thread that owns the task.
 *
 *               start()                        host function called
 *   IDLE  ------------------>  RUNNING  ------------------------------>  PARKED
 *    ^                          |   ^                                     |  ^
 *    |   run ended: an event    |   |        reply(), fail()              |  | nested run ended:
 *    +--------------------------+   +-------------------------------------+  | an event
 *                                   |        start(): a nested run           |
 *                                   +----------------------------------------+
 *
 * A run begins on the owner's thread, and goes on there after each answer, for a moment
 * (WG_BRIEF_US): a task has a native thread only for what takes longer. Where the engine's runs
 * can't be suspended it has one for all, which waits for the answers itself.
 *
 * All functions are the owner's and take a moment at most, but wg_task_cancel(), which any thread
 * may call; wg_task_take(), which waits if it is asked to; and wg_task_free(), which waits until
 * the thread has gone: it has to, at once, since everything it does can be cancelled. One thread
 * that has nothing to do waits for the next task of any instance; more of them end. The thread
 * itself calls nothing of the owner's.
 */
#ifndef WG_TASK_H
#define WG_TASK_H

#include "engine.h"

typedef struct wg_task wg_task;

/* A thread comes when there is something to do for it, and goes when it was idle for WG_IDLE_MS.
 * Where runs can't be suspended, the instance's hooks are the task's. */
wg_task *wg_task_new(wg_instance *instance, wg_error *error);

/* Cancels, waits for the thread, and frees all but the instance. */
void wg_task_free(wg_task *task);

/* Begins a call: when idle or, nested, when parked. native_room: bytes of stack that this thread
 * can give to the run's beginning; 0: it is left to the other one. */
bool wg_task_start(wg_task *task, uint32_t function, const wg_type *type, const uint64_t *args,
                   size_t count, size_t native_room, wg_error *error);

/* Takes the next event, if there is one, or waits up to `us` microseconds for it. Each is given
 * once. */
void wg_task_take(wg_task *task, uint32_t us, wg_event *event);

/* Is there an event? */
bool wg_task_has_event(wg_task *task);

/* Answers the host call that the task is parked in: with a value, or with an error that ends the
 * run. native_room: as in wg_task_start(). */
bool wg_task_reply(wg_task *task, uint64_t value, size_t native_room, wg_error *error);
bool wg_task_fail(wg_task *task, const wg_error *why, wg_error *error);

/* Is the instance the owner's to use: idle or parked? */
bool wg_task_at_rest(wg_task *task);

/* Is it idle, with all news taken? */
bool wg_task_idle(wg_task *task);

/* Is the task parked in a host call that has been taken? */
bool wg_task_parked(wg_task *task);

/* The host function that the task is parked in, or UINT32_MAX. */
uint32_t wg_task_parked_in(wg_task *task);

/* Cancels the instance. A run that is parked ends: then, or when its news are asked for. */
void wg_task_cancel(wg_task *task);

/* Sets the deadline, as wg_instance_set_deadline(), also of a task that is parked. */
void wg_task_set_deadline(wg_task *task, int32_t ms);

#endif
