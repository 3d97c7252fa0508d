/*
 * harness.c - the SDK and one widget on the PC, under the sanitizers, driven by sdk.py over pipes.
 *
 * A request is an operation (one byte), the number of its arguments (u32) and each argument as a
 * length (u32) and bytes; an answer is a length and bytes. Every argument and every allocation is a
 * block of its own, so that reading or writing one byte past it is found.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wg_memory.h"
#include "wg_text.h"
#include "wg_widget.h"

#define MAX_ARGUMENTS 4096

static wg_str arguments[MAX_ARGUMENTS];
static uint32_t count;

/* ---- memory: a block each, freed after the request ------------------------------------------ */

#ifndef HARNESS_ARENA

#define MAX_BLOCKS 1000000

static void *blocks[MAX_BLOCKS];
static size_t block_count;

void *wg_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)align;
    if (block_count == MAX_BLOCKS) {
        abort();
    }
    char *block = malloc(size != 0 ? size : 1);
    if (block == NULL) {
        abort();
    }
    blocks[block_count++] = block;
    if (old_size != 0) {
        memcpy(block, old, old_size < size ? old_size : size);
        memset(old, 0xA5, old_size); /* whoever keeps a pointer into it will read this */
    }
    return block;
}

void *wg_alloc(size_t size) {
    return wg_realloc(NULL, 0, 8, size);
}

size_t wg_mark(void) {
    return block_count;
}

wg_str wg_release(size_t mark, wg_str keep) {
    char *kept = malloc(keep.len != 0 ? keep.len : 1);
    if (kept == NULL) {
        abort();
    }
    memcpy(kept, keep.ptr != NULL ? keep.ptr : "", keep.len);
    while (block_count > mark) {
        free(blocks[--block_count]);
    }
    blocks[block_count++] = kept;
    return (wg_str){kept, keep.len};
}

void wg_memory_reset(void) {
    while (block_count > 0) {
        free(blocks[--block_count]);
    }
}

#else

static _Alignas(8) char arena[1 << 20];
static size_t arena_size = 4096;

char *wg_platform_base(void) {
    return arena;
}

size_t wg_platform_size(void) {
    return arena_size;
}

bool wg_platform_grow(size_t size) {
    if (size > sizeof(arena)) {
        return false;
    }
    arena_size = size;
    return true;
}

#endif

/* ---- the host: answers from the arguments, requests into a log ------------------------------- */

static char host_log[1 << 20]; /* not in the widget's memory */
static size_t host_log_len;
static uint32_t next_answer;
static uint64_t host_now;

wg_response wg_http(wg_method method, wg_str url, const wg_str *body) {
    wg_response response = {0};
    wg_str clean = wg_text_valid(url);
    if (host_log_len + clean.len + 8 < sizeof(host_log)) {
        host_log_len += (size_t)sprintf(host_log + host_log_len, "%d ", (int)method);
        memcpy(host_log + host_log_len, clean.ptr, clean.len);
        host_log_len += clean.len;
        host_log[host_log_len++] = '\n';
    }
    (void)body;
    if (next_answer < count && arguments[next_answer].len >= 2) {
        wg_str answer = arguments[next_answer];
        response.ok = true;
        response.status =
            (uint16_t)((unsigned char)answer.ptr[0] | (unsigned char)answer.ptr[1] << 8);
        response.body.len = answer.len - 2;
        response.body.ptr = wg_realloc(NULL, 0, 1, response.body.len);
        memcpy((char *)response.body.ptr, answer.ptr + 2, response.body.len);
    }
    next_answer++;
    return response;
}

wg_datetime wg_now(void) {
    return (wg_datetime){host_now, 0};
}

uint64_t wg_random(void) {
    return 4;
}

void wg_log(wg_level level, wg_str context, wg_str message) {
    (void)level;
    (void)context;
    (void)message;
}

/* ---- operations ---------------------------------------------------------------------------- */

static wg_text out;

static int64_t number(uint32_t index) {
    char digits[32] = {0};
    wg_str text = arguments[index];
    memcpy(digits, text.ptr, text.len < 31 ? text.len : 31);
    return text.len > 0 && digits[0] != '-' ? (int64_t)strtoull(digits, NULL, 10)
                                            : strtoll(digits, NULL, 10);
}

static void put_value(wg_json value) {
    wg_json_kind kind = wg_json_type(value);
    bool first = true;
    if (kind == WG_JSON_STRING) {
        wg_put_json(&out, wg_json_string(value, WG_STR("?")));
    } else if (kind == WG_JSON_ARRAY || kind == WG_JSON_OBJECT) {
        wg_put_char(&out, kind == WG_JSON_ARRAY ? '[' : '{');
        for (wg_json_each each = wg_json_iterate(value); wg_json_next(&each); first = false) {
            if (!first) {
                wg_put_char(&out, ',');
            }
            if (kind == WG_JSON_OBJECT) {
                put_value(each.name);
                wg_put_char(&out, ':');
            }
            put_value(each.value);
        }
        wg_put_char(&out, kind == WG_JSON_ARRAY ? ']' : '}');
    } else {
        wg_put_str(&out, (wg_str){value.ptr, value.len});
    }
}

static void put_date(const wg_date *date) {
    wg_put_time(&out, WG_STR("%Y-%m-%d %H:%M:%S %u %j "), date);
    wg_put_int(&out, date->offset);
    wg_put_char(&out, ' ');
    wg_put_str(&out, date->zone);
}

