/* The WebAssembly engine: instances of modules, run by wasm3. */
#include "engine.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "heap.h"
#include "module.h"
#include "wasm3_compat.h"

#if defined(ESP_PLATFORM)
#include "esp_timer.h"
#endif

/* A run that can be suspended. */
typedef struct {
    enum { FRESH, PAUSED, WAITS, ANSWERED } state;
    uint32_t function;
    uint32_t calls; /* the imported function that it waits in */
    wg_m3_suspension at;
} wg_run;

struct wg_instance {
    wg_module *module;
    wg_heap heap;
    wg_limits limits;
    IM3Environment environment;
    IM3Runtime runtime;
    IM3Module linked;   /* wasm3's module, which the runtime owns once it is loaded */
    uint32_t *segments; /* sizes of the data segments, for a reset */
    bool unsound;       /* ended in the middle of wasm3's own work: no reset */
    size_t initial;     /* engine memory of the new instance, before anything was compiled */
    uint32_t *offers;   /* of each imported function, the index of the host's */
    wg_host host;
    wg_poll poll;
    void *context;
    unsigned depth; /* runs that are active within each other */
    bool dead;

    wg_run runs[WG_MAX_DEPTH];    /* those that can be suspended, the innermost is the last */
    bool suspends;                /* the one that is at work can be */
    int32_t most;                 /* and is to be after so many units; 0: no matter how many */
    uint64_t args[WG_MAX_PARAMS]; /* of a fresh run, or of a host call */
    uint64_t value;               /* the answer */

    wg_error error;    /* why the run ends, when wasm3's result is one of the engine's own */
    int64_t fuel;      /* of each outermost run; negative: no limit */
    int64_t fuel_left; /* of the active one, without what is granted */
    int32_t granted;   /* what the slice was filled with */

    /* For any thread. Times are of wg_clock_ms(). */
    int cancelled;
    int running;
    int32_t deadline_ms; /* of each outermost run; negative: none */
    int has_deadline;    /* of the active run */
    uint32_t deadline_at;
};

#define GET(FIELD) __atomic_load_n(&(FIELD), __ATOMIC_ACQUIRE)
#define SET(FIELD, VALUE) __atomic_store_n(&(FIELD), (VALUE), __ATOMIC_RELEASE)

/* Results of wasm3 for what the engine itself ends; instance->error says more. */
static const char *const ended = "[wg] ended by the host";

/* ---- Time ---- */

static uint64_t clock_us(void) {
#if defined(ESP_PLATFORM)
    return (uint64_t)esp_timer_get_time();
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
#endif
}

uint32_t wg_clock_ms(void) {
    return (uint32_t)(clock_us() / 1000);
}

uint32_t wg_clock_us(void) {
    return (uint32_t)clock_us();
}

/* ---- Ending a run ---- */

bool wg_instance_may_go_on(wg_instance *instance, wg_error *error) {
    if (GET(instance->cancelled)) {
        wg_error_set(error, WG_QUOTA, "cancelled", "the run was cancelled");
        return false;
    }
    if (wg_instance_time_left(instance) == 0) {
        wg_error_set(error, WG_QUOTA, "deadline", "the run took longer than its deadline of %ld ms",
                     (long)GET(instance->deadline_ms));
        return false;
    }
    return true;
}

static void grant(wg_instance *instance) {
    int32_t slice = instance->most > 0 ? instance->most : WG_SLICE;
    if (instance->fuel >= 0 && instance->fuel_left < slice) {
        slice = (int32_t)instance->fuel_left;
    }
    instance->granted = slice;
    wg_m3_header(instance->runtime)->slice = slice;
}

/* Takes what was used of the slice from the fuel. */
static void settle(wg_instance *instance) {
    if (instance->fuel >= 0) {
        instance->fuel_left -= (int64_t)instance->granted - wg_m3_header(instance->runtime)->slice;
    }
    instance->granted = wg_m3_header(instance->runtime)->slice = 0;
}

