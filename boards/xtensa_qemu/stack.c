// Measures the native stack: what lies below the stack pointer is filled with a mark, and searched
// where the kind of code changes. The engine's functions are wrapped by the linker (--wrap), so
// that the engine knows nothing of it.
#include "stack.h"

#include <stdint.h>
#include <string.h>

#include "../../cmodules/wasm3_bridge/engine.h"
#include "threads.h"

// So many unchanged bytes, and there is nothing below them: no frame of ours leaves out more.
#define UNTOUCHED (4 * 1024)

// Left alone below the stack pointer: the frames of the functions here.
#define OWN 256

// Left alone below the stack pointer of a thread that does not run: its last caller's a0 to a3.
#define SAVE_AREA 64

extern uint32_t _stack_bottom[], _stack_top[];

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
        if (*word != STACK_MARK) {
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
        *lowest++ = STACK_MARK;
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

void stack_fill(uint32_t *from, const char *to) {
    for (uint32_t *word = from; (const char *)word < to; word++) {
        *word = STACK_MARK;
    }
}

void stack_note(uint32_t *bottom, const char *used, const char *end) {
    (void)used;
    const uint32_t *lowest = bottom;
    while ((const char *)lowest < end && *lowest == STACK_MARK) {
        lowest++;
    }
    size_t bytes = (size_t)(end - (const char *)lowest);
    if (bytes > deepest[STACK_RUN]) {
        deepest[STACK_RUN] = bytes;
    }
}

static void fill_below(uint32_t *bottom, const char *used, const char *end) {
    (void)end;
    stack_fill(bottom, used - SAVE_AREA);
}

void stack_start(void) {
    first.from = stack_pointer();
    now = &first;
    stack_fill(_stack_bottom, stack_pointer() - OWN);
}

size_t stack_deepest(stack_kind kind) {
    look();
    threads_see_stacks(stack_note);
    return deepest[kind];
}

void stack_reset(void) {
    look();
    threads_see_stacks(fill_below);
    memset(deepest, 0, sizeof(deepest));
}

// Are we on the first thread's stack? The others are measured as a whole.
static bool on_first_stack(void) {
    const char *at = stack_pointer();
    return at >= (const char *)_stack_bottom && at < (const char *)_stack_top;
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
    if (!on_first_stack()) {
        return __real_wg_instance_call(instance, index, args, count, results, native_room, error);
    }
    segment inner;
    enter(&inner, STACK_RUN);
    bool good = __real_wg_instance_call(instance, index, args, count, results, native_room, error);
    leave();
    return good;
}

// The host's functions of an inline call, which all instances have in common. Those of a call in a
// thread are on that thread's stack.
static wg_host host_inline;

static bool host(void *context, uint32_t index, const uint64_t *args, size_t count,
                 uint64_t *result, wg_error *error) {
    segment inner;
    enter(&inner, STACK_PYTHON);
    bool good = host_inline(context, index, args, count, result, error);
    leave();
    return good;
}

void __real_wg_instance_set_hooks(wg_instance *instance, wg_host run, wg_poll poll, void *context);
void __wrap_wg_instance_set_hooks(wg_instance *instance, wg_host run, wg_poll poll, void *context);
void __wrap_wg_instance_set_hooks(wg_instance *instance, wg_host run, wg_poll poll, void *context) {
    if (poll == NULL) { // task.c's: a thread asks nobody whether to go on
        __real_wg_instance_set_hooks(instance, run, poll, context);
        return;
    }
    host_inline = run;
    __real_wg_instance_set_hooks(instance, host, poll, context);
}
