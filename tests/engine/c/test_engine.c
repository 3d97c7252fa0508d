/*
 * The engine's core alone, without MicroPython, for the sanitizers: `make engine-asan engine-tsan`.
 * Argument: the folder with the assembled modules of tests/engine/modules.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "heap.h"
#include "task.h"

static const char *folder;
static int checks;

#define CHECK(CONDITION)                                                                           \
    do {                                                                                           \
        __atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED);                                          \
        if (!(CONDITION)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #CONDITION);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static wg_module *load(const char *name) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.wasm", folder, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    static _Thread_local uint8_t bytes[65536];
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    wg_error error;
    wg_module *module = wg_module_new(bytes, size, &error);
    if (module == NULL) {
        fprintf(stderr, "%s: %s\n", name, error.message);
    }
    CHECK(module != NULL);
    return module;
}

#define OFFER(MODULE, NAME, TYPE)                                                                  \
    {{MODULE, sizeof(MODULE) - 1}, {NAME, sizeof(NAME) - 1}, TYPE, sizeof(TYPE) - 1}

static const wg_offer offers[] = {
    OFFER("host", "back", ":"),     OFFER("host", "wait", ":"),  OFFER("host", "get", "i:"),
    OFFER("host", "mix", "iIfF:I"), OFFER("host", "note", "i:"), OFFER("host", "ask", ":i"),
};
enum { BACK, WAIT, GET, MIX, NOTE, ASK };
#define OFFERS (sizeof(offers) / sizeof(*offers))

static wg_instance *instantiate(wg_module *module, const wg_limits *limits) {
    static const wg_limits defaults = {0};
    wg_error error;
    wg_instance *instance =
        wg_instance_new(module, offers, OFFERS, limits != NULL ? limits : &defaults, &error);
    if (instance == NULL) {
        fprintf(stderr, "%s\n", error.message);
    }
    CHECK(instance != NULL);
    return instance;
}

static wg_instance *fresh(const char *name) {
    wg_module *module = load(name);
    wg_instance *instance = instantiate(module, NULL);
    wg_module_release(module);
    return instance;
}

static uint32_t find(wg_instance *instance, const char *name, const wg_type **type) {
    uint32_t index = wg_instance_find(instance, name, strlen(name), type);
    CHECK(index != UINT32_MAX);
    return index;
}

#define ROOM (1 << 20)

static bool call(wg_instance *instance, const char *name, size_t count, const uint64_t *args,
                 uint64_t *results, wg_error *error) {
    const wg_type *type;
    uint32_t index = find(instance, name, &type);
    return wg_instance_call(instance, index, args, count, results, ROOM, error);
}

/* Calls export `name` of a new instance of module `file` and expects an error. */
static void expect(const char *file, const char *name, size_t count, const uint64_t *args,
                   wg_code code, const char *kind) {
    wg_instance *instance = fresh(file);
    uint64_t results[WG_MAX_RESULTS];
    wg_error error;
    CHECK(!call(instance, name, count, args, results, &error));
    if (error.code != code || (kind != NULL && strcmp(kind, error.kind) != 0)) {
        fprintf(stderr, "%s %s: code %d: %s\n", file, name, error.code, error.message);
    }
    CHECK(error.code == code);
    CHECK(kind == NULL || strcmp(error.kind, kind) == 0);
    CHECK(wg_instance_dead(instance));
    CHECK(!call(instance, name, count, args, results, &error));
    CHECK(error.code == WG_ERROR);
    wg_instance_free(instance);
}

#define ARGS(...)                                                                                  \
    (sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)), (uint64_t[]) {                         \
        __VA_ARGS__                                                                                \
    }
#define NO_ARGS 0, NULL

static void test_values(void) {
    wg_instance *instance = fresh("basic");
    uint64_t results[WG_MAX_RESULTS];
    wg_error error;
    static const uint64_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < 5; i++) {
        CHECK(call(instance, "i32", ARGS(words[i]), results, &error) && results[0] == words[i]);
        CHECK(call(instance, "f32", ARGS(words[i]), results, &error) && results[0] == words[i]);
    }
    static const uint64_t longs[] = {0, 1, INT64_MAX, 1ull << 63, UINT64_MAX, 0x7ff0000000000001};
    for (size_t i = 0; i < 6; i++) {
        CHECK(call(instance, "fifth", ARGS(longs[i]), results, &error) && results[0] == longs[i]);
        CHECK(call(instance, "f64", ARGS(longs[i]), results, &error) && results[0] == longs[i]);
    }
    CHECK(call(instance, "two", ARGS(7, UINT64_MAX), results, &error));
    CHECK(results[0] == UINT64_MAX && results[1] == 7);
    CHECK(!call(instance, "two", ARGS(7), results, &error) && error.code == WG_ERROR);
    CHECK(!wg_instance_dead(instance));
    wg_instance_free(instance);
}