/* The slice is used up. */
static const void *interrupt(IM3Runtime runtime) {
    wg_instance *instance = m3_GetUserData(runtime);
    if (!wg_instance_may_go_on(instance, &instance->error)) {
        return ended;
    }
    int32_t used = instance->granted - wg_m3_header(runtime)->slice;
    if (instance->fuel >= 0 && used > instance->fuel_left) {
        wg_error_set(&instance->error, WG_QUOTA, "fuel", "the run used up its fuel");
        return ended;
    }
    if (instance->suspends && instance->most > 0) {
        /* settled there: an operation on many bytes takes its part back */
        return wg_m3_suspended();
    }
    settle(instance);
    if (!instance->suspends && instance->poll != NULL && instance->poll(instance->context)) {
        wg_error_set(&instance->error, WG_INTERRUPT, NULL, "the run was interrupted");
        return ended;
    }
    grant(instance);
    return NULL;
}

void wg_instance_cancel(wg_instance *instance) {
    SET(instance->cancelled, 1);
}

bool wg_instance_cancelled(const wg_instance *instance) {
    return GET(instance->cancelled) != 0;
}

void wg_instance_set_deadline(wg_instance *instance, int32_t ms) {
    __atomic_store_n(&instance->deadline_ms, ms, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&instance->running, __ATOMIC_SEQ_CST)) {
        SET(instance->deadline_at, wg_clock_ms() + (uint32_t)ms);
        __atomic_store_n(&instance->has_deadline, ms >= 0, __ATOMIC_SEQ_CST);
    }
}

int32_t wg_instance_time_left(const wg_instance *instance) {
    if (!GET(instance->has_deadline)) {
        return -1;
    }
    int32_t left = (int32_t)(GET(instance->deadline_at) - wg_clock_ms());
    return left > 0 ? left : 0;
}

void wg_instance_set_fuel(wg_instance *instance, int64_t fuel) {
    instance->fuel = fuel;
    if (instance->depth > 0) {
        instance->fuel_left = fuel;
        grant(instance);
    }
}

/* ---- Errors of wasm3 ---- */

typedef struct {
    const char *const *result;
    const char *kind;
} wg_trap_kind;

/* The specification's names, but the first, which is also the engine's own for reads and writes
 * from the host. */
static const char *const out_of_bounds = "memory access out of bounds";

static const wg_trap_kind trap_kinds[] = {
    {&m3Err_trapOutOfBoundsMemoryAccess, "memory access out of bounds"},
    {&m3Err_trapDivisionByZero, "integer divide by zero"},
    {&m3Err_trapIntegerOverflow, "integer overflow"},
    {&m3Err_trapIntegerConversion, "invalid conversion to integer"},
    {&m3Err_trapIndirectCallTypeMismatch, "indirect call type mismatch"},
    {&m3Err_trapTableIndexOutOfRange, "undefined element"},
    {&m3Err_trapTableElementIsNull, "uninitialized element"},
    {&m3Err_trapTableOutOfBounds, "out of bounds table access"},
    {&m3Err_trapUnreachable, "unreachable"},
    {&m3Err_trapStackOverflow, "call stack exhausted"},
};

/* What a result of wasm3 means. `what` is what was tried, as in "the call". */
static void explain(wg_instance *instance, M3Result result, const char *what, wg_error *error) {
    if (result == ended) {
        if (error != &instance->error) {
            *error = instance->error;
        }
        return;
    }
    for (size_t i = 0; i < sizeof(trap_kinds) / sizeof(*trap_kinds); i++) {
        if (result == *trap_kinds[i].result) {
            wg_error_set(error, WG_TRAP, trap_kinds[i].kind, "wasm trap: %s", trap_kinds[i].kind);
            return;
        }
    }
    if (instance->heap.starved) {
        wg_error_set(error, WG_QUOTA, "memory", "there is not enough memory for %s", what);
        return;
    }
    if (instance->heap.refused || result == m3Err_mallocFailed ||
        result == m3Err_mallocFailedCodePage) {
        wg_error_set(error, WG_QUOTA, "heap",
                     "%s needs more engine memory than the %u bytes it may have", what,
                     (unsigned)instance->limits.heap);
        return;
    }
    if (result == m3Err_functionStackOverflow) {
        wg_error_set(error, WG_UNSUPPORTED, "limit",
                     "a function of the module is too large for this engine");
        return;
    }
    wg_error_set(error, WG_UNSUPPORTED, NULL, "%s failed: %s", what, result);
}

