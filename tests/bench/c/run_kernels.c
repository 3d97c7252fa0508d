// Runs functions of modules and counts: on the Xtensa board instructions and native stack, on a PC
// nanoseconds.
//
// Standard input has a line for each run: "FILE FUNCTION ARGUMENT TIMES". For each, a line comes
// out: "RESULT COLD WARM STACK HEAP PEAK MEMORY": the first result; what it took to make an
// instance and call the function once; what the last of its calls took (the least of them, on a
// PC); the deepest native stack of the last call, and the engine's memory without linear memory, in
// bytes. Imported functions do nothing and give 0; further parameters are 0.
//
// With WG_STOCK it is wasm3 as released, without the engine around it. With WG_NO_QUOTAS no run has
// any.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t heap_used, heap_peak, linear;

#if defined(__XTENSA__)
#include "console.h"
#include "threads.h"

// The board's interrupts save and restore the one thread that there is.
static uint32_t registers[64];
uint32_t *threads_running = registers;

void threads_tick(void) {
}

const uint32_t *threads_next(uint64_t now, uint64_t *wake_at) {
    (void)now;
    *wake_at = THREADS_NEVER;
    return registers;
}

// QEMU runs an instruction each nanosecond (-icount shift=0); the core's counter goes at 40 MHz.
#define INSTRUCTIONS_PER_CYCLE 25
#define MARK 0xa5
// Stack below a function's own frame that is left as it is.
#define MARGIN 512

extern char _stack_bottom;
int main(void);

static uint64_t count(void) {
    static uint64_t sum;
    static uint32_t before;
    uint32_t now;
    __asm__ volatile("rsr %0, ccount" : "=a"(now));
    sum += now - before;
    before = now;
    return sum * INSTRUCTIONS_PER_CYCLE;
}

static char *stack_pointer(void) {
    char *pointer;
    __asm__ volatile("mov %0, a1" : "=a"(pointer));
    return pointer;
}

static __attribute__((noinline)) void mark_stack(void) {
    char *end = stack_pointer() - MARGIN;
    for (char *at = &_stack_bottom; at < end; at++) {
        *at = (char)MARK;
    }
}

static __attribute__((noinline)) size_t stack_used(const char *from) {
    const char *at = &_stack_bottom;
    while (at < from && *at == (char)MARK) {
        at++;
    }
    return (size_t)(from - at);
}

// The file, and its size; NULL if it can't be read.
static void *read_file(const char *path, size_t most, size_t *size) {
    int file = console_open(path);
    char *bytes = file < 0 ? NULL : malloc(most);
    if (bytes == NULL) {
        return NULL;
    }
    *size = 0;
    int got;
    while ((got = console_read(file, bytes + *size, 4096)) > 0) {
        *size += (size_t)got;
    }
    console_close(file);
    return realloc(bytes, *size);
}

static bool read_line(char *line, int size) {
    int n = 0;
    while (n < size - 1 && console_read(CONSOLE_INPUT, line + n, 1) == 1 && line[n] != '\n') {
        n++;
    }
    line[n] = 0;
    return n > 0;
}
#else
#include <time.h>