static void test_traps(void) {
    expect("traps", "unreachable", NO_ARGS, WG_TRAP, "unreachable");
    expect("traps", "divide", ARGS(1, 0), WG_TRAP, "integer divide by zero");
    expect("traps", "divide", ARGS(0x80000000, 0xffffffff), WG_TRAP, "integer overflow");
    expect("traps", "truncate", ARGS(0x7ff8000000000000), WG_TRAP, "invalid conversion to integer");
    expect("traps", "truncate", ARGS(0x7fefffffffffffff), WG_TRAP, "integer overflow");
    expect("traps", "load", ARGS(65533), WG_TRAP, "memory access out of bounds");
    expect("traps", "load_far", ARGS(0xffffffff), WG_TRAP, "memory access out of bounds");
    expect("traps", "fill", ARGS(1, 65536), WG_TRAP, "memory access out of bounds");
    expect("traps", "copy", ARGS(0, 1, 0xffffffff), WG_TRAP, "memory access out of bounds");
    expect("traps", "indirect", ARGS(0), WG_TRAP, "indirect call type mismatch");
    expect("traps", "indirect", ARGS(3), WG_TRAP, "uninitialized element");
    expect("traps", "indirect", ARGS(4), WG_TRAP, "undefined element");
    expect("traps", "recursion", NO_ARGS, WG_TRAP, "call stack exhausted");
    expect("traps", "recursion_with_locals", ARGS(1, 2, 3, 4), WG_TRAP, "call stack exhausted");
    expect("traps", "recursion_by_table", NO_ARGS, WG_TRAP, "call stack exhausted");
    expect("traps", "recursion_by_host", NO_ARGS, WG_HOST, NULL);
}

/* A wasm stack far larger than the native one: only the guard of the native stack can end these. */
static void test_native_stack(void) {
    wg_module *module = load("traps");
    static const char *const names[] = {"recursion", "recursion_by_table"};
    for (size_t i = 0; i < 2; i++) {
        wg_limits limits = {.stack = WG_STACK_SIZE_MAX, .native_stack = 64 * 1024};
        wg_instance *instance = instantiate(module, &limits);
        uint64_t results[WG_MAX_RESULTS];
        wg_error error;
        CHECK(!call(instance, names[i], NO_ARGS, results, &error));
        CHECK(error.code == WG_TRAP && strcmp(error.kind, "call stack exhausted") == 0);
        wg_instance_free(instance);
    }
    wg_module_release(module);
}

static void test_memory(void) {
    wg_instance *instance = fresh("memory");
    uint64_t results[WG_MAX_RESULTS];
    wg_error error;
    char text[8] = {0};
    CHECK(wg_instance_memory_size(instance) == 65536);
    CHECK(wg_instance_read(instance, 0, text, 5, &error) && memcmp(text, "begin", 5) == 0);
    CHECK(wg_instance_read(instance, 65533, text, 3, &error) && memcmp(text, "end", 3) == 0);
    CHECK(!wg_instance_read(instance, 65533, text, 4, &error) && error.code == WG_TRAP);
    CHECK(!wg_instance_write(instance, 0xffffffff, text, 2, &error) && error.code == WG_TRAP);
    CHECK(wg_instance_read(instance, 65536, text, 0, &error));
    CHECK(!wg_instance_read(instance, 65537, text, 0, &error));
    CHECK(call(instance, "init", ARGS(100, 2, 3), results, &error));
    CHECK(wg_instance_read(instance, 100, text, 3, &error) && memcmp(text, "234", 3) == 0);
    CHECK(call(instance, "grow", ARGS(3), results, &error) && results[0] == 1);
    CHECK(call(instance, "grow", ARGS(0xffffffff), results, &error) && results[0] == 0xffffffff);
    CHECK(call(instance, "grow", ARGS(17), results, &error) && results[0] == 0xffffffff);
    CHECK(call(instance, "grow", ARGS(16), results, &error) && results[0] == 4);
    CHECK(wg_instance_memory_size(instance) == 20 * 65536);
    CHECK(wg_instance_read(instance, 100, text, 3, &error) && memcmp(text, "234", 3) == 0);
    CHECK(call(instance, "drop", NO_ARGS, results, &error));
    CHECK(call(instance, "init", ARGS(100, 0, 0), results, &error));
    CHECK(!call(instance, "init", ARGS(100, 0, 1), results, &error) && error.code == WG_TRAP);
    wg_instance_free(instance);

    instance = fresh("memory_zero");
    CHECK(call(instance, "grow", ARGS(1), results, &error) && results[0] == 0);
    CHECK(call(instance, "load", NO_ARGS, results, &error) && results[0] == 0);
    wg_instance_free(instance);
    instance = fresh("memory_none");
    CHECK(call(instance, "grow", ARGS(0), results, &error) && results[0] == 0);
    CHECK(call(instance, "grow", ARGS(1), results, &error) && results[0] == 0xffffffff);
    CHECK(!call(instance, "load", NO_ARGS, results, &error) && error.code == WG_TRAP);
    wg_instance_free(instance);
}

static void expect_refused(const char *name, wg_code code, const char *kind) {
    wg_module *module = load(name);
    wg_limits limits = {0};
    wg_error error;
    CHECK(wg_instance_new(module, offers, OFFERS, &limits, &error) == NULL);
    if (error.code != code) {
        fprintf(stderr, "%s: code %d: %s\n", name, error.code, error.message);
    }
    CHECK(error.code == code);
    CHECK(kind == NULL || strcmp(error.kind, kind) == 0);
    wg_module_release(module);
}