/* ---- Host functions ---- */

/* Where the host function's caller looks for it: a place that moves when a nested call makes the
 * stack grow. */
static void leave_result(IM3Runtime runtime, const wg_type *type, uint64_t result) {
    uint64_t *stack = wg_m3_host_frame(runtime);
    if (type->results == 1) {
        bool narrow = type->letters[type->params] == 'i' || type->letters[type->params] == 'f';
        if (narrow) {
            *(uint32_t *)stack = (uint32_t)result;
        } else {
            *stack = result;
        }
    }
}

static const void *call_host(IM3Runtime runtime, IM3ImportContext import, uint64_t *stack,
                             void *memory) {
    (void)memory;
    wg_instance *instance = m3_GetUserData(runtime);
    uint32_t index = wg_m3_function_index(instance->linked, import->function);
    const wg_type *type = instance->module->functions[index];
    uint64_t args[WG_MAX_PARAMS];
    uint64_t result = 0;
    /* results first, then parameters; of 32-bit values, the other half is undefined */
    for (unsigned i = 0; i < type->params; i++) {
        bool narrow = type->letters[i] == 'i' || type->letters[i] == 'f';
        args[i] = narrow ? *(uint32_t *)&stack[type->results + i] : stack[type->results + i];
    }
    if (instance->suspends) {
        memcpy(instance->args, args, type->params * sizeof(*args));
        wg_run *run = &instance->runs[instance->depth - 1];
        run->calls = index;
        run->state = WAITS;
        return wg_m3_suspended();
    }
    if (instance->host == NULL) {
        wg_error_set(&instance->error, WG_HOST, NULL,
                     "the module called the host, which has no functions");
        return ended;
    }
    wg_heap *payer = wg_heap_enter(NULL);
    bool good = instance->host(instance->context, instance->offers[index], args, type->params,
                               &result, &instance->error);
    wg_heap_enter(payer);
    /* not on if a nested call failed and the host function made light of it, nor if it cancelled */
    if (!good || instance->dead || !wg_instance_may_go_on(instance, &instance->error)) {
        return ended;
    }
    leave_result(runtime, type, result);
    return NULL;
}

