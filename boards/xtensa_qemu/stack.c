// Measures the native stack: what lies below the stack pointer is filled with a mark, and searched
// where the kind of code changes. The engine's functions are wrapped by the linker (--wrap), so
// that the engine knows nothing of it.
#include "stack.h"

#include <stdint.h>
#include <string.h>

#include "../../cmodules/wasm3_bridge/engine.h"

#define MARK 0xa5a5a5a5u

// So many unchanged bytes, and there is nothing below them: no frame of ours leaves out more.
#define UNTOUCHED (4 * 1024)

// Left alone below the stack pointer: the frames of the functions here.
#define OWN 256

extern uint32_t _stack_bottom[];

// One stretch of the stack with one kind of code; `outer` of the same kind are further up.
typedef struct segment {
    struct segment *outer;
    stack_kind kind;
    const char *from;
    size_t above[STACK_KINDS]; // bytes of each kind in the segments further up
} segment;

static segment first;
static segment *now;
static size_t deepest[STACK_KINDS];

static inline char *stack_pointer(void) {
    char *at;
    __asm__ volatile("mov %0, a1" : "=a"(at));
    return at;
}

// The lowest word below `at` that was written to.
static uint32_t *touched(char *at) {
    uint32_t *lowest = (uint32_t *)((uintptr_t)at & ~3u);
    uint32_t *end = lowest - UNTOUCHED / sizeof(uint32_t);
    for (uint32_t *word = lowest - 1; word >= _stack_bottom && word >= end; word--) {
        if (*word != MARK) {
            lowest = word;
            end = word - UNTOUCHED / sizeof(uint32_t);
        }
    }
    return lowest;
}

// Notes how deep the present segment went, and marks the stack below again.
static void look(void) {
    char *here = stack_pointer() - OWN;
    uint32_t *lowest = touched(here);
    size_t bytes = (size_t)(now->from - (char *)lowest);
    // what a segment's own frames took is seen even if nothing went deeper
    size_t all = now->above[now->kind] + bytes;
    if (all > deepest[now->kind]) {
        deepest[now->kind] = all;
    }
    if (now->kind == STACK_LOAD && now->above[STACK_PYTHON] + bytes > deepest[STACK_PYTHON]) {
        deepest[STACK_PYTHON] = now->above[STACK_PYTHON] + bytes;
    }
    while (lowest < (uint32_t *)((uintptr_t)here & ~3u)) {
        *lowest++ = MARK;
    }
}

static void enter(segment *inner, stack_kind kind) {
    look();
    const char *here = stack_pointer();
    memcpy(inner->above, now->above, sizeof(inner->above));
    inner->above[now->kind] += (size_t)(now->from - here);
    inner->outer = now;
    inner->kind = kind;
    inner->from = here;
    now = inner;
}

static void leave(void) {
    look();
    now = now->outer;
}

void stack_start(void) {
    first.from = stack_pointer();
    now = &first;
    for (uint32_t *word = _stack_bottom; word < (uint32_t *)(stack_pointer() - OWN); word++) {
        *word = MARK;
    }
}

size_t stack_deepest(stack_kind kind) {
    look();
    return deepest[kind];
}

void stack_reset(void) {
    look();
    memset(deepest, 0, sizeof(deepest));
}

// ---- The engine's functions ----

wg_module *__real_wg_module_new(const void *bytes, size_t size, wg_error *error);
wg_module *__wrap_wg_module_new(const void *bytes, size_t size, wg_error *error);
wg_module *__wrap_wg_module_new(const void *bytes, size_t size, wg_error *error) {
    segment inner;
    enter(&inner, STACK_LOAD);
    wg_module *made = __real_wg_module_new(bytes, size, error);
    leave();
    return made;
}

wg_instance *__real_wg_instance_new(wg_module *module, const wg_offer *offers, size_t count,
                                    const wg_limits *limits, wg_error *error);
wg_instance *__wrap_wg_instance_new(wg_module *module, const wg_offer *offers, size_t count,
                                    const wg_limits *limits, wg_error *error);
wg_instance *__wrap_wg_instance_new(wg_module *module, const wg_offer *offers, size_t count,
                                    const wg_limits *limits, wg_error *error) {
    segment inner;
    enter(&inner, STACK_LOAD);
    wg_instance *made = __real_wg_instance_new(module, offers, count, limits, error);
    leave();
    return made;
}

bool __real_wg_instance_call(wg_instance *instance, uint32_t index, const uint64_t *args,
                             size_t count, uint64_t *results, size_t native_room, wg_error *error);
bool __wrap_wg_instance_call(wg_instance *instance, uint32_t index, const uint64_t *args,
                             size_t count, uint64_t *results, size_t native_room, wg_error *error);
bool __wrap_wg_instance_call(wg_instance *instance, uint32_t index, const uint64_t *args,
                             size_t count, uint64_t *results, size_t native_room, wg_error *error) {
    segment inner;
    enter(&inner, STACK_RUN);
    bool good = __real_wg_instance_call(instance, index, args, count, results, native_room, error);
    leave();
    return good;
}

// The host's functions, which every instance of this board has in common.
static wg_host hosts_own;

static bool host(void *context, uint32_t index, const uint64_t *args, size_t count,
                 uint64_t *result, wg_error *error) {
    segment inner;
    enter(&inner, STACK_PYTHON);
    bool good = hosts_own(context, index, args, count, result, error);
    leave();
    return good;
}

void __real_wg_instance_set_hooks(wg_instance *instance, wg_host run, wg_poll poll, void *context);
void __wrap_wg_instance_set_hooks(wg_instance *instance, wg_host run, wg_poll poll, void *context);
void __wrap_wg_instance_set_hooks(wg_instance *instance, wg_host run, wg_poll poll, void *context) {
    hosts_own = run;
    __real_wg_instance_set_hooks(instance, host, poll, context);
}