static void test_refusals(void) {
    expect_refused("import_memory", WG_LINK, NULL);
    expect_refused("import_table", WG_LINK, NULL);
    expect_refused("import_global", WG_LINK, NULL);
    expect_refused("import_twice", WG_LINK, NULL);
    expect_refused("data_outside", WG_TRAP, "memory access out of bounds");
    expect_refused("data_negative", WG_TRAP, "memory access out of bounds");
    expect_refused("elem_outside", WG_TRAP, "out of bounds table access");
}

/* Each allocation of an instantiation and a call fails in turn: an error, no crash, no leak. */
static void test_heap(void) {
    wg_module *module = load("basic");
    unsigned refused = 0;
    for (size_t heap = 1; heap < 200 * 1024; heap += heap < 20000 ? 37 : 911) {
        wg_limits limits = {.heap = (uint32_t)heap};
        uint64_t results[WG_MAX_RESULTS];
        wg_error error;
        wg_instance *instance = wg_instance_new(module, offers, OFFERS, &limits, &error);
        bool good = instance != NULL && call(instance, "add", ARGS(1, 2), results, &error);
        CHECK(good || (error.code == WG_QUOTA && strcmp(error.kind, "heap") == 0));
        refused += good ? 0 : 1;
        wg_instance_free(instance);
    }
    CHECK(refused > 100);
    wg_module_release(module);
}

static void test_quotas(void) {
    static const char *const loops[] = {"empty",  "conditional",    "table_branch",   "nested",
                                        "calls",  "calls_by_table", "with_parameter", "fills",
                                        "copies", "grows",          "calls_only"};
    for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
        wg_instance *instance = fresh("loops");
        uint64_t results[WG_MAX_RESULTS];
        wg_error error;
        wg_instance_set_deadline(instance, 20);
        uint32_t begin = wg_clock_ms();
        CHECK(!call(instance, loops[i], NO_ARGS, results, &error));
        CHECK(error.code == WG_QUOTA && strcmp(error.kind, "deadline") == 0);
        CHECK(wg_clock_ms() - begin < 1000);
        wg_instance_free(instance);
    }
    /* fuel is exact: n iterations and the call itself */
    for (int n = 1; n < 100000; n = n * 3 + 1) {
        wg_instance *instance = fresh("loops");
        uint64_t results[WG_MAX_RESULTS];
        wg_error error;
        wg_instance_set_fuel(instance, n + 1);
        CHECK(call(instance, "count", ARGS((uint64_t)n), results, &error));
        CHECK(!call(instance, "count", ARGS((uint64_t)n + 1), results, &error));
        CHECK(error.code == WG_QUOTA && strcmp(error.kind, "fuel") == 0);
        wg_instance_free(instance);
    }
}

/* ---- The wasm stack, which grows ---- */

static uint32_t sum_of(wg_instance *instance, const char *name, uint64_t n) {
    uint64_t results[WG_MAX_RESULTS];
    wg_error error;
    CHECK(call(instance, name, ARGS(n), results, &error));
    return (uint32_t)results[0];
}

/* Calls back, deeper than the stack has grown so far, while its own arguments lie on it. */
static bool host_that_grows_the_stack(void *pointer, uint32_t index, const uint64_t *args,
                                      size_t count, uint64_t *result, wg_error *error) {
    wg_instance *instance = *(wg_instance **)pointer;
    CHECK(index == MIX && count == 4 && args[0] == 7);
    CHECK(call(instance, "many", ARGS(1, 2, 3, 4, 5, 6, 7, 8), result, error) && *result == 36);
    if (args[1] > 0) {
        if (!call(instance, "through", ARGS(150, args[1] - 1), result, error)) {
            return false;
        }
    } else {
        CHECK(sum_of(instance, "sum", 500) == 500 * 501 / 2);
        *result = 1;
    }
    CHECK(args[0] == 7 && args[2] == 0x3fc00000);
    *result += 0x100000000;
    return true;
}

static uint32_t depth_reached(wg_module *module, uint32_t stack, uint64_t before) {
    wg_limits limits = {.stack = stack};
    wg_instance *instance = instantiate(module, &limits);
    CHECK(sum_of(instance, "sum", before) == before * (before + 1) / 2);
    uint64_t results[WG_MAX_RESULTS];
    wg_error error;
    uint32_t depth = 0;
    CHECK(!call(instance, "deep", NO_ARGS, results, &error));
    CHECK(error.code == WG_TRAP && strcmp(error.kind, "call stack exhausted") == 0);
    CHECK(wg_instance_read(instance, 0, &depth, sizeof(depth), &error));
    wg_instance_free(instance);
    return depth;
}

