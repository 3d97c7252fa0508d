/*
 * A module's bytes and the lists of what it imports and exports, read from them once. It believes
 * nothing: each index and length is checked, whether wg_validate() saw the bytes before or not.
 */
#include "module.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "heap.h"

#if WG_HAVE_VALIDATE
#include "validate.h"
#endif

/* ---- Text ---- */

/* The well-formed UTF-8 character at text[0]: its length in bytes, or 0. *shown: no control. */
static size_t character(const uint8_t *text, size_t size, bool *shown) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc0 ? 0 : text[0] < 0xe0 ? 2 : 3;
    length += text[0] >= 0xf0;
    if (length == 0 || length > size || text[0] > 0xf4) {
        return 0;
    }
    uint32_t code = length == 1 ? text[0] : text[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return 0;
    }
    /* C0, DEL and C1; then what turns the direction of writing */
    *shown = code >= 0x20 && (code < 0x7f || code >= 0xa0) && (code < 0x200e || code > 0x200f) &&
             (code < 0x2028 || code > 0x202e) && (code < 0x2066 || code > 0x2069);
    return length;
}

/* Makes "?" of what is cut off, no UTF-8, or a control: names come from the module. */
static void make_printable(char *text) {
    for (size_t left = strlen(text); left > 0;) {
        bool shown = false;
        size_t length = character((const uint8_t *)text, left, &shown);
        size_t taken = length > 0 ? length : 1;
        left -= taken;
        if (!shown) {
            *text = '?';
            memmove(text + 1, text + taken, left + 1);
            taken = 1;
        }
        text += taken;
    }
}

void wg_error_set(wg_error *error, wg_code code, const char *kind, const char *format, ...) {
    error->code = code;
    error->kind = kind;
    error->function[0] = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    make_printable(error->message);
}

/* ---- Reading ---- */

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool failed; /* once true, every read returns 0 */
} wg_reader;

static uint8_t read_byte(wg_reader *r) {
    if (r->at >= r->end) {
        r->failed = true;
        return 0;
    }
    return *r->at++;
}

static uint32_t read_u32(wg_reader *r) {
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = read_byte(r);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (shift == 28 && byte > 0x0f) {
                break;
            }
            return value;
        }
    }
    r->failed = true;
    return 0;
}

/* A length or a count of things that take a byte each at least. */
static uint32_t read_length(wg_reader *r) {
    uint32_t length = read_u32(r);
    if (r->failed || length > (size_t)(r->end - r->at)) {
        r->failed = true;
        return 0;
    }
    return length;
}

static wg_name read_name(wg_reader *r) {
    uint32_t size = read_length(r);
    wg_name name = {(const char *)r->at, size};
    r->at += size;
    return name;
}

static char read_letter(wg_reader *r) {
    switch (read_byte(r)) {
    case 0x7f:
        return 'i';
    case 0x7e:
        return 'I';
    case 0x7d:
        return 'f';
    case 0x7c:
        return 'F';
    default:
        r->failed = true;
        return 'i';
    }
}

static wg_bounds read_bounds(wg_reader *r) {
    wg_bounds bounds = {0, 0, false};
    uint8_t flags = read_byte(r);
    if (flags > 1) {
        r->failed = true;
    }
    bounds.has_max = flags == 1;
    bounds.min = read_u32(r);
    bounds.max = bounds.has_max ? read_u32(r) : 0;
    return bounds;
}

static wg_bounds read_table(wg_reader *r) {
    if (read_byte(r) != 0x70) {
        r->failed = true;
    }
    return read_bounds(r);
}

static void read_global(wg_reader *r, wg_item *item) {
    item->kind = WG_GLOBAL;
    item->letter = read_letter(r);
    uint8_t mutable_ = read_byte(r);
    if (mutable_ > 1) {
        r->failed = true;
    }
    item->mutable_ = mutable_ == 1;
}

/* Passes over a constant expression. */
static void skip_expression(wg_reader *r) {
    for (unsigned count = 0; count < 2 && !r->failed; count++) {
        switch (read_byte(r)) {
        case 0x0b:
            return;
        case 0x41:
        case 0x42:
            for (unsigned i = 0; i < 10 && (read_byte(r) & 0x80) != 0; i++) {
            }
            break;
        case 0x43:
        case 0x44: {
            size_t size = r->at[-1] == 0x43 ? 4 : 8;
            if ((size_t)(r->end - r->at) < size) {
                r->failed = true;
                return;
            }
            r->at += size;
            break;
        }
        case 0x23:
            read_u32(r);
            break;
        default:
            r->failed = true;
        }
    }
    r->failed = true;
}

