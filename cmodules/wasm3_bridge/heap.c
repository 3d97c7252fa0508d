/* Memory of the engine, counted per instance. */
#include "heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

#if defined(ESP_PLATFORM)
#include "esp_heap_caps.h"
#endif

/*
 * Code and wasm stacks are used with every instruction, so they lie in the memory inside the chip:
 * as long as enough of that is left for what can be nowhere else. Linear memories are always in
 * PSRAM.
 */
#if defined(ESP_PLATFORM) && defined(CONFIG_SPIRAM)
static uint32_t place(size_t size) {
    size_t left = heap_caps_get_free_size(MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT);
    bool inside = left > WG_INTERNAL_KEPT && size < left - WG_INTERNAL_KEPT;
    return MALLOC_CAP_8BIT | (inside ? MALLOC_CAP_INTERNAL : MALLOC_CAP_SPIRAM);
}

static void *block_resize(void *block, size_t size) {
    void *moved = heap_caps_realloc(block, size, place(size));
    return moved != NULL ? moved
                         : heap_caps_realloc(block, size, MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT);
}

static void *block_new(size_t size) {
    void *block = heap_caps_calloc(1, size, place(size));
    return block != NULL ? block : heap_caps_calloc(1, size, MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT);
}
#else
#define block_resize realloc
#define block_new(size) calloc(1, size)
#endif

/* Before each block. Its size keeps the block aligned as malloc's, but never below 8 bytes. */
typedef struct {
    _Alignas(8) wg_heap *owner;
    size_t size;
} wg_block;

static _Thread_local wg_heap *current;

wg_heap *wg_heap_enter(wg_heap *heap) {
    wg_heap *before = current;
    current = heap;
    return before;
}

static bool charge(wg_heap *owner, size_t more) {
    if (owner == NULL) {
        return true;
    }
    if (more > owner->limit - owner->used) {
        owner->refused = true;
        return false;
    }
    owner->used += more;
    if (owner->used > owner->peak) {
        owner->peak = owner->used;
    }
    return true;
}

void *wg_heap_allocate(size_t size) {
    if (size > SIZE_MAX / 2 || !charge(current, size + sizeof(wg_block))) {
        return NULL;
    }
    wg_block *block = block_new(size + sizeof(wg_block));
    if (block == NULL) {
        if (current != NULL) {
            current->used -= size + sizeof(wg_block);
            current->starved = true;
        }
        return NULL;
    }
    block->owner = current;
    block->size = size;
    return block + 1;
}

void *wg_heap_resize(void *pointer, size_t size) {
    if (pointer == NULL) {
        return wg_heap_allocate(size);
    }
    wg_block *block = (wg_block *)pointer - 1;
    wg_heap *owner = block->owner;
    size_t old = block->size;
    if (size > SIZE_MAX / 2 || (size > old && !charge(owner, size - old))) {
        return NULL;
    }
    wg_block *moved = block_resize(block, size + sizeof(wg_block));
    if (moved == NULL) {
        if (owner != NULL) {
            owner->used -= size > old ? size - old : 0;
            owner->starved = true;
        }
        return NULL;
    }
    if (owner != NULL && size < old) {
        owner->used -= old - size;
    }
    moved->size = size;
    return moved + 1;
}

void *wg_heap_resize_memory(void *pointer, size_t size) {
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    wg_block *block = pointer == NULL ? NULL : (wg_block *)pointer - 1;
#if defined(ESP_PLATFORM) && defined(CONFIG_SPIRAM)
    wg_block *moved =
        heap_caps_realloc(block, size + sizeof(wg_block), MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT);
#else
    wg_block *moved = realloc(block, size + sizeof(wg_block));
#endif
    if (moved == NULL) {
        if (current != NULL) {
            current->starved = true;
        }
        return NULL;
    }
    moved->owner = NULL;
    moved->size = size;
    return moved + 1;
}

void wg_heap_free(void *pointer) {
    if (pointer != NULL) {
        wg_block *block = (wg_block *)pointer - 1;
        if (block->owner != NULL) {
            block->owner->used -= block->size + sizeof(wg_block);
        }
        free(block);
    }
}