static void test_stack(void) {
    wg_module *module = load("stack");
    wg_instance *instance = instantiate(module, NULL);
    wg_instance_set_hooks(instance, host_that_grows_the_stack, NULL, &instance);
    size_t used[4];
    used[0] = wg_instance_heap_used(instance);
    CHECK(sum_of(instance, "sum", 10) == 55);
    used[1] = wg_instance_heap_used(instance);
    CHECK(sum_of(instance, "sum", 300) == 300 * 301 / 2);
    used[2] = wg_instance_heap_used(instance);
    CHECK(sum_of(instance, "grow_and_sum", 600) == 600 * 601 / 2);
    used[3] = wg_instance_heap_used(instance);
    CHECK(used[0] < 32 * 1024 && used[2] > used[1] && used[3] > used[2]);
    wg_error error;
    CHECK(wg_instance_reset(instance, &error));
    CHECK(sum_of(instance, "sum", 600) == 600 * 601 / 2);
    CHECK(wg_instance_heap_used(instance) == used[3]);
    wg_instance_free(instance);

    /* nested calls of host and module: the stack grows in the innermost, or on the way in */
    for (uint64_t nested = 0; nested < 3; nested++) {
        for (uint64_t first = 0; first < 400; first++) {
            wg_limits limits = {.stack = 256 * 1024};
            instance = instantiate(module, &limits);
            wg_instance_set_hooks(instance, host_that_grows_the_stack, NULL, &instance);
            uint64_t results[WG_MAX_RESULTS];
            CHECK(call(instance, "through", ARGS(first, nested), results, &error));
            CHECK(results[0] == 1 + (nested + 1) * 0x100000000 + nested * (150 * 151 / 2) +
                                    first * (first + 1) / 2);
            wg_instance_free(instance);
        }
    }

    /* it ends where it is told to, however it got there */
    for (uint32_t stack = WG_STACK_SIZE_MIN; stack <= 64 * 1024; stack += 4 * 1024 + 8) {
        uint32_t depth = depth_reached(module, stack, 0);
        CHECK(depth == depth_reached(module, stack, 70));
        CHECK(depth > stack / 32 && depth < stack / 8);
    }

    /* it is part of the engine's memory */
    for (size_t heap = used[1] + 512; heap < used[3]; heap += 1024) {
        wg_limits limits = {.heap = (uint32_t)heap};
        instance = instantiate(module, &limits);
        uint64_t results[WG_MAX_RESULTS];
        CHECK(!call(instance, "sum", ARGS(600), results, &error));
        CHECK(error.code == WG_QUOTA && strcmp(error.kind, "heap") == 0);
        wg_instance_free(instance);
    }
    wg_module_release(module);
}

/* ---- Host functions, inline ---- */

typedef struct {
    wg_instance *instance;
    unsigned calls;
    unsigned fail_at;
} host_context;

static bool host(void *pointer, uint32_t index, const uint64_t *args, size_t count,
                 uint64_t *result, wg_error *error) {
    host_context *context = pointer;
    context->calls++;
    if (context->calls == context->fail_at) {
        wg_error_set(error, WG_HOST, NULL, "as ordered");
        return false;
    }
    if (index == GET) {
        /* grows the memory from within, so that its base moves */
        uint64_t at;
        if (!call(context->instance, "realloc", ARGS(0, 0, 1, 100000), &at, error)) {
            return false;
        }
        uint8_t byte = 40;
        uint32_t pointer32 = (uint32_t)at;
        return wg_instance_write(context->instance, pointer32, &byte, 1, error) &&
               wg_instance_write(context->instance, (uint32_t)args[0], &pointer32, 4, error);
    }
    if (index == BACK) {
        uint64_t results[1];
        return call(context->instance, "recursion_by_host", NO_ARGS, results, error);
    }
    CHECK(index == MIX && count == 4);
    *result = args[0] ^ args[1] ^ args[2] ^ args[3];
    return true;
}

static void test_host(void) {
    wg_error error;
    uint64_t results[WG_MAX_RESULTS];
    host_context context = {fresh("realloc"), 0, 0};
    wg_instance_set_hooks(context.instance, host, NULL, &context);
    for (unsigned i = 0; i < 10; i++) {
        CHECK(call(context.instance, "run", ARGS(2), results, &error) && results[0] == 42);
    }
    context.fail_at = context.calls + 1;
    CHECK(!call(context.instance, "run", ARGS(2), results, &error));
    CHECK(error.code == WG_HOST && strcmp(error.message, "as ordered") == 0);
    wg_instance_free(context.instance);

    context = (host_context){fresh("basic"), 0, 0};
    wg_instance_set_hooks(context.instance, host, NULL, &context);
    CHECK(call(context.instance, "mix", ARGS(1, 1ull << 63, 0x7fa00000, 0x7ff0000000000001),
               results, &error));
    CHECK(results[0] == (1 ^ (1ull << 63) ^ 0x7fa00000 ^ 0x7ff0000000000001));
    wg_instance_free(context.instance);

    context = (host_context){fresh("traps"), 0, 0};
    wg_instance_set_hooks(context.instance, host, NULL, &context);
    CHECK(!call(context.instance, "recursion_by_host", NO_ARGS, results, &error));
    CHECK(error.code == WG_QUOTA && strcmp(error.kind, "depth") == 0);
    wg_instance_free(context.instance);
}

/* ---- Malformed bytes ---- */

/* Every prefix of each module, and each with one byte changed: an error or a module, and no more.
 */