/* A list grows by one. */
static void *append(void **list, size_t *count, size_t size) {
    /* room doubles: 0, 1, 2, 4... */
    if ((*count & (*count - 1)) == 0 || *count == 0) {
        size_t room = *count == 0 ? 1 : *count * 2;
        void *grown = wg_heap_resize(*list, room * size);
        if (grown == NULL) {
            return NULL;
        }
        *list = grown;
    }
    void *item = (char *)*list + *count * size;
    memset(item, 0, size);
    (*count)++;
    return item;
}

#define APPEND(MODULE, LIST)                                                                       \
    append((void **)&(MODULE)->LIST, &(MODULE)->LIST##_count, sizeof(*(MODULE)->LIST))

/* ---- Sections ---- */

static bool read_types(wg_module *m, wg_reader *r) {
    uint32_t count = read_length(r);
    m->types = wg_heap_allocate(count * sizeof(wg_type));
    if (m->types == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        if (read_byte(r) != 0x60) {
            r->failed = true;
            break;
        }
        /* twice over the same bytes: sizes, then letters */
        wg_reader first = *r;
        uint32_t params = read_length(&first);
        first.at += params;
        uint32_t results = read_length(&first);
        if (first.failed || params + results > UINT16_MAX) {
            r->failed = true;
            break;
        }
        char *letters = wg_heap_allocate(params + results + 1);
        if (letters == NULL) {
            return false;
        }
        m->types[i] = (wg_type){letters, (uint16_t)params, (uint16_t)results};
        m->types_count = i + 1;
        read_u32(r);
        for (uint32_t p = 0; p < params; p++) {
            letters[p] = read_letter(r);
        }
        read_u32(r);
        for (uint32_t p = 0; p < results; p++) {
            letters[params + p] = read_letter(r);
        }
    }
    return true;
}

static bool add_function(wg_module *m, wg_reader *r, wg_item *item) {
    uint32_t type = read_u32(r);
    if (type >= m->types_count) {
        r->failed = true;
        return true;
    }
    const wg_type **slot = APPEND(m, functions);
    if (slot == NULL) {
        return false;
    }
    *slot = &m->types[type];
    if (item != NULL) {
        item->kind = WG_FUNC;
        item->type = *slot;
        item->index = (uint32_t)m->functions_count - 1;
    }
    return true;
}

static bool add_item(wg_item **list, size_t *count, const wg_item *item, wg_item *indexed) {
    wg_item *slot = append((void **)list, count, sizeof(*slot));
    if (slot == NULL) {
        return false;
    }
    *slot = *item;
    slot->index = (uint32_t)*count - 1;
    if (indexed != NULL) {
        indexed->index = slot->index;
    }
    return true;
}

static bool read_imports(wg_module *m, wg_reader *r) {
    uint32_t count = read_length(r);
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        wg_import *import = APPEND(m, imports);
        if (import == NULL) {
            return false;
        }
        import->module = read_name(r);
        import->name = read_name(r);
        wg_item *item = &import->item;
        bool fits = true;
        switch (read_byte(r)) {
        case 0:
            fits = add_function(m, r, item);
            m->imported_functions++;
            break;
        case 1:
            item->kind = WG_TABLE;
            item->bounds = read_table(r);
            fits = add_item(&m->tables, &m->tables_count, item, item);
            break;
        case 2:
            item->kind = WG_MEMORY;
            item->bounds = read_bounds(r);
            fits = add_item(&m->memories, &m->memories_count, item, item);
            break;
        case 3:
            read_global(r, item);
            fits = add_item(&m->globals, &m->globals_count, item, item);
            break;
        default:
            r->failed = true;
        }
        if (!fits) {
            return false;
        }
    }
    return true;
}

static bool read_exports(wg_module *m, wg_reader *r) {
    uint32_t count = read_length(r);
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        wg_export *export_ = APPEND(m, exports);
        if (export_ == NULL) {
            return false;
        }
        export_->name = read_name(r);
        uint8_t kind = read_byte(r);
        uint32_t index = read_u32(r);
        const wg_item *lists[] = {NULL, m->tables, m->memories, m->globals};
        size_t counts[] = {m->functions_count, m->tables_count, m->memories_count,
                           m->globals_count};
        if (kind > 3 || index >= counts[kind]) {
            r->failed = true;
        } else if (kind == 0) {
            export_->item.type = m->functions[index];
            export_->item.index = index;
        } else {
            export_->item = lists[kind][index];
        }
    }
    return true;
}

static bool read_list(wg_module *m, wg_reader *r, uint8_t section) {
    uint32_t count = read_length(r);
    bool fits = true;
    for (uint32_t i = 0; i < count && fits && !r->failed; i++) {
        wg_item item = {0};
        switch (section) {
        case 3:
            fits = add_function(m, r, NULL);
            break;
        case 4:
            item.kind = WG_TABLE;
            item.bounds = read_table(r);
            fits = add_item(&m->tables, &m->tables_count, &item, NULL);
            break;
        case 5:
            item.kind = WG_MEMORY;
            item.bounds = read_bounds(r);
            fits = add_item(&m->memories, &m->memories_count, &item, NULL);
            break;
        default:
            read_global(r, &item);
            skip_expression(r);
            fits = add_item(&m->globals, &m->globals_count, &item, NULL);
        }
    }
    return fits;
}