static uint64_t count(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static char *stack_pointer(void) {
    return NULL;
}

static void mark_stack(void) {
}

static size_t stack_used(const char *from) {
    (void)from;
    return 0;
}

static void *read_file(const char *path, size_t most, size_t *size) {
    FILE *file = fopen(path, "rb");
    void *bytes = file == NULL ? NULL : malloc(most);
    if (bytes == NULL) {
        return NULL;
    }
    *size = fread(bytes, 1, most, file);
    fclose(file);
    return bytes;
}

static bool read_line(char *line, int size) {
    return fgets(line, size, stdin) != NULL && line[0] != '\n';
}
#endif

static void fail(const char *what, const char *why) {
    printf("error: %s: %s\n", what, why);
    exit(1);
}

#ifdef WG_STOCK
#include "m3_env.h"
#include "wasm3.h"

typedef struct {
    IM3Environment environment;
    IM3Runtime runtime;
    IM3Function function;
} target;

static m3ApiRawFunction(nothing) {
    IM3Function function = _ctx->function;
    memset(_sp, 0, m3_GetRetCount(function) * sizeof(*_sp));
    m3ApiSuccess();
}

static void load(target *t, const void *bytes, size_t size, const char *name) {
    IM3Module module;
    t->environment = m3_NewEnvironment();
    t->runtime = m3_NewRuntime(t->environment, 64 * 1024, NULL);
    M3Result result = m3_ParseModule(t->environment, &module, bytes, (uint32_t)size);
    if (result == m3Err_none) {
        result = m3_LoadModule(t->runtime, module);
    }
    for (uint32_t i = 0; result == m3Err_none && i < module->numFunctions; i++) {
        IM3Function f = &module->functions[i];
        if (f->import.moduleUtf8 != NULL) {
            result = m3_LinkRawFunction(module, f->import.moduleUtf8, f->import.fieldUtf8, NULL,
                                        nothing);
        }
    }
    if (result == m3Err_none) {
        result = m3_FindFunction(&t->function, t->runtime, name);
    }
    if (result != m3Err_none) {
        fail(name, result);
    }
}

static void unload(target *t) {
    m3_FreeRuntime(t->runtime);
    m3_FreeEnvironment(t->environment);
}

static uint32_t call(target *t, uint64_t argument) {
    uint64_t args[16] = {argument}, results[16] = {0};
    const void *pointers[16], *to[16];
    for (int i = 0; i < 16; i++) {
        pointers[i] = &args[i];
        to[i] = &results[i];
    }
    M3Result result = m3_Call(t->function, m3_GetArgCount(t->function), pointers);
    if (result == m3Err_none) {
        result = m3_GetResults(t->function, m3_GetRetCount(t->function), to);
    }
    if (result != m3Err_none) {
        fail("call", result);
    }
    return (uint32_t)results[0];
}
#else
#include "engine.h"

#define MANY 64
#define FUEL 1000000000000
#define DEADLINE_MS (60 * 60 * 1000)

typedef struct {
    wg_instance *instance;
    uint32_t function;
    const wg_type *type;
} target;

static bool nothing(void *context, uint32_t index, const uint64_t *args, size_t count,
                    uint64_t *result, wg_error *error) {
    (void)context, (void)index, (void)args, (void)count, (void)error;
    *result = 0;
    return true;
}

static void load(target *t, const void *bytes, size_t size, const char *name) {
    static char types[MANY][64];
    wg_error error;
    wg_module *module = wg_module_new(bytes, size, &error);
    if (module == NULL) {
        fail(name, error.message);
    }
    const wg_import *imports;
    size_t count = wg_module_imports(module, &imports);
    wg_offer offers[MANY];
    for (size_t i = 0; i < count && i < MANY; i++) {
        size_t length = wg_type_write(imports[i].item.type, types[i], sizeof(types[i]));
        offers[i] = (wg_offer){imports[i].module, imports[i].name, types[i], length};
    }
    t->instance = wg_instance_new(module, offers, count, &(wg_limits){0}, &error);
    wg_module_release(module);
    if (t->instance == NULL) {
        fail(name, error.message);
    }
    wg_instance_set_hooks(t->instance, nothing, NULL, NULL);
    t->function = wg_instance_find(t->instance, name, strlen(name), &t->type);
    if (t->function == UINT32_MAX) {
        fail(name, "no such function");
    }
#ifndef WG_NO_QUOTAS
    wg_instance_set_fuel(t->instance, FUEL);
    wg_instance_set_deadline(t->instance, DEADLINE_MS);
#endif
}

static void unload(target *t) {
    wg_instance_free(t->instance);
}

static uint32_t call(target *t, uint64_t argument) {
    uint64_t args[WG_MAX_PARAMS] = {argument}, results[WG_MAX_RESULTS];
    wg_error error;
    if (!wg_instance_call(t->instance, t->function, args, t->type->params, results, 128 * 1024,
                          &error)) {
        fail("call", error.message);
    }
    heap_used = wg_instance_heap_used(t->instance);
    heap_peak = wg_instance_heap_peak(t->instance);
    linear = wg_instance_memory_size(t->instance);
    return (uint32_t)results[0];
}
#endif

#define FILE_SIZE (2 * 1024 * 1024)

int main(void) {
    char line[512];
    while (read_line(line, sizeof(line))) {
        char path[256], name[128];
        unsigned argument, times;
        if (sscanf(line, "%255s %127s %u %u", path, name, &argument, &times) != 4) {
            fail(line, "no FILE FUNCTION ARGUMENT TIMES");
        }
        size_t size, stack = 0;
        void *bytes = read_file(path, FILE_SIZE, &size);
        if (bytes == NULL) {
            fail(path, "can't be read");
        }
        target t;
        uint64_t start = count();
        load(&t, bytes, size, name);
        uint32_t result = call(&t, argument);
        uint64_t cold = count() - start, warm = UINT64_MAX;
        for (unsigned i = 1; i < times; i++) {
            mark_stack();
            start = count();
            call(&t, argument);
            uint64_t taken = count() - start;
            stack = stack_used(stack_pointer());
            warm = taken < warm ? taken : warm;
        }
        unload(&t);
        free(bytes);
        printf("%lu %llu %llu %lu %lu %lu %lu\n", (unsigned long)result, (unsigned long long)cold,
               (unsigned long long)warm, (unsigned long)stack, (unsigned long)heap_used,
               (unsigned long)heap_peak, (unsigned long)linear);
        fflush(stdout);
    }
    return 0;
}