static void test_mutations(void) {
    static const char *const names[] = {"basic", "traps", "memory", "realloc", "start"};
    unsigned seed = 1;
    for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s.wasm", folder, names[n]);
        FILE *file = fopen(path, "rb");
        CHECK(file != NULL);
        uint8_t original[4096];
        size_t size = fread(original, 1, sizeof(original), file);
        fclose(file);
        for (size_t i = 0; i < size * 6; i++) {
            size_t length = i < size ? i : size;
            uint8_t *bytes = malloc(length + 1);
            memcpy(bytes, original, length);
            if (i >= size) {
                seed = seed * 1103515245 + 12345;
                bytes[i % size] = (uint8_t)(seed >> 16);
            }
            wg_error error;
            wg_module *module = wg_module_new(bytes, length, &error);
            free(bytes);
            if (module == NULL) {
                continue;
            }
#if WG_HAVE_VALIDATE
            wg_limits limits = {.pages = 32};
            wg_instance *instance = wg_instance_new(module, offers, OFFERS, &limits, &error);
            if (instance != NULL) {
                wg_instance_set_fuel(instance, 10000);
                const wg_export *list;
                size_t count = wg_module_exports(module, &list);
                for (size_t e = 0; e < count; e++) {
                    static const uint64_t zeros[WG_MAX_PARAMS];
                    uint64_t results[WG_MAX_RESULTS];
                    if (list[e].item.kind == WG_FUNC &&
                        list[e].item.type->params <= WG_MAX_PARAMS) {
                        wg_instance_call(instance, list[e].item.index, zeros,
                                         list[e].item.type->params, results, ROOM, &error);
                    }
                }
                wg_instance_free(instance);
            }
#endif
            wg_module_release(module);
        }
    }
}

/* ---- Runs that are suspended ---- */

static void begin_run(wg_instance *instance, const char *name, size_t count, const uint64_t *args) {
    const wg_type *type;
    wg_error error;
    CHECK(wg_instance_begin(instance, find(instance, name, &type), args, count, &error));
}

/* Goes on until something else than a pause, with a pause after each `most` units. */
static wg_event go_on(wg_instance *instance, int32_t most, unsigned *pauses) {
    wg_event event;
    for (;;) {
        wg_instance_go_on(instance, most, ROOM, &event);
        if (event.kind != WG_PAUSED) {
            return event;
        }
        (*pauses)++;
    }
}

static wg_instance *compiled(const char *name) {
    wg_instance *instance = fresh(name);
    wg_error error;
    CHECK(wg_instance_compile(instance, ROOM, &error));
    return instance;
}

static void *go_on_elsewhere(void *pointer) {
    static wg_event event;
    wg_instance_go_on(pointer, 0, ROOM, &event);
    return &event;
}

/* Runs within a host call that make stack and memory move, and a part on another thread. */
static void test_suspended(void) {
    unsigned pauses = 0;
    wg_instance *instance = compiled("stack");
    for (unsigned i = 0; i < 3; i++) {
        pauses = 0;
        begin_run(instance, "through", ARGS(40, 5));
        wg_event event = go_on(instance, 1, &pauses);
        CHECK(event.kind == WG_HOST_CALL && event.index == MIX && event.count == 4);
        CHECK(event.values[0] == 7 && event.values[1] == 5);
        CHECK(event.values[2] == 0x3fc00000 && event.values[3] == 0xc004000000000000);
        CHECK(pauses >= 20 && wg_instance_waits_in(instance) == MIX);
        begin_run(instance, "sum", ARGS(500));
        CHECK(wg_instance_waits_in(instance) == UINT32_MAX);
        pauses = 0;
        event = go_on(instance, 2, &pauses);
        CHECK(event.kind == WG_DONE && event.count == 1 && event.values[0] == 125250);
        CHECK(pauses >= 166 && wg_instance_waits_in(instance) == MIX);
        begin_run(instance, "through", ARGS(3, UINT64_MAX));
        event = go_on(instance, 0, &pauses);
        CHECK(event.kind == WG_HOST_CALL && event.values[1] == UINT64_MAX);
        begin_run(instance, "grow_and_sum", ARGS(600));
        wg_instance_go_on(instance, 1100, ROOM, &event); /* a page is 256 units */
        CHECK(event.kind == WG_PAUSED);
        event = go_on(instance, 3, &pauses);
        CHECK(event.kind == WG_DONE && event.values[0] == 180300);
        wg_instance_answer(instance, 1000);
        event = go_on(instance, 1, &pauses);
        CHECK(event.kind == WG_DONE && event.values[0] == 1006);
        wg_instance_answer(instance, 1ull << 40);
        pthread_t thread;
        void *told;
        CHECK(pthread_create(&thread, NULL, go_on_elsewhere, instance) == 0);
        pthread_join(thread, &told);
        event = *(wg_event *)told;
        CHECK(event.kind == WG_DONE && event.values[0] == (1ull << 40) + 820);
    }
    /* as deep as calls may be, and then all end */
    wg_error error;
    const wg_type *type;
    wg_event event;
    for (unsigned i = 0; i < WG_MAX_DEPTH; i++) {
        begin_run(instance, "through", ARGS(2, i));
        event = go_on(instance, 0, &pauses);
        CHECK(event.kind == WG_HOST_CALL && event.values[1] == i);
    }
    uint64_t args[] = {2, 2};
    CHECK(!wg_instance_begin(instance, find(instance, "through", &type), args, 2, &error));
    CHECK(error.code == WG_QUOTA && strcmp(error.kind, "depth") == 0);
    CHECK(!wg_instance_reset(instance, &error) && error.code == WG_ERROR);
    wg_instance_cancel(instance);
    wg_instance_answer(instance, 1);
    event = go_on(instance, 0, &pauses);
    CHECK(event.kind == WG_FAILED && strcmp(event.error.kind, "cancelled") == 0);
    CHECK(wg_instance_dead(instance) && wg_instance_waits_in(instance) == UINT32_MAX);
    /* nothing is left of them after a reset */
    CHECK(wg_instance_reset(instance, &error));
    begin_run(instance, "through", ARGS(40, 5));
    CHECK(go_on(instance, 7, &pauses).kind == WG_HOST_CALL);
    wg_instance_answer(instance, 0);
    event = go_on(instance, 7, &pauses);
    CHECK(event.kind == WG_DONE && event.values[0] == 820);
    /* a trap in a run within another */
    begin_run(instance, "through", ARGS(1, 5));
    CHECK(go_on(instance, 0, &pauses).kind == WG_HOST_CALL);
    begin_run(instance, "deep", NO_ARGS);
    event = go_on(instance, 5, &pauses);
    CHECK(event.kind == WG_FAILED && strcmp(event.error.kind, "call stack exhausted") == 0);
    CHECK(wg_instance_dead(instance) && !wg_instance_reset(instance, &error));
    wg_instance_free(instance);
    /* freed in the middle */
    instance = compiled("stack");
    begin_run(instance, "through", ARGS(40, 5));
    wg_instance_go_on(instance, 9, ROOM, &event);
    CHECK(event.kind == WG_PAUSED);
    wg_instance_free(instance);
}

