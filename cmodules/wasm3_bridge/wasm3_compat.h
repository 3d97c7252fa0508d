/*
 * All that the engine touches of wasm3 beyond its public header, and all that differs between its
 * versions. The sources are those with patches/<version>/ applied.
 */
#ifndef WG_WASM3_COMPAT_H
#define WG_WASM3_COMPAT_H

#include <string.h>

#include "m3_env.h"
#include "wasm3.h"

/* The linear memory's header, where the handlers look for the slice and the limits. */
static inline M3MemoryHeader *wg_m3_header(IM3Runtime runtime) {
    return runtime->memory.mallocated;
}

static inline size_t wg_m3_memory_size(IM3Runtime runtime) {
    M3MemoryHeader *header = wg_m3_header(runtime);
    return header == NULL ? 0 : header->length;
}

static inline uint8_t *wg_m3_memory(IM3Runtime runtime) {
    return (uint8_t *)(wg_m3_header(runtime) + 1);
}

static inline IM3Function wg_m3_function(IM3Module module, uint32_t index) {
    return &module->functions[index];
}

static inline uint32_t wg_m3_function_index(IM3Module module, IM3Function function) {
    return (uint32_t)(function - module->functions);
}

/* The function that the run on this runtime trapped in; NULL: the one that was called. */
static inline IM3Function wg_m3_trapped(IM3Runtime runtime) {
    return runtime->trapped;
}

static inline void wg_m3_forget_trapped(IM3Runtime runtime) {
    runtime->trapped = NULL;
}

/* wasm3 must not run the start function by itself, before whichever call comes first. */
static inline void wg_m3_forget_start(IM3Module module) {
    module->startFunction = -1;
}

/* Compiles a function unless it is. */
static inline M3Result wg_m3_compile(IM3Function function) {
    return function->compiled ? m3Err_none : CompileFunction(function);
}

/* Of m3_env.c, which declares them in no header. */
M3Result InitGlobals(IM3Module module);
M3Result InitDataSegments(M3Memory *memory, IM3Module module);

/* The size of a data segment, before the module is loaded: then an active one is dropped. */
static inline uint32_t wg_m3_segment_size(IM3Module module, uint32_t index) {
    return module->dataSegments[index].size;
}

/*
 * Memory, globals and segments as m3_LoadModule() leaves them; sizes: of the data segments. Nothing
 * that the validator lets pass changes a table. The code stays: it holds no address within linear
 * memory, and those of globals, tables and segments stay.
 */
static inline M3Result wg_m3_reset(IM3Runtime runtime, IM3Module module, const uint32_t *sizes) {
    M3Result result = ResizeMemory(runtime, module->memoryInfo.initPages);
    if (result != m3Err_none) {
        return result;
    }
    if (wg_m3_memory_size(runtime) > 0) {
        memset(wg_m3_memory(runtime), 0, wg_m3_memory_size(runtime));
    }
    for (uint32_t i = 0; i < module->numDataSegments; i++) {
        module->dataSegments[i].size = sizes[i];
#if M3_VERSION_MINOR > 5
        module->dataSegments[i].dropped = false;
#endif
    }
    runtime->stack = runtime->originStack;
    memset(runtime->stack, 0, (size_t)((char *)runtime->stackEnd - (char *)runtime->stack));
    result = InitGlobals(module);
    return result != m3Err_none ? result : InitDataSegments(&runtime->memory, module);
}

/* Takes the unit of a call from the host, where m3_Call() itself does not: 0.5.0's does. */
static inline void wg_m3_count_call(IM3Runtime runtime) {
#if M3_VERSION_MINOR > 5
    wg_m3_header(runtime)->slice--;
#else
    (void)runtime;
#endif
}

/* Room for `slots` 64-bit values from where a call on this runtime would put its first? Below that
 * is the address that the function returns to. The call of 0.5.0 makes room itself. */
static inline bool wg_m3_has_room(IM3Runtime runtime, size_t slots) {
#if M3_VERSION_MINOR > 5
    return (size_t)((char *)runtime->stackEnd - (char *)runtime->stack) >= (slots + 1) * 8;
#else
    (void)runtime;
    (void)slots;
    return true;
#endif
}

/* Can a run return to the host in the middle and go on later? Not in 0.9.0, whose calls are native
 * frames. */
#if M3_VERSION_MINOR > 5
#define WG_SUSPENDS 0
typedef struct {
    int unused;
} wg_m3_suspension;
#else
#define WG_SUSPENDS 1
typedef M3Suspension wg_m3_suspension;
#endif

/* Whether runs are suspended before they compile a function. */
static inline void wg_m3_compile_later(IM3Runtime runtime, bool later) {
#if WG_SUSPENDS
    runtime->compilesLater = later;
#else
    (void)runtime;
    (void)later;
#endif
}

/* The result of a run that was suspended, and of what suspends it. */
static inline M3Result wg_m3_suspended(void) {
#if WG_SUSPENDS
    return m3Err_suspended;
#else
    return "this wasm3 can't suspend a run";
#endif
}

/* Where the run is that was suspended last. */
static inline wg_m3_suspension wg_m3_suspension_of(IM3Runtime runtime) {
#if WG_SUSPENDS
    return runtime->suspension;
#else
    (void)runtime;
    return (wg_m3_suspension){0};
#endif
}

/* Goes on with a run of the function. */
static inline M3Result wg_m3_resume(IM3Function function, const wg_m3_suspension *suspension) {
#if WG_SUSPENDS
    function->module->runtime->suspension = *suspension;
    return m3_Resume(function);
#else
    (void)function;
    (void)suspension;
    return wg_m3_suspended();
#endif
}

/* Where the host function that is at work finds its arguments, and leaves its result. */
static inline uint64_t *wg_m3_host_frame(IM3Runtime runtime) {
    return runtime->stack;
}

static inline void wg_m3_set_limits(IM3Runtime runtime, uint32_t pages,
                                    const void *(*interrupt)(IM3Runtime)) {
    runtime->maxPages = pages;
    runtime->interrupt = interrupt;
}

/* The lowest address that the native stack may reach in what runs from now on. */
static inline void wg_m3_set_native_limit(IM3Runtime runtime, void *limit) {
    runtime->nativeLimit = limit;
    wg_m3_header(runtime)->nativeLimit = limit;
}

#endif
