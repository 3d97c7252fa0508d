/*
 * The WebAssembly engine: modules, instances, calls, linear memory. Plain C; it knows no
 * MicroPython and no threads, but may be used from several as said below.
 *
 * Values are uint64_t: i32 zero-extended, f32 and f64 as their IEEE bit patterns.
 *
 * Functions that can fail return false or NULL and fill *error. An instance that trapped or ran out
 * of a quota is dead: its memory can still be read, calls are refused.
 *
 * Threads: one thread at a time uses an instance, but wg_instance_cancel() and
 * wg_instance_set_deadline(), which are for any thread at any time. A module is read-only and
 * shared freely.
 */
#ifndef WG_ENGINE_H
#define WG_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

typedef enum {
    WG_OK,
    WG_ERROR,       /* misuse: closed, dead, busy, no such export, wrong number of arguments */
    WG_MALFORMED,   /* not a WebAssembly binary */
    WG_INVALID,     /* the binary format, but against the typing rules */
    WG_UNSUPPORTED, /* WebAssembly that this engine doesn't run */
    WG_LINK,        /* an import is missing or of another type */
    WG_TRAP,        /* as the specification says; kind is the specification's name of the trap */
    WG_QUOTA,       /* kind: "cancelled", "deadline", "fuel", "pages", "heap", "memory" */
    WG_HOST,        /* a host function failed */
    WG_INTERRUPT,   /* the poll hook stopped the run */
} wg_code;

typedef struct {
    wg_code code;
    const char *kind; /* a constant string, or NULL */
    char message[WG_MESSAGE_SIZE];
    char function[WG_FUNCTION_NAME_SIZE]; /* where a trap was, as far as the module says; or "" */
} wg_error;