/* What is not compiled, or takes many bytes, is not begun in a moment. */
static void test_not_in_a_moment(void) {
    unsigned pauses = 0;
    wg_event event;
    wg_instance *instance = fresh("loops");
    begin_run(instance, "fib", ARGS(10));
    size_t heap = wg_instance_heap_used(instance);
    for (unsigned i = 0; i < 3; i++) {
        wg_instance_go_on(instance, 1000000, 0, &event);
        CHECK(event.kind == WG_HEAVY && wg_instance_heap_used(instance) == heap);
    }
    event = go_on(instance, 0, &pauses);
    CHECK(event.kind == WG_DONE && event.values[0] == 55);
    /* a function that this one calls */
    begin_run(instance, "calls", NO_ARGS);
    wg_instance_go_on(instance, 0x7fffffff, 0, &event);
    CHECK(event.kind == WG_HEAVY);
    wg_instance_free(instance);

    instance = compiled("loops");
    begin_run(instance, "fills", NO_ARGS);
    uint8_t byte = 9;
    wg_error error;
    for (unsigned i = 0; i < 3; i++) { /* 4096 units */
        wg_instance_go_on(instance, 4000, ROOM, &event);
        CHECK(event.kind == WG_HEAVY);
        CHECK(wg_instance_read(instance, 0, &byte, 1, &error) && byte == 0);
    }
    wg_instance_go_on(instance, 5000, ROOM, &event);
    CHECK(event.kind == WG_HEAVY);
    CHECK(wg_instance_read(instance, 0, &byte, 1, &error) && byte == 1);
    wg_instance_free(instance);
}

/* An operation on many bytes is done whole, when there is enough of the slice for it, and what the
 * registers held before is still there. */
static void test_many_bytes(void) {
    static const struct {
        const char *name;
        uint32_t at, before, after; /* a word of memory */
        size_t size;                /* of memory, then */
    } cases[] = {
        {"fill", 65532, 0, 0x07070707, 65536},
        {"copy", 65532, 0x07000000, 0x07070000, 65536},
        {"init", 508, 0, 0x66656463, 65536},
        {"grow", 0, 0, 1, 3 * 65536},
    };
    const uint64_t signalling = 0x7ff4000000000001;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        wg_instance *instance = compiled("suspend");
        wg_error error;
        wg_event event;
        uint32_t word;
        begin_run(instance, cases[i].name, ARGS(signalling));
        for (unsigned k = 0; k < 3; k++) {
            wg_instance_go_on(instance, 1, ROOM, &event);
            CHECK(event.kind == WG_HEAVY);
            CHECK(wg_instance_read(instance, cases[i].at, &word, 4, &error));
            CHECK(word == cases[i].before && wg_instance_memory_size(instance) == 65536);
        }
        wg_instance_go_on(instance, 1000, ROOM, &event);
        CHECK(event.kind == WG_DONE && event.values[0] == signalling);
        CHECK(wg_instance_read(instance, cases[i].at, &word, 4, &error));
        CHECK(word == cases[i].after && wg_instance_memory_size(instance) == cases[i].size);
        wg_instance_free(instance);
    }
}

