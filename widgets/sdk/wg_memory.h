/* wg_memory.h - the arena and what the compiler expects of a C library. Internal to the SDK. */
#ifndef WG_MEMORY_H
#define WG_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Grows the last block in place where it can, else copies. `align` is a power of two. */
void *wg_realloc(void *old, size_t old_size, size_t align, size_t size);
/* Empties the arena. */
void wg_memory_reset(void);

/* Given by the platform: where the arena starts (aligned to 8, never moves), how many bytes it has,
 * and more of them: wg_platform_grow() makes it `size` bytes long at least, or returns false. */
char *wg_platform_base(void);
size_t wg_platform_size(void);
bool wg_platform_grow(size_t size);

#ifdef __wasm__
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
#else
#include <string.h>
#endif

#endif
