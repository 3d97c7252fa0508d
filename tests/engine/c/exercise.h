/*
 * Does all with a module that the engine can do: loads it, links it to functions that return 0,
 * compiles it whole, calls each exported function on little fuel, resets the instance and compares
 * it with a new one, whose runs go to their ends at once while those of the other are suspended
 * again and again. Errors are fine; a crash, a leak, or a difference is not.
 */
#ifndef EXERCISE_H
#define EXERCISE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

typedef struct {
    unsigned loaded, linked, compiled, calls, returned, reset, paused;
    uint32_t fuel;  /* of each call */
    uint32_t pages; /* at most */
    uint64_t arg;   /* of each parameter */
} exercise;

#define EXERCISE_ROOM (256 * 1024)

static bool exercise_host(void *context, uint32_t index, const uint64_t *args, size_t count,
                          uint64_t *result, wg_error *error) {
    (void)context, (void)index, (void)args, (void)count, (void)error;
    *result = 0;
    return true;
}

static wg_instance *exercise_link(const exercise *e, wg_module *module, wg_error *error) {
    const wg_import *imports;
    size_t count = wg_module_imports(module, &imports);
    wg_offer *offers = calloc(count + 1, sizeof(*offers));
    char (*types)[64] = calloc(count + 1, sizeof(*types));
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (imports[i].item.kind == WG_FUNC) {
            size_t length = wg_type_write(imports[i].item.type, types[used], sizeof(*types));
            offers[used] = (wg_offer){imports[i].module, imports[i].name, types[used], length};
            used++;
        }
    }
    wg_limits limits = {.pages = e->pages, .heap = 1 << 20, .native_stack = 128 * 1024};
    wg_instance *instance = wg_instance_new(module, offers, used, &limits, error);
    free(offers);
    free(types);
    if (instance != NULL) {
        wg_instance_set_hooks(instance, exercise_host, NULL, NULL);
    }
    return instance;
}

static void exercise_differ(const char *what) {
    fprintf(stderr, "an instance after reset() differs from a new one: %s\n", what);
    abort();
}

static void exercise_compare_memory(const wg_instance *a, const wg_instance *b) {
    size_t size = wg_instance_memory_size(a);
    if (wg_instance_memory_size(b) != size) {
        exercise_differ("size of memory");
    }
    static uint8_t left[65536], right[65536];
    wg_error error;
    for (size_t at = 0; at < size; at += sizeof(left)) {
        if (!wg_instance_read(a, (uint32_t)at, left, sizeof(left), &error) ||
            !wg_instance_read(b, (uint32_t)at, right, sizeof(right), &error) ||
            memcmp(left, right, sizeof(left)) != 0) {
            exercise_differ("memory");
        }
    }
}

typedef struct {
    bool good;
    wg_error error;
    uint64_t results[WG_MAX_RESULTS];
} exercise_outcome;

static void exercise_args(const exercise *e, const wg_item *item, uint64_t *args) {
    for (size_t i = 0; i < WG_MAX_PARAMS; i++) {
        bool narrow = i < item->type->params && strchr("if", item->type->letters[i]) != NULL;
        args[i] = narrow ? (uint32_t)e->arg : e->arg;
    }
}

/* Pauses of a run; the rest of it goes on at once. */
#define EXERCISE_PAUSES 300

/* The same call, suspended at each host call, and after each of the first units. */
static void exercise_steps(exercise *e, wg_instance *instance, const wg_item *item,
                           exercise_outcome *outcome) {
    uint64_t args[WG_MAX_PARAMS];
    exercise_args(e, item, args);
    memset(outcome, 0, sizeof(*outcome));
    wg_instance_set_fuel(instance, e->fuel);
    if (!wg_instance_begin(instance, item->index, args, item->type->params, &outcome->error)) {
        return;
    }
    unsigned pauses = 0, heavy = 0;
    wg_event event;
    for (;;) {
        int32_t most = pauses < EXERCISE_PAUSES ? 1 + (int32_t)(pauses % 3) : 0;
        if (heavy > 0) {
            most = heavy == 1 ? 1 << 20 : 0;
        }
        wg_instance_go_on(instance, most, EXERCISE_ROOM, &event);
        heavy = event.kind == WG_HEAVY ? heavy + 1 : 0;
        if (event.kind == WG_PAUSED || event.kind == WG_HEAVY) {
            pauses++;
        } else if (event.kind == WG_HOST_CALL) {
            wg_instance_answer(instance, 0);
        } else {
            break;
        }
    }
    e->paused += pauses;
    outcome->good = event.kind == WG_DONE;
    if (outcome->good) {
        memcpy(outcome->results, event.values, event.count * sizeof(*event.values));
    } else {
        outcome->error = event.error;
    }
}