static bool read_section(wg_module *m, wg_reader *r, uint8_t section) {
    switch (section) {
    case 1:
        return read_types(m, r);
    case 2:
        return read_imports(m, r);
    case 3:
    case 4:
    case 5:
    case 6:
        return read_list(m, r, section);
    case 7:
        return read_exports(m, r);
    case 8:
        m->start_function = read_u32(r);
        if (m->start_function >= m->functions_count) {
            r->failed = true;
        }
        return true;
    default:
        r->at = r->end;
        return true;
    }
}

/* The place of each section in the order of a module; 12, the data count, comes before the code. */
static const uint8_t section_order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10};

static bool read_module(wg_module *m, wg_error *error) {
    wg_reader r = {m->bytes, m->bytes + m->size, false};
    if (m->size < 8 || memcmp(m->bytes, "\0asm", 4) != 0) {
        wg_error_set(error, WG_MALFORMED, NULL,
                     "this is not a WebAssembly module: it does not begin with \"\\0asm\"");
        return false;
    }
    if (memcmp(m->bytes + 4, "\1\0\0\0", 4) != 0) {
        wg_error_set(error, WG_MALFORMED, NULL,
                     "this is not a core module of WebAssembly version 1");
        return false;
    }
    r.at += 8;
    unsigned last = 0;
    while (r.at < r.end) {
        uint32_t offset = (uint32_t)(r.at - m->bytes);
        uint8_t section = read_byte(&r);
        uint32_t size = read_length(&r);
        wg_reader body = {r.at, r.at + size, r.failed};
        if (section >= sizeof(section_order)) {
            wg_error_set(error, WG_UNSUPPORTED, NULL,
                         "the module has a section %u, which this engine does not know", section);
            return false;
        }
        if (section != 0) {
            if (section_order[section] <= last) {
                body.failed = true;
            }
            last = section_order[section];
        }
        if (!body.failed && !read_section(m, &body, section)) {
            wg_error_set(error, WG_QUOTA, "memory",
                         "there is not enough memory to read the module");
            return false;
        }
        if (body.failed || body.at != body.end) {
            wg_error_set(error, WG_MALFORMED, NULL,
                         "the module is malformed in section %u, at offset %u", section,
                         (unsigned)offset);
            return false;
        }
        r.at += size;
    }
    return true;
}

/* ---- Validation ---- */

#if WG_HAVE_VALIDATE
static void *validate_allocate(void *context, size_t size) {
    (void)context;
    return wg_heap_allocate(size);
}

static void validate_free(void *context, void *block) {
    (void)context;
    wg_heap_free(block);
}

static bool validate(const wg_module *m, wg_error *error) {
    wg_validate_alloc alloc = {validate_allocate, validate_free, NULL};
    wg_validate_limits limits = {.module_size = WG_MODULE_SIZE};
    wg_validate_result result = wg_validate(m->bytes, m->size, &limits, &alloc);
    switch (result.status) {
    case WG_VALIDATE_OK:
        return true;
    case WG_VALIDATE_MALFORMED:
        wg_error_set(error, WG_MALFORMED, NULL, "the module is malformed at offset %u: %s",
                     (unsigned)result.offset, result.reason);
        return false;
    case WG_VALIDATE_INVALID:
        wg_error_set(error, WG_INVALID, NULL, "the module is invalid at offset %u: %s",
                     (unsigned)result.offset, result.reason);
        return false;
    case WG_VALIDATE_NO_MEMORY:
        wg_error_set(error, WG_QUOTA, "memory",
                     "there is not enough memory to validate the module");
        return false;
    case WG_VALIDATE_LIMIT:
        wg_error_set(error, WG_UNSUPPORTED, "limit", "the module passes a limit at offset %u: %s",
                     (unsigned)result.offset, result.reason);
        return false;
    default:
        wg_error_set(error, WG_UNSUPPORTED, NULL,
                     "the module needs what this engine does not run, at offset %u: %s",
                     (unsigned)result.offset, result.reason);
        return false;
    }
}
#endif

/* ---- Modules ---- */

