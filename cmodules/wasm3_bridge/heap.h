/*
 * Memory of the engine, counted per instance. wasm3 allocates through the functions that its
 * patched m3_core.c names; which instance pays is the thread's current owner.
 */
#ifndef WG_HEAP_H
#define WG_HEAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t limit;
    size_t used;
    size_t peak;
    /* Since these were last cleared: the limit said no, the system said no. */
    bool refused;
    bool starved;
} wg_heap;

/* Makes `heap` the one that pays for this thread's allocations, and returns the one before. NULL:
 * nobody. */
wg_heap *wg_heap_enter(wg_heap *heap);

/* Zeroed memory, aligned for uint64_t; NULL if there is none. */
void *wg_heap_allocate(size_t size);

/* As realloc; the new part is not zeroed. Paid by the block's owner. */
void *wg_heap_resize(void *block, size_t size);

/* As wg_heap_resize(), for linear memory: nobody pays, since pages have their own limit. */
void *wg_heap_resize_memory(void *block, size_t size);

void wg_heap_free(void *block);

#endif