/* The fuel is the same however often a run is suspended. */
static void test_fuel_in_steps(void) {
    wg_instance *instance = compiled("stack");
    wg_error error;
    for (int64_t fuel = 0;; fuel++) {
        uint64_t results[WG_MAX_RESULTS];
        unsigned pauses = 0;
        wg_instance_set_fuel(instance, fuel);
        bool enough = call(instance, "sum", ARGS(30), results, &error);
        CHECK(wg_instance_reset(instance, &error));
        for (int32_t most = 0; most < 40; most += 1 + most / 3) {
            wg_instance_set_fuel(instance, fuel);
            begin_run(instance, "sum", ARGS(30));
            wg_event event = go_on(instance, most, &pauses);
            CHECK(event.kind == (enough ? WG_DONE : WG_FAILED));
            CHECK(enough || strcmp(event.error.kind, "fuel") == 0);
            CHECK(wg_instance_reset(instance, &error));
        }
        if (enough) {
            CHECK(fuel == 31);
            break;
        }
    }
    wg_instance_free(instance);
}

/* ---- Tasks ---- */

static wg_event await_event(wg_task *task) {
    wg_event event;
    for (unsigned i = 0; i < 20000; i++) {
        wg_task_take(task, 200, &event);
        if (event.kind != WG_NO_EVENT) {
            return event;
        }
        usleep(200);
    }
    CHECK(!"no event within 4 s");
    return event;
}

static void begin(wg_task *task, wg_instance *instance, const char *name, size_t count,
                  const uint64_t *args) {
    const wg_type *type;
    uint32_t index = find(instance, name, &type);
    wg_error error;
    bool good = wg_task_start(task, index, type, args, count, ROOM, &error);
    if (!good) {
        fprintf(stderr, "%s\n", error.message);
    }
    CHECK(good);
}

static wg_task *task_for(wg_instance *instance) {
    wg_error error;
    wg_task *task = wg_task_new(instance, &error);
    CHECK(task != NULL);
    return task;
}

static void test_task(void) {
    wg_error error;
    wg_instance *instance = fresh("realloc");
    wg_task *task = task_for(instance);
    for (unsigned i = 0; i < 5; i++) {
        begin(task, instance, "run", ARGS(2));
        wg_event event = await_event(task);
        CHECK(event.kind == WG_HOST_CALL && event.index == GET && event.values[0] == 16);
        CHECK(wg_task_parked(task));
        begin(task, instance, "realloc", ARGS(0, 0, 1, 100000)); /* nested */
        event = await_event(task);
        CHECK(event.kind == WG_DONE && event.count == 1);
        uint32_t at = (uint32_t)event.values[0];
        uint8_t byte = 40;
        CHECK(wg_instance_write(instance, at, &byte, 1, &error));
        CHECK(wg_instance_write(instance, 16, &at, 4, &error));
        CHECK(wg_task_reply(task, 0, ROOM, &error));
        CHECK(!wg_task_reply(task, 0, ROOM, &error) ||
              1); /* answers twice: refused or lost, no harm */
        event = await_event(task);
        CHECK(event.kind == WG_DONE && event.values[0] == 42);
    }
    /* a nested run traps: one event, of the whole nest */
    begin(task, instance, "run", ARGS(2));
    CHECK(await_event(task).kind == WG_HOST_CALL);
    begin(task, instance, "trap", NO_ARGS);
    wg_event event = await_event(task);
    CHECK(event.kind == WG_FAILED && event.error.code == WG_TRAP);
    CHECK(strcmp(event.error.kind, "unreachable") == 0);
    usleep(20000);
    CHECK(!wg_task_has_event(task) && wg_instance_dead(instance));
    wg_task_free(task);
    wg_instance_free(instance);

    /* the host fails */
    instance = fresh("loops");
    task = task_for(instance);
    begin(task, instance, "wait", NO_ARGS);
    CHECK(await_event(task).kind == WG_HOST_CALL);
    wg_error why;
    wg_error_set(&why, WG_HOST, NULL, "no network");
    CHECK(wg_task_fail(task, &why, &error));
    event = await_event(task);
    CHECK(event.kind == WG_FAILED && event.error.code == WG_HOST);
    CHECK(strcmp(event.error.message, "no network") == 0);
    wg_task_free(task);
    wg_instance_free(instance);

    /* the deadline passes while the task is parked */
    instance = fresh("loops");
    task = task_for(instance);
    wg_task_set_deadline(task, 30);
    begin(task, instance, "wait", NO_ARGS);
    CHECK(await_event(task).kind == WG_HOST_CALL);
    event = await_event(task);
    CHECK(event.kind == WG_FAILED && strcmp(event.error.kind, "deadline") == 0);
    wg_task_free(task);
    wg_instance_free(instance);
}

/* What has run before and takes a moment is over when the owner has begun it, with no thread at
 * all; what takes longer is the thread's. */