static bool same_name(wg_name a, wg_name b) {
    return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

/* Finds the host's function for an imported one. */
static bool resolve(const wg_import *import, const wg_offer *offers, size_t count, uint32_t *offer,
                    wg_error *error) {
    int module_size = import->module.size < 64 ? (int)import->module.size : 64;
    int name_size = import->name.size < 64 ? (int)import->name.size : 64;
    static const char *const kinds[] = {"function", "table", "memory", "global"};
    if (import->item.kind != WG_FUNC) {
        wg_error_set(error, WG_LINK, NULL,
                     "the module imports the %s \"%.*s\" \"%.*s\"; only functions can be imported",
                     kinds[import->item.kind], module_size, import->module.text, name_size,
                     import->name.text);
        return false;
    }
    const wg_type *type = import->item.type;
    char text[WG_MAX_PARAMS + 4];
    size_t length = wg_type_write(type, text, sizeof(text));
    bool named = false;
    for (size_t i = 0; i < count; i++) {
        if (same_name(offers[i].module, import->module) &&
            same_name(offers[i].name, import->name)) {
            named = true;
            if (length < sizeof(text) && offers[i].type_size == length &&
                memcmp(offers[i].type, text, length) == 0 && type->params <= WG_MAX_PARAMS &&
                type->results <= 1) {
                *offer = (uint32_t)i;
                return true;
            }
        }
    }
    wg_error_set(error, WG_LINK, NULL,
                 named ? "the import \"%.*s\" \"%.*s\" has the type \"%s\", which is not that of "
                         "the host's function"
                       : "the host has no function \"%.*s\" \"%.*s\" (of type \"%s\")",
                 module_size, import->module.text, name_size, import->name.text, text);
    return false;
}

/* ---- Instances ---- */

static uint32_t or_default(uint32_t value, uint32_t otherwise) {
    return value != 0 ? value : otherwise;
}

/* A C string of a name, for wasm3, whose own are such too; to be freed. */
static char *c_string(wg_name name) {
    char *text = wg_heap_allocate(name.size + 1);
    if (text != NULL) {
        memcpy(text, name.text, name.size);
    }
    return text;
}

static M3Result link_import(wg_instance *instance, const wg_import *import) {
    char *module = c_string(import->module);
    char *name = c_string(import->name);
    M3Result result = m3Err_mallocFailed;
    if (module != NULL && name != NULL) {
        result = m3_LinkRawFunctionEx(instance->linked, module, name, NULL, call_host, NULL);
    }
    wg_heap_free(module);
    wg_heap_free(name);
    return result;
}

/* Notes what a reset needs, before loading drops the active segments. */
static bool keep_segments(wg_instance *instance, IM3Module parsed) {
    instance->segments = wg_heap_allocate((parsed->numDataSegments + 1) * sizeof(uint32_t));
    if (instance->segments == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < parsed->numDataSegments; i++) {
        instance->segments[i] = wg_m3_segment_size(parsed, i);
    }
    return true;
}

static bool instantiate(wg_instance *instance, const wg_offer *offers, size_t count,
                        wg_error *error) {
    wg_module *module = instance->module;
    instance->offers =
        wg_heap_allocate((module->imported_functions + 1) * sizeof(*instance->offers));
    instance->environment = m3_NewEnvironment();
    if (instance->environment != NULL) {
        instance->runtime = m3_NewRuntime(instance->environment, instance->limits.stack, instance);
    }
    if (instance->runtime == NULL || instance->offers == NULL) {
        explain(instance, m3Err_mallocFailed, "the instance", error);
        return false;
    }
    wg_m3_set_limits(instance->runtime, instance->limits.pages, interrupt);
    for (size_t i = 0; i < module->imports_count; i++) {
        uint32_t offer = 0;
        if (!resolve(&module->imports[i], offers, count, &offer, error)) {
            return false;
        }
        instance->offers[module->imports[i].item.index] = offer;
    }
    if (module->memories_count > 0 && module->memories[0].bounds.min > instance->limits.pages) {
        wg_error_set(error, WG_QUOTA, "pages",
                     "the module begins with %u pages of memory; the limit is %u",
                     (unsigned)module->memories[0].bounds.min, (unsigned)instance->limits.pages);
        return false;
    }
    IM3Module parsed = NULL;
    M3Result result =
        m3_ParseModule(instance->environment, &parsed, module->bytes, (uint32_t)module->size);
    if (result == m3Err_none && parsed->numFunctions != module->functions_count) {
        result = m3Err_wasmMalformed;
    }
    if (result == m3Err_none && !keep_segments(instance, parsed)) {
        result = m3Err_mallocFailed;
    }
    if (result == m3Err_none) {
        result = m3_LoadModule(instance->runtime, parsed);
    }
    if (result != m3Err_none) {
        explain(instance, result, "reading the module", error);
        if (error->code == WG_UNSUPPORTED && error->kind == NULL) {
            error->code = WG_MALFORMED;
        }
        m3_FreeModule(parsed);
        return false;
    }
    instance->linked = parsed;
    wg_m3_forget_start(parsed);
    for (size_t i = 0; i < module->imports_count; i++) {
        result = link_import(instance, &module->imports[i]);
        if (result != m3Err_none) {
            explain(instance, result, "linking the module", error);
            return false;
        }
    }
    return true;
}

wg_instance *wg_instance_new(wg_module *module, const wg_offer *offers, size_t count,
                             const wg_limits *limits, wg_error *error) {
    wg_heap *payer = wg_heap_enter(NULL);
    wg_instance *instance = wg_heap_allocate(sizeof(*instance));
    if (instance == NULL) {
        wg_heap_enter(payer);
        wg_error_set(error, WG_QUOTA, "memory", "there is not enough memory for an instance");
        return NULL;
    }
    instance->module = wg_module_hold(module);
    instance->limits.stack = or_default(limits->stack, WG_STACK_SIZE);
    instance->limits.pages = or_default(limits->pages, WG_PAGES);
    instance->limits.native_stack = or_default(limits->native_stack, WG_NATIVE_STACK);
    instance->limits.heap = or_default(limits->heap, WG_HEAP_SIZE);
    instance->heap.limit = instance->limits.heap;
    instance->fuel = -1;
    instance->deadline_ms = -1;
    wg_heap_enter(&instance->heap);
    bool good = instantiate(instance, offers, count, error);
    wg_heap_enter(payer);
    if (!good) {
        wg_instance_free(instance);
        return NULL;
    }
    instance->initial = instance->heap.used;
    return instance;
}

void wg_instance_free(wg_instance *instance) {
    if (instance == NULL) {
        return;
    }
    m3_FreeRuntime(instance->runtime);
    m3_FreeEnvironment(instance->environment);
    wg_heap_free(instance->offers);
    wg_heap_free(instance->segments);
    wg_module_release(instance->module);
    wg_heap_free(instance);
}

void wg_instance_set_hooks(wg_instance *instance, wg_host host, wg_poll poll, void *context) {
    instance->host = host;
    instance->poll = poll;
    instance->context = context;
}

uint32_t wg_instance_find(const wg_instance *instance, const char *name, size_t size,
                          const wg_type **type) {
    const wg_module *module = instance->module;
    for (size_t i = 0; i < module->exports_count; i++) {
        const wg_export *candidate = &module->exports[i];
        if (candidate->item.kind == WG_FUNC && candidate->name.size == size &&
            memcmp(candidate->name.text, name, size) == 0) {
            *type = candidate->item.type;
            return candidate->item.index;
        }
    }
    return UINT32_MAX;
}

uint32_t wg_instance_start_function(const wg_instance *instance) {
    return instance->module->start_function;
}

/* ---- Calls ---- */

/* Did a run end where only the program was at work? A compiler that gave up is not trusted. */
static bool ended_soundly(const wg_error *error) {
    if (error->code == WG_TRAP) {
        return strcmp(error->kind, "call stack exhausted") != 0;
    }
    if (error->code == WG_QUOTA) {
        return strcmp(error->kind, "cancelled") == 0 || strcmp(error->kind, "deadline") == 0 ||
               strcmp(error->kind, "fuel") == 0;
    }
    return error->code == WG_HOST || error->code == WG_INTERRUPT;
}

bool wg_instance_reset(wg_instance *instance, wg_error *error) {
    if (instance->depth > 0) {
        wg_error_set(error, WG_ERROR, NULL, "the instance is running");
        return false;
    }
    if (instance->unsound) {
        wg_error_set(
            error, WG_ERROR, NULL,
            "this instance can't be reset after the error that it ended in; make a new one");
        return false;
    }
    instance->dead = true; /* should this fail */
    wg_heap *payer = wg_heap_enter(&instance->heap);
    instance->heap.refused = instance->heap.starved = false;
    M3Result result = wg_m3_reset(instance->runtime, instance->linked, instance->segments);
    wg_heap_enter(payer);
    if (result != m3Err_none) {
        instance->unsound = true;
        explain(instance, result, "the reset", error);
        return false;
    }
    instance->heap.peak = instance->heap.used;
    /* what was compiled before is not taken from the next run, which may need other functions */
    instance->heap.limit = instance->limits.heap + (instance->heap.used - instance->initial);
    instance->fuel = -1;
    SET(instance->deadline_ms, -1);
    SET(instance->cancelled, 0);
    memset(&instance->error, 0, sizeof(instance->error));
    instance->dead = false;
    return true;
}

/* The first of a nest of runs begins. */
static void begin(wg_instance *instance) {
    instance->fuel_left = instance->fuel;
    /* whoever sets a deadline from now on sees the run, or the run sees the deadline */
    __atomic_store_n(&instance->running, 1, __ATOMIC_SEQ_CST);
    int32_t ms;
    do {
        ms = __atomic_load_n(&instance->deadline_ms, __ATOMIC_SEQ_CST);
        SET(instance->deadline_at, wg_clock_ms() + (uint32_t)ms);
        __atomic_store_n(&instance->has_deadline, ms >= 0, __ATOMIC_SEQ_CST);
    } while (ms != __atomic_load_n(&instance->deadline_ms, __ATOMIC_SEQ_CST));
}

/* Here, and within the functions that are called from here, a run may use so much native stack. */
static void set_native_room(wg_instance *instance, size_t native_room) {
    size_t room =
        native_room < instance->limits.native_stack ? native_room : instance->limits.native_stack;
    char *here = m3NativeStackPointer();
    wg_m3_set_native_limit(instance->runtime, here - room);
}

static void finish(wg_instance *instance) {
    SET(instance->running, 0);
    SET(instance->has_deadline, 0);
}

/* "unreachable (in parse_stop)", if the module has a name for the function. */
static void name_trap(const wg_instance *instance, uint32_t index, wg_error *error) {
    char name[WG_FUNCTION_NAME_SIZE];
    if (wg_module_function_name(instance->module, index, name, sizeof(name))) {
        wg_error_set(error, WG_TRAP, error->kind, "wasm trap: %s (in %s)", error->kind, name);
        memcpy(error->function, name, sizeof(name));
    }
}

/* Begins to run a function of wasm3's, which is compiled. */
static M3Result enter(wg_instance *instance, IM3Function function, const wg_type *type,
                      const uint64_t *args) {
    if (!wg_m3_has_room(instance->runtime, (size_t)type->params + type->results)) {
        return m3Err_trapStackOverflow;
    }
    const void *pointers[WG_MAX_PARAMS + 1];
    for (unsigned i = 0; i < type->params; i++) {
        pointers[i] = &args[i];
    }
    wg_m3_count_call(instance->runtime);
    return m3_Call(function, type->params, pointers);
}

/* Takes the results of a run that came to its end. */
static M3Result take_results(IM3Function function, const wg_type *type, uint64_t *results) {
    const void *pointers[WG_MAX_RESULTS + 1];
    for (unsigned i = 0; i < type->results; i++) {
        results[i] = 0;
        pointers[i] = &results[i];
    }
    return m3_GetResults(function, type->results, pointers);
}

/* Why a run of function `index` ended with this result. */
static void explain_run(wg_instance *instance, uint32_t index, M3Result result, wg_error *error) {
    explain(instance, result, "the call", error);
    if (result != ended && error->code == WG_TRAP) {
        IM3Function trapped = wg_m3_trapped(instance->runtime);
        name_trap(instance,
                  trapped == NULL ? index : wg_m3_function_index(instance->linked, trapped), error);
    }
}

static bool run(wg_instance *instance, uint32_t index, const wg_type *type, const uint64_t *args,
                uint64_t *results, wg_error *error) {
    IM3Function function = wg_m3_function(instance->linked, index);
    wg_m3_forget_trapped(instance->runtime);
    M3Result result = wg_m3_compile(function);
    if (result == m3Err_none) {
        result = enter(instance, function, type, args);
    }
    if (result == m3Err_none) {
        result = take_results(function, type, results);
    }
    if (result != m3Err_none) {
        explain_run(instance, index, result, error);
    }
    return result == m3Err_none;
}

/* The type of a function that can be called now with so many arguments, or NULL. */
static const wg_type *callable(const wg_instance *instance, uint32_t index, size_t count,
                               wg_error *error) {
    if (instance->dead) {
        wg_error_set(error, WG_ERROR, NULL,
                     "this instance ended in an error before; make a new one");
        return NULL;
    }
    if (index >= instance->module->functions_count) {
        wg_error_set(error, WG_ERROR, NULL, "there is no such function");
        return NULL;
    }
    const wg_type *type = instance->module->functions[index];
    if (count != type->params) {
        wg_error_set(error, WG_ERROR, NULL, "the function takes %u arguments, not %u", type->params,
                     (unsigned)count);
        return NULL;
    }
    if (type->params > WG_MAX_PARAMS || type->results > WG_MAX_RESULTS) {
        wg_error_set(error, WG_UNSUPPORTED, "limit",
                     "the function has more than %u parameters or %u results", WG_MAX_PARAMS,
                     WG_MAX_RESULTS);
        return NULL;
    }
    if (instance->depth >= WG_MAX_DEPTH) {
        wg_error_set(error, WG_QUOTA, "depth",
                     "calls between host and module are more than %u deep", WG_MAX_DEPTH);
        return NULL;
    }
    return type;
}

static void die(wg_instance *instance, const wg_error *error) {
    instance->dead = true;
    instance->unsound |= !ended_soundly(error);
    if (error != &instance->error) {
        instance->error = *error;
    }
}

/* Errors of memory that this thread's work meets from now on are the instance's. */
static wg_heap *pay(wg_instance *instance) {
    instance->heap.refused = instance->heap.starved = false;
    return wg_heap_enter(&instance->heap);
}

bool wg_instance_call(wg_instance *instance, uint32_t index, const uint64_t *args, size_t count,
                      uint64_t *results, size_t native_room, wg_error *error) {
    const wg_type *type = callable(instance, index, count, error);
    if (type == NULL) {
        return false;
    }
    wg_heap *payer = pay(instance);
    instance->suspends = false;
    instance->most = 0;
    wg_m3_compile_later(instance->runtime, false);
    if (instance->depth == 0) {
        begin(instance);
        grant(instance);
        set_native_room(instance, native_room);
    }
    instance->depth++;
    bool good =
        wg_instance_may_go_on(instance, error) && run(instance, index, type, args, results, error);
    instance->depth--;
    if (!good) {
        die(instance, error);
    }
    if (instance->depth == 0) {
        finish(instance);
    }
    wg_heap_enter(payer);
    return good;
}

/* ---- Runs that can be suspended ---- */

bool wg_engine_suspends(void) {
    return WG_SUSPENDS;
}

static wg_run *innermost(wg_instance *instance) {
    return &instance->runs[instance->depth - 1];
}

bool wg_instance_begin(wg_instance *instance, uint32_t index, const uint64_t *args, size_t count,
                       wg_error *error) {
    if (callable(instance, index, count, error) == NULL) {
        return false;
    }
    if (instance->depth == 0) {
        begin(instance);
    }
    instance->depth++;
    *innermost(instance) = (wg_run){.state = FRESH, .function = index};
    if (count > 0) {
        memcpy(instance->args, args, count * sizeof(*args));
    }
    return true;
}

void wg_instance_give_up(wg_instance *instance, const wg_error *why, wg_event *event) {
    wg_error error = *why; /* may be the event's */
    memset(event, 0, sizeof(*event));
    event->kind = WG_FAILED;
    event->error = error;
    die(instance, &event->error);
    instance->depth = 0;
    finish(instance);
}

/* A step of a run: m3Err_none, or suspended, or why it ended. */
static M3Result step(wg_instance *instance, wg_run *run, IM3Function function,
                     const wg_type *type) {
    if (run->state == FRESH) {
        wg_m3_forget_trapped(instance->runtime);
        if (!function->compiled && instance->most > 0) {
            return wg_m3_suspended();
        }
        M3Result result = wg_m3_compile(function);
        if (result != m3Err_none) {
            return result;
        }
        run->state = PAUSED;
        return enter(instance, function, type, instance->args);
    }
    if (run->state == ANSWERED) {
        leave_result(instance->runtime, instance->module->functions[run->calls], instance->value);
    }
    run->state = PAUSED;
    return wg_m3_resume(function, &run->at);
}

void wg_instance_go_on(wg_instance *instance, int32_t most, size_t native_room, wg_event *event) {
    wg_run *run = innermost(instance);
    const wg_type *type = instance->module->functions[run->function];
    IM3Function function = wg_m3_function(instance->linked, run->function);
    memset(event, 0, offsetof(wg_event, values));
    if (!wg_instance_may_go_on(instance, &event->error)) {
        wg_instance_give_up(instance, &event->error, event);
        return;
    }
    wg_heap *payer = pay(instance);
    instance->suspends = true;
    instance->most = most;
    wg_m3_compile_later(instance->runtime, most > 0);
    set_native_room(instance, native_room);
    grant(instance);
    M3Result result = step(instance, run, function, type);
    bool used_up = wg_m3_header(instance->runtime)->slice < 0;
    settle(instance);
    if (result == m3Err_none) {
        result = take_results(function, type, event->values);
    }
    wg_heap_enter(payer);

    if (result == wg_m3_suspended()) {
        run->at = wg_m3_suspension_of(instance->runtime);
        event->kind = used_up ? WG_PAUSED : WG_HEAVY;
        if (run->state == WAITS) {
            event->kind = WG_HOST_CALL;
            event->index = instance->offers[run->calls];
            event->count = instance->module->functions[run->calls]->params;
            memcpy(event->values, instance->args, event->count * sizeof(*event->values));
        }
    } else if (result == m3Err_none) {
        event->kind = WG_DONE;
        event->count = type->results;
        instance->depth--;
        if (instance->depth == 0) {
            finish(instance);
        }
    } else {
        explain_run(instance, run->function, result, &event->error);
        wg_instance_give_up(instance, &event->error, event);
    }
}

void wg_instance_answer(wg_instance *instance, uint64_t value) {
    instance->value = value;
    innermost(instance)->state = ANSWERED;
}

uint32_t wg_instance_waits_in(const wg_instance *instance) {
    if (instance->depth == 0 || instance->runs[instance->depth - 1].state != WAITS) {
        return UINT32_MAX;
    }
    return instance->offers[instance->runs[instance->depth - 1].calls];
}

/* ---- Compiling ahead ---- */

bool wg_instance_compile(wg_instance *instance, size_t native_room, wg_error *error) {
    if (instance->depth > 0) {
        wg_error_set(error, WG_ERROR, NULL, "the instance is running");
        return false;
    }
    wg_heap *payer = pay(instance);
    begin(instance);
    set_native_room(instance, native_room);
    M3Result result = m3_CompileModule(instance->linked);
    finish(instance);
    wg_heap_enter(payer);
    if (result != m3Err_none) {
        instance->unsound = true;
        explain(instance, result, "compiling the module", error);
        return false;
    }
    return true;
}

/* ---- Linear memory ---- */

size_t wg_instance_memory_size(const wg_instance *instance) {
    return wg_m3_memory_size(instance->runtime);
}

bool wg_instance_check(const wg_instance *instance, uint32_t pointer, size_t size,
                       wg_error *error) {
    size_t memory = wg_instance_memory_size(instance);
    if (pointer > memory || size > memory - pointer) {
        wg_error_set(error, WG_TRAP, out_of_bounds,
                     "%s: %lu bytes at %lu, of a memory of %lu bytes", out_of_bounds,
                     (unsigned long)size, (unsigned long)pointer, (unsigned long)memory);
        return false;
    }
    return true;
}

bool wg_instance_read(const wg_instance *instance, uint32_t pointer, void *to, size_t size,
                      wg_error *error) {
    if (!wg_instance_check(instance, pointer, size, error)) {
        return false;
    }
    if (size > 0) {
        memcpy(to, wg_m3_memory(instance->runtime) + pointer, size);
    }
    return true;
}

bool wg_instance_write(wg_instance *instance, uint32_t pointer, const void *from, size_t size,
                       wg_error *error) {
    if (!wg_instance_check(instance, pointer, size, error)) {
        return false;
    }
    if (size > 0) {
        memcpy(wg_m3_memory(instance->runtime) + pointer, from, size);
    }
    return true;
}

bool wg_instance_dead(const wg_instance *instance) {
    return instance->dead;
}

uint32_t wg_instance_native_stack(const wg_instance *instance) {
    return instance->limits.native_stack;
}

size_t wg_instance_heap_used(const wg_instance *instance) {
    return instance->heap.used;
}

size_t wg_instance_heap_peak(const wg_instance *instance) {
    return instance->heap.peak;
}