static void operate(char operation) {
    wg_zone zone;
    wg_date date;
    int64_t seconds;
    double real;

    switch (operation) {
    case 'j': { /* document: the same document, nothing if malformed */
        wg_json document = wg_json_parse(arguments[0]);
        if (wg_json_type(document) != WG_JSON_NOTHING) {
            put_value(document);
        }
        break;
    }
    case 'm': { /* document, path: what is there */
        wg_text path = {0};
        wg_put_str(&path, arguments[1]);
        wg_put_char(&path, '\0');
        wg_json value = wg_json_find(wg_json_parse(arguments[0]), path.ptr);
        wg_put_str(&out, (wg_str){value.ptr, value.len});
        break;
    }
    case 'n': /* number: int64, double as text that is exact */
        wg_put_int(&out, wg_json_int(wg_json_parse(arguments[0]), -1));
        real = wg_json_double(wg_json_parse(arguments[0]), -1);
        wg_put_char(&out, ' ');
        uint64_t bits;
        memcpy(&bits, &real, sizeof(bits));
        wg_put_uint(&out, bits);
        break;
    case 'f': /* bits of a double, decimals */
        bits = (uint64_t)number(0);
        memcpy(&real, &bits, sizeof(bits));
        wg_put_fixed(&out, real, (unsigned)number(1));
        break;
    case 'i': /* number, digits */
        wg_put_int(&out, number(0));
        wg_put_char(&out, ' ');
        wg_put_uint(&out, (uint64_t)number(0));
        wg_put_char(&out, ' ');
        wg_put_padded(&out, (uint64_t)number(0), (unsigned)number(1));
        break;
    case 'u':
        wg_put_url(&out, arguments[0]);
        break;
    case 'q':
        wg_put_json(&out, arguments[0]);
        break;
    case 'c': /* text, columns */
        wg_put_clean(&out, arguments[0], (size_t)number(1));
        break;
    case 'v':
        wg_put_str(&out, wg_text_valid(arguments[0]));
        break;
    case 'o': /* ISO 8601: seconds and date, nothing if malformed */
        if (wg_iso_parse(arguments[0], &seconds, &date)) {
            wg_put_int(&out, seconds);
            wg_put_char(&out, ' ');
            put_date(&date);
        }
        break;
    case 'd': /* seconds, offset */
        date = wg_date_at(number(0), (int32_t)number(1));
        put_date(&date);
        break;
    case 's': /* format, seconds, offset */
        date = wg_date_at(number(1), (int32_t)number(2));
        wg_put_time(&out, arguments[0], &date);
        break;
    case 'z': /* name of a zone, seconds...: a line each, nothing if unknown */
        if (wg_zone_find(arguments[0], &zone)) {
            for (uint32_t i = 1; i < count; i++) {
                date = wg_zone_date(&zone, number(i));
                put_date(&date);
                wg_put_char(&out, '\n');
            }
        }
        break;
    case 'r': { /* configuration, now, answers...: text, NUL, requests */
        wg_context context = {{0, 0}, wg_json_parse(arguments[0])};
        if (wg_json_type(context.config) != WG_JSON_OBJECT) {
            context.config = (wg_json){"{}", 2};
        }
        host_now = (uint64_t)number(1);
        next_answer = 2;
        wg_run(&context, &out);
        wg_put_char(&out, '\0');
        wg_put_str(&out, (wg_str){host_log, host_log_len});
        break;
    }
#ifdef HARNESS_ARENA
    case 'a': { /* size, size...: where the blocks are; then a mark, a large block, a release */
        char *text = wg_alloc(5);
        memcpy(text, "kept!", 5);
        int64_t places[16];
        for (uint32_t i = 0; i < count && i < 16; i++) {
            char *block = wg_realloc(NULL, 0, 1u << (i % 4), (size_t)number(i));
            memset(block, (int)i, (size_t)number(i));
            places[i] = block - arena;
        }
        for (uint32_t i = 0; i < count && i < 16; i++) {
            wg_put_int(&out, places[i]);
            wg_put_char(&out, ' ');
        }
        wg_put_str(&out, (wg_str){text, 5});
        size_t mark = wg_mark();
        char *large = wg_alloc(100000);
        memcpy(large + 50000, "moved", 5);
        wg_str kept = wg_release(mark, (wg_str){large + 50000, 5});
        char *next = wg_alloc(8);
        wg_put_char(&out, ' ');
        wg_put_str(&out, kept);
        wg_put_char(&out, ' ');
        wg_put_int(&out, next - kept.ptr);
        wg_put_char(&out, ' ');
        wg_put_int(&out, (next - arena) % 8);
        break;
    }
#endif
    default:
        abort();
    }
}

/* ---- pipes --------------------------------------------------------------------------------- */

static bool read_all(void *to, size_t size) {
    return fread(to, 1, size, stdin) == size;
}

int main(void) {
    char operation;
    while (read_all(&operation, 1) && read_all(&count, sizeof(count)) && count <= MAX_ARGUMENTS) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t len;
            if (!read_all(&len, sizeof(len))) {
                return 1;
            }
            char *bytes = malloc(len != 0 ? len : 1);
            if (bytes == NULL || !read_all(bytes, len)) {
                return 1;
            }
            arguments[i] = (wg_str){bytes, len};
        }
        operate(operation);
        uint32_t len = (uint32_t)out.len;
        fwrite(&len, sizeof(len), 1, stdout);
        fwrite(out.ptr != NULL ? out.ptr : "", 1, out.len, stdout);
        fflush(stdout);
        for (uint32_t i = 0; i < count; i++) {
            free((char *)arguments[i].ptr);
        }
        out = (wg_text){0};
        host_log_len = 0;
        wg_memory_reset();
    }
    return 0;
}