wg_module *wg_module_new(const void *bytes, size_t size, wg_error *error) {
    if (size > WG_MODULE_SIZE) {
        wg_error_set(error, WG_UNSUPPORTED, "limit", "the module has %u bytes; the limit is %u",
                     (unsigned)size, (unsigned)WG_MODULE_SIZE);
        return NULL;
    }
    wg_heap *payer = wg_heap_enter(NULL);
    wg_module *m = wg_heap_allocate(sizeof(*m));
    uint8_t *copy = wg_heap_resize_memory(NULL, size);
    if (m == NULL || copy == NULL) {
        wg_heap_free(m);
        wg_heap_free(copy);
        wg_heap_enter(payer);
        wg_error_set(error, WG_QUOTA, "memory",
                     "there is not enough memory for a module of %u bytes", (unsigned)size);
        return NULL;
    }
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    m->heap.limit = SIZE_MAX;
    m->bytes = copy;
    m->size = size;
    m->holders = 1;
    m->start_function = UINT32_MAX;
    bool good = true;
#if WG_HAVE_VALIDATE
    good = validate(m, error);
#endif
    if (good) {
        wg_heap_enter(&m->heap);
        good = read_module(m, error);
        wg_heap_enter(NULL);
    }
    if (!good) {
        wg_module_release(m);
        m = NULL;
    }
    wg_heap_enter(payer);
    return m;
}

wg_module *wg_module_hold(wg_module *module) {
    module->holders++;
    return module;
}

void wg_module_release(wg_module *m) {
    if (m == NULL || --m->holders > 0) {
        return;
    }
    for (size_t i = 0; i < m->types_count; i++) {
        wg_heap_free((void *)(uintptr_t)m->types[i].letters);
    }
    wg_heap_free(m->types);
    wg_heap_free(m->functions);
    wg_heap_free(m->tables);
    wg_heap_free(m->memories);
    wg_heap_free(m->globals);
    wg_heap_free(m->imports);
    wg_heap_free(m->exports);
    wg_heap_free(m->bytes);
    wg_heap_free(m);
}

size_t wg_module_imports(const wg_module *module, const wg_import **list) {
    *list = module->imports;
    return module->imports_count;
}

size_t wg_module_exports(const wg_module *module, const wg_export **list) {
    *list = module->exports;
    return module->exports_count;
}

size_t wg_module_size(const wg_module *module) {
    return sizeof(*module) + module->size + module->heap.used;
}

bool wg_module_has_start(const wg_module *module) {
    return module->start_function != UINT32_MAX;
}

/* ---- Names ---- */

/* false: not UTF-8, or empty. */
static bool write_name(wg_name from, char *name, size_t size) {
    size_t used = 0;
    const uint8_t *text = (const uint8_t *)from.text;
    for (size_t at = 0; at < from.size;) {
        bool shown = false;
        size_t length = character(text + at, from.size - at, &shown);
        size_t taken = shown ? length : 1;
        if (length == 0) {
            used = 0;
            break;
        }
        if (used + taken >= size) {
            break;
        }
        memcpy(name + used, shown ? (const char *)text + at : "?", taken);
        used += taken;
        at += length;
    }
    name[used] = 0;
    return used > 0;
}

/* The name section's subsection 1: pairs of index and name. */
static bool name_in_section(wg_reader *r, uint32_t index, wg_name *found) {
    while (r->at < r->end && !r->failed) {
        uint8_t kind = read_byte(r);
        uint32_t size = read_length(r);
        wg_reader body = {r->at, r->at + size, r->failed};
        if (kind == 1) {
            uint32_t count = read_length(&body);
            for (uint32_t i = 0; i < count && !body.failed; i++) {
                uint32_t of = read_u32(&body);
                *found = read_name(&body);
                if (of == index && !body.failed) {
                    return true;
                }
            }
        }
        r->at += size;
    }
    return false;
}

bool wg_module_function_name(const wg_module *m, uint32_t index, char *name, size_t size) {
    wg_name found;
    wg_reader r = {m->bytes + 8, m->bytes + m->size, false};
    while (r.at < r.end && !r.failed) {
        uint8_t section = read_byte(&r);
        uint32_t length = read_length(&r);
        wg_reader body = {r.at, r.at + length, r.failed};
        if (section == 0) {
            wg_name custom = read_name(&body);
            if (!body.failed && custom.size == 4 && memcmp(custom.text, "name", 4) == 0 &&
                name_in_section(&body, index, &found) && write_name(found, name, size)) {
                return true;
            }
        }
        r.at += length;
    }
    for (size_t i = 0; i < m->exports_count; i++) {
        const wg_export *export_ = &m->exports[i];
        if (export_->item.kind == WG_FUNC && export_->item.index == index &&
            write_name(export_->name, name, size)) {
            return true;
        }
    }
    name[0] = 0;
    return false;
}

size_t wg_type_write(const wg_type *type, char *text, size_t size) {
    int length = snprintf(text, size, "%.*s:%.*s", type->params, type->letters, type->results,
                          type->letters + type->params);
    return (size_t)length;
}