static void test_moments(void) {
    wg_error error;
    wg_event event;
    wg_instance *instance = compiled("realloc");
    wg_task *task = task_for(instance);
    for (unsigned i = 0; i < 5; i++) {
        begin(task, instance, "run", ARGS(2));
        CHECK(wg_task_has_event(task) && wg_task_at_rest(task));
        wg_task_take(task, 0, &event);
        CHECK(event.kind == WG_HOST_CALL);
        begin(task, instance, "realloc", ARGS(0, 0, 1, 8));
        wg_task_take(task, 0, &event);
        CHECK(event.kind == WG_DONE);
        CHECK(wg_task_reply(task, 0, ROOM, &error));
        wg_task_take(task, 0, &event);
        CHECK(event.kind == WG_DONE && wg_task_idle(task));
    }
    /* no stack to give: the thread's from the beginning */
    const wg_type *type;
    uint32_t run = find(instance, "run", &type);
    CHECK(wg_task_start(task, run, type, (uint64_t[]){2}, 1, 0, &error));
    CHECK(await_event(task).kind == WG_HOST_CALL);
    CHECK(wg_task_reply(task, 0, 0, &error));
    CHECK(await_event(task).kind == WG_DONE);
    wg_task_free(task);
    wg_instance_free(instance);

    instance = compiled("loops");
    task = task_for(instance);
    for (unsigned i = 0; i < 3; i++) {
        begin(task, instance, "fib", ARGS(10));
        wg_task_take(task, 0, &event);
        CHECK(event.kind == WG_DONE && event.values[0] == 55);
        begin(task, instance, "fib", ARGS(25));
        event = await_event(task);
        CHECK(event.kind == WG_DONE && event.values[0] == 75025);
    }
    /* however long it takes, the owner has it back in a moment */
    begin(task, instance, "copies", NO_ARGS);
    CHECK(!wg_task_has_event(task) && !wg_task_at_rest(task));
    wg_task_free(task);
    wg_instance_free(instance);
}

/* Cancel at any moment, from another thread than the owner's. */
static void *cancel_later(void *pointer) {
    wg_task *task = pointer;
    usleep(2000);
    wg_task_cancel(task);
    return NULL;
}

static void test_cancel(void) {
    static const char *const names[] = {"empty", "calls", "host", "wait", "calls_only"};
    for (unsigned i = 0; i < 20; i++) {
        wg_instance *instance = fresh("loops");
        wg_task *task = task_for(instance);
        begin(task, instance, names[i % 5], NO_ARGS);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, cancel_later, task) == 0);
        wg_event event;
        wg_error error;
        do {
            event = await_event(task);
            if (event.kind == WG_HOST_CALL && i % 5 == 2) {
                wg_task_reply(task, 0, ROOM, &error);
            }
        } while (event.kind == WG_HOST_CALL);
        CHECK(event.kind == WG_FAILED && strcmp(event.error.kind, "cancelled") == 0);
        pthread_join(thread, NULL);
        wg_task_free(task);
        wg_instance_free(instance);
    }
    /* free at any moment */
    for (unsigned i = 0; i < 40; i++) {
        wg_instance *instance = fresh("loops");
        wg_task *task = task_for(instance);
        begin(task, instance, names[i % 5], NO_ARGS);
        usleep(i * 50);
        wg_task_free(task);
        wg_instance_free(instance);
    }
}

/* Several instances of one module at once, each in its thread. */
static void test_parallel(void) {
    wg_module *module = load("loops");
    wg_instance *instances[8];
    wg_task *tasks[8];
    for (unsigned i = 0; i < 8; i++) {
        instances[i] = instantiate(module, NULL);
        tasks[i] = task_for(instances[i]);
        begin(tasks[i], instances[i], "fib", ARGS(15 + i));
    }
    wg_module_release(module);
    static const uint64_t fib[] = {610, 987, 1597, 2584, 4181, 6765, 10946, 17711};
    for (unsigned i = 0; i < 8; i++) {
        wg_event event = await_event(tasks[i]);
        CHECK(event.kind == WG_DONE && event.values[0] == fib[i]);
        wg_task_free(tasks[i]);
        wg_instance_free(instances[i]);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: test_engine FOLDER\n");
        return 2;
    }
    folder = argv[1];
    static const struct {
        const char *name;
        void (*run)(void);
        bool no_frames; /* needs wasm3 0.5.0, whose runs make no native frames: see its patches */
    } tests[] = {
        {"values", test_values, false},
        {"traps", test_traps, false},
        {"native stack", test_native_stack, false},
        {"memory", test_memory, false},
        {"refusals", test_refusals, false},
        {"heap", test_heap, false},
        {"quotas", test_quotas, false},
        {"stack", test_stack, true},
        {"host", test_host, false},
        {"mutations", test_mutations, false},
        {"suspended", test_suspended, true},
        {"not in a moment", test_not_in_a_moment, true},
        {"many bytes", test_many_bytes, true},
        {"fuel in steps", test_fuel_in_steps, true},
        {"task", test_task, false},
        {"moments", test_moments, true},
        {"cancel", test_cancel, false},
        {"parallel", test_parallel, false},
    };
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        if (tests[i].no_frames && !wg_engine_suspends()) {
            continue;
        }
        tests[i].run();
        printf("ok %s\n", tests[i].name);
        fflush(stdout);
    }
    printf("%d checks\n", checks);
    return 0;
}