static void exercise_call(const exercise *e, wg_instance *instance, const wg_item *item,
                          exercise_outcome *outcome) {
    uint64_t args[WG_MAX_PARAMS];
    exercise_args(e, item, args);
    memset(outcome, 0, sizeof(*outcome));
    wg_instance_set_fuel(instance, e->fuel);
    outcome->good = wg_instance_call(instance, item->index, args, item->type->params,
                                     outcome->results, EXERCISE_ROOM, &outcome->error);
}

static void exercise_compare(const exercise_outcome *a, const exercise_outcome *b) {
    if (a->good != b->good || memcmp(a->results, b->results, sizeof(a->results)) != 0) {
        exercise_differ("results");
    }
    if (!a->good &&
        (a->error.code != b->error.code || strcmp(a->error.message, b->error.message) != 0)) {
        fprintf(stderr, "%s\n%s\n", a->error.message, b->error.message);
        exercise_differ("error");
    }
}

/* Not where heap or stack ended: the one compiles what the other did before. */
static bool exercise_comparable(const exercise_outcome *outcome) {
    const char *kind = outcome->error.kind;
    return outcome->good || kind == NULL ||
           (strcmp(kind, "heap") != 0 && strcmp(kind, "call stack exhausted") != 0);
}

/* The same calls on a used instance after a reset and on a new one. */
static void exercise_reset(exercise *e, wg_instance *used, wg_module *module) {
    wg_error error;
    const wg_export *exports;
    size_t count = wg_module_exports(module, &exports);
    wg_instance *fresh = exercise_link(e, module, &error);
    if (fresh == NULL || !wg_instance_reset(used, &error) ||
        !wg_instance_compile(used, EXERCISE_ROOM, &error)) { /* so that runs go on in steps */
        wg_instance_free(fresh);
        return;
    }
    e->reset++;
    exercise_compare_memory(used, fresh);
    for (size_t i = 0; i < count; i++) {
        const wg_item *item = &exports[i].item;
        if (item->kind == WG_FUNC && item->type->params <= WG_MAX_PARAMS &&
            !wg_instance_dead(fresh)) {
            exercise_outcome first, second;
            exercise_call(e, fresh, item, &first);
            if (wg_engine_suspends()) {
                exercise_steps(e, used, item, &second);
            } else {
                exercise_call(e, used, item, &second);
            }
            if (!exercise_comparable(&first) || !exercise_comparable(&second)) {
                break;
            }
            exercise_compare(&first, &second);
            exercise_compare_memory(used, fresh);
        }
    }
    wg_instance_free(fresh);
}

static void exercise_module(exercise *e, const void *bytes, size_t size) {
    wg_error error;
    wg_module *module = wg_module_new(bytes, size, &error);
    if (module == NULL) {
        return;
    }
    e->loaded++;
    wg_instance *instance = exercise_link(e, module, &error);
    if (instance != NULL) {
        e->linked++;
        e->compiled += wg_instance_compile(instance, EXERCISE_ROOM, &error);
    }
    const wg_export *exports;
    size_t count = wg_module_exports(module, &exports);
    for (size_t i = 0; i < count && instance != NULL; i++) {
        const wg_item *item = &exports[i].item;
        if (item->kind != WG_FUNC || item->type->params > WG_MAX_PARAMS) {
            continue;
        }
        exercise_outcome outcome;
        exercise_call(e, instance, item, &outcome);
        e->calls++;
        e->returned += outcome.good;
        if (wg_instance_dead(instance)) {
            exercise_reset(e, instance, module);
            wg_instance_free(instance);
            instance = exercise_link(e, module, &error);
        }
    }
    if (instance != NULL) {
        exercise_reset(e, instance, module);
        wg_instance_free(instance);
    }
    wg_module_release(module);
}

#endif
