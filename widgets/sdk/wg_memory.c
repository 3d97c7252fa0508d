/*
 * wg_memory.c - an arena over all of linear memory past the data.
 *
 * A run is short and its instance is thrown away afterwards, so nothing is freed one by one: the
 * post-return functions empty the arena, wg_release() goes back to a mark.
 */
#include "wg_widget.h"

#include "wg_memory.h"

static size_t used;

size_t wg_mark(void) {
    return used;
}

wg_str wg_release(size_t mark, wg_str keep) {
    char *kept = wg_platform_base() + mark;
    if (mark < used) {
        memmove(kept, keep.ptr, keep.len);
        used = mark + keep.len;
    }
    return (wg_str){kept, keep.len};
}

void wg_memory_reset(void) {
    used = 0;
}

void *wg_realloc(void *old, size_t old_size, size_t align, size_t size) {
    char *base = wg_platform_base();
    size_t start = (used + align - 1) & ~(align - 1);
    if (old_size != 0 && (char *)old + old_size == base + used) {
        start = (size_t)((char *)old - base);
        old_size = 0;
    }
    if (size > wg_platform_size() - start || start > wg_platform_size()) {
        if (size > SIZE_MAX / 2 || start > SIZE_MAX / 2 || !wg_platform_grow(start + size)) {
            __builtin_trap();
        }
    }
    used = start + size;
    if (old_size != 0) {
        memcpy(base + start, old, old_size < size ? old_size : size);
    }
    return base + start;
}

void *wg_alloc(size_t size) {
    return wg_realloc(NULL, 0, 8, size);
}

#ifdef __wasm__

/* The loops below must not be turned into calls of themselves: -fno-builtin (see `wg widget
 * build`). */

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    char *t = to;
    const char *f = from;
    while (size-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    char *t = to;
    const char *f = from;
    if (t < f) {
        return memcpy(to, from, size);
    }
    while (size-- > 0) {
        t[size] = f[size];
    }
    return to;
}

void *memset(void *to, int byte, size_t size) {
    char *t = to;
    while (size-- > 0) {
        *t++ = (char)byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (; size > 0; size--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

size_t strlen(const char *text) {
    size_t len = 0;
    while (text[len] != '\0') {
        len++;
    }
    return len;
}

#endif
