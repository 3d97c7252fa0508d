/*
 * wg_abi.c - the canonical ABI of the world `widget:widget/widget`, by hand.
 *
 * Layouts and signatures are those of the component model's canonical ABI for widgets/wit.
 * Only for wasm32; the native tests bring their own host.
 */
#include "wg_widget.h"

#include "wg_memory.h"
#include "wg_text.h"

#define EXPORT(name) __attribute__((export_name(name), visibility("default")))
#define IMPORT(interface, name)                                                                    \
    __attribute__((import_module("widget:widget/" interface), import_name(name)))

/* ---- memory -------------------------------------------------------------------------------- */

#define PAGE 65536u

extern char __heap_base[];

char *wg_platform_base(void) {
    return (char *)(((uintptr_t)__heap_base + 7) & ~(uintptr_t)7);
}

size_t wg_platform_size(void) {
    return __builtin_wasm_memory_size(0) * PAGE - (size_t)wg_platform_base();
}

bool wg_platform_grow(size_t size) {
    size_t missing = size - wg_platform_size();
    return __builtin_wasm_memory_grow(0, (missing + PAGE - 1) / PAGE) != SIZE_MAX;
}

EXPORT("cabi_realloc")
void *wg_cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    return wg_realloc(old, old_size, align, size);
}

/* ---- imports ------------------------------------------------------------------------------- */

/* result<response>: 40 bytes, aligned to 8. */
typedef struct {
    uint8_t is_err;
    _Alignas(8) uint16_t status;
    _Alignas(8) uint8_t has_content_length;
    uint64_t content_length;
    wg_str body;
} abi_result;

_Static_assert(sizeof(abi_result) == 40, "result<response> has 40 bytes");
_Static_assert(offsetof(abi_result, body) == 32, "its list is at 32");

IMPORT("http", "request")
void wg_import_request(uint32_t method, const char *url, size_t url_len, uint32_t has_body,
                       const char *body, size_t body_len, abi_result *result);
IMPORT("clocks", "now") void wg_import_now(wg_datetime *result);
IMPORT("random", "get-random") uint64_t wg_import_random(void);
IMPORT("logging", "log")
void wg_import_log(uint32_t level, const char *context, size_t context_len, const char *message,
                   size_t message_len);

wg_response wg_http(wg_method method, wg_str url, const wg_str *body) {
    abi_result result;
    wg_response response = {0};
    url = wg_text_valid(url);
    wg_import_request((uint32_t)method, url.ptr, url.len, body != NULL,
                      body != NULL ? body->ptr : NULL, body != NULL ? body->len : 0, &result);
    if (result.is_err) {
        return response;
    }
    response.ok = true;
    response.status = result.status;
    response.body = result.body;
    if (result.has_content_length) {
        response.has_content_length = true;
        response.content_length = result.content_length;
    }
    return response;
}

wg_datetime wg_now(void) {
    wg_datetime now;
    wg_import_now(&now);
    return now;
}

uint64_t wg_random(void) {
    return wg_import_random();
}

void wg_log(wg_level level, wg_str context, wg_str message) {
    context = wg_text_valid(context);
    message = wg_text_valid(message);
    wg_import_log((uint32_t)level, context.ptr, context.len, message.ptr, message.len);
}

/* ---- exports ------------------------------------------------------------------------------- */

static wg_str returned;

EXPORT("get-name") const wg_str *wg_export_name(void) {
    return &wg_widget.name;
}

EXPORT("get-version") const wg_str *wg_export_version(void) {
    return &wg_widget.version;
}

EXPORT("get-config-schema") const wg_str *wg_export_schema(void) {
    return &wg_widget.schema;
}

EXPORT("get-run-update-cycle-seconds") uint32_t wg_export_cycle(void) {
    return wg_widget.cycle;
}

EXPORT("run")
const wg_str *wg_export_run(uint64_t seconds, uint32_t nanoseconds, const char *config,
                            size_t len) {
    wg_context context = {{seconds, nanoseconds}, wg_json_parse((wg_str){config, len})};
    wg_text out = {0};
    if (wg_json_type(context.config) != WG_JSON_OBJECT) {
        context.config = (wg_json){"{}", 2};
    }
    wg_run(&context, &out);
    returned = wg_text_valid(wg_text_str(&out));
    return &returned;
}

EXPORT("cabi_post_run") void wg_post_run(const wg_str *result) {
    (void)result;
    wg_memory_reset();
}