void wg_error_set(wg_error *error, wg_code code, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- Modules ---- */

typedef enum { WG_FUNC, WG_TABLE, WG_MEMORY, WG_GLOBAL } wg_kind;

/* A function type: parameters, then results, as letters "iIfF". */
typedef struct {
    const char *letters;
    uint16_t params;
    uint16_t results;
} wg_type;

typedef struct {
    const char *text; /* UTF-8, not ended by 0 */
    uint32_t size;
} wg_name;

typedef struct {
    uint32_t min;
    uint32_t max;
    bool has_max;
} wg_bounds;

/* What an import or an export is. */
typedef struct {
    wg_kind kind;
    uint32_t index;      /* in its index space */
    const wg_type *type; /* of a function */
    wg_bounds bounds;    /* of a table or a memory, in elements or pages */
    char letter;         /* of a global */
    bool mutable_;       /* of a global */
} wg_item;

typedef struct {
    wg_name module;
    wg_name name;
    wg_item item;
} wg_import;

typedef struct {
    wg_name name;
    wg_item item;
} wg_export;

typedef struct wg_module wg_module;

/* Copies the bytes, validates them and reads their lists. */
wg_module *wg_module_new(const void *bytes, size_t size, wg_error *error);

/* A module lives as long as somebody holds it; each instance does. One thread at a time, as under
 * the GIL: the chip has no atomic instruction for words in PSRAM. */
wg_module *wg_module_hold(wg_module *module);
void wg_module_release(wg_module *module);

size_t wg_module_imports(const wg_module *module, const wg_import **list);
size_t wg_module_exports(const wg_module *module, const wg_export **list);
bool wg_module_has_start(const wg_module *module);

/* All bytes that the module holds: its own and its lists'. */
size_t wg_module_size(const wg_module *module);

/*
 * Writes the name of a function, by the name section or else by an export: as much as fits, whole
 * UTF-8 characters, control characters as "?", ended by 0. false: it has none; name[0] is 0.
 */
bool wg_module_function_name(const wg_module *module, uint32_t index, char *name, size_t size);

/* Writes a type as "iiI:i", "f:" and so on, as much of it as fits; returns its length. */
size_t wg_type_write(const wg_type *type, char *text, size_t size);

/* ---- Instances ---- */

typedef struct wg_instance wg_instance;

/*
 * Calls host function `index`, the index in the list given to wg_instance_new(). It may use the
 * instance: its memory, and wg_instance_call() up to WG_MAX_DEPTH deep. false: the run ends with
 * *error.
 */
typedef bool (*wg_host)(void *context, uint32_t index, const uint64_t *args, size_t count,
                        uint64_t *result, wg_error *error);

/* Asked from time to time while wasm code runs. true: the run ends with WG_INTERRUPT. */
typedef bool (*wg_poll)(void *context);

/* A function that the host offers. type: as in wg_type_write(); at most one result. */
typedef struct {
    wg_name module;
    wg_name name;
    const char *type;
    size_t type_size;
} wg_offer;

typedef struct {
    uint32_t stack;        /* bytes of wasm stack; 0: WG_STACK_SIZE */
    uint32_t pages;        /* of linear memory; 0: WG_PAGES */
    uint32_t native_stack; /* bytes; 0: WG_NATIVE_STACK */
    uint32_t heap;         /* bytes of engine memory; 0: WG_HEAP_SIZE */
} wg_limits;

/*
 * A new instance with its own memory, globals and table, initialised from the segments. The start
 * function is not run.
 */
wg_instance *wg_instance_new(wg_module *module, const wg_offer *offers, size_t count,
                             const wg_limits *limits, wg_error *error);
void wg_instance_free(wg_instance *instance);

/*
 * Makes the instance as good as a new one: memory (its size too), globals and segments as after
 * instantiation, no fuel, deadline or cancel, not dead. The code that was compiled is kept; it
 * counts as engine memory, and the limit is that much higher from now on. Only when nothing runs.
 * false: with an error of code WG_ERROR if the last run ended in one that may have left the
 * compiler's work half done (heap, stack); free it.
 */
bool wg_instance_reset(wg_instance *instance, wg_error *error);

/* Who is asked. Either may be NULL. Not while a run is active. */
void wg_instance_set_hooks(wg_instance *instance, wg_host host, wg_poll poll, void *context);

/* Finds an exported function; UINT32_MAX if there is none. *type is its type. */
uint32_t wg_instance_find(const wg_instance *instance, const char *name, size_t size,
                          const wg_type **type);

/* The start function's index, or UINT32_MAX. */
uint32_t wg_instance_start_function(const wg_instance *instance);

/* Compiles all functions now, and not each at its first call. native_room: as for
 * wg_instance_call(). */
bool wg_instance_compile(wg_instance *instance, size_t native_room, wg_error *error);

/*
 * Calls a function by index. results has room for WG_MAX_RESULTS. The calling thread has
 * native_room bytes of stack left, of which the run takes at most limits.native_stack.
 */
bool wg_instance_call(wg_instance *instance, uint32_t function, const uint64_t *args, size_t count,
                      uint64_t *results, size_t native_room, wg_error *error);

/* ---- Runs that can be suspended ---- */

/* What a run has come to. */
typedef enum {
    WG_NO_EVENT,
    WG_HOST_CALL, /* it waits for wg_instance_answer(), or a run within this one */
    WG_PAUSED,    /* it has more to do */
    WG_HEAVY,     /* it has something to do that is not done in parts */
    WG_DONE,
    WG_FAILED,
} wg_event_kind;

typedef struct {
    wg_event_kind kind;
    uint32_t index; /* of the host function */
    size_t count;   /* of values: arguments or results */
    uint64_t values[WG_MAX_PARAMS];
    wg_error error; /* of WG_FAILED, and not set else */
} wg_event;

/* Can this engine's runs be suspended? Otherwise the rest of this part is not for use. */
bool wg_engine_suspends(void);

/*
 * Begins a run of a function, within the host call of the one that waits, if there is one. The
 * hooks are not used for it. On the way to its end it is suspended at each host call and holds no
 * native stack then: any thread may go on with it.
 */
bool wg_instance_begin(wg_instance *instance, uint32_t function, const uint64_t *args, size_t count,
                       wg_error *error);

/*
 * Goes on with the innermost run that was begun, paused or answered, until an event. most: 0, or
 * that is WG_PAUSED after about so many calls and loop iterations, and WG_HEAVY before a function
 * is compiled, so that native_room may be small, and before an operation on so many bytes that it
 * counts as more: then it goes on with a larger number or with 0. After WG_FAILED all runs around
 * it have ended, too.
 */
void wg_instance_go_on(wg_instance *instance, int32_t most, size_t native_room, wg_event *event);

/* The answer to the host call that the innermost run waits in. */
void wg_instance_answer(wg_instance *instance, uint64_t value);

/* Ends all runs with WG_FAILED, for this reason. */
void wg_instance_give_up(wg_instance *instance, const wg_error *why, wg_event *event);

/* The host function that the innermost run waits in, or UINT32_MAX: there is none, or it has more
 * to do. */
uint32_t wg_instance_waits_in(const wg_instance *instance);

/* Ends the run, and every later one, with WG_QUOTA "cancelled". Any thread, any time. */
void wg_instance_cancel(wg_instance *instance);
bool wg_instance_cancelled(const wg_instance *instance);

/*
 * Wall-clock time of each outermost run from its start (from now, for the one that is active), in
 * ms; negative: none. Any thread, any time.
 */
void wg_instance_set_deadline(wg_instance *instance, int32_t ms);

/* Time left of the active run in ms, at least 0; -1 if it has no deadline. */
int32_t wg_instance_time_left(const wg_instance *instance);

/* Calls and loop iterations of each outermost run (from now, for the one that is active);
 * negative: no limit. */
void wg_instance_set_fuel(wg_instance *instance, int64_t fuel);

/* Fills *error if the active run has to end, cancelled or past its deadline, and returns false. */
bool wg_instance_may_go_on(wg_instance *instance, wg_error *error);

/* Linear memory. Bounds are checked: WG_TRAP. The size is in bytes. */
size_t wg_instance_memory_size(const wg_instance *instance);
bool wg_instance_check(const wg_instance *instance, uint32_t pointer, size_t size, wg_error *error);
bool wg_instance_read(const wg_instance *instance, uint32_t pointer, void *to, size_t size,
                      wg_error *error);
bool wg_instance_write(wg_instance *instance, uint32_t pointer, const void *from, size_t size,
                       wg_error *error);

bool wg_instance_dead(const wg_instance *instance);
uint32_t wg_instance_native_stack(const wg_instance *instance);

/* Engine memory in use by an instance now, and at most so far, in bytes, without linear memory. */
size_t wg_instance_heap_used(const wg_instance *instance);
size_t wg_instance_heap_peak(const wg_instance *instance);

/* Milliseconds and microseconds of a clock that only goes forward; they wrap around. */
uint32_t wg_clock_ms(void);
uint32_t wg_clock_us(void);

#endif
