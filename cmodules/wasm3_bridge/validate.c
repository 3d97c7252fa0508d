/*
 * The WebAssembly validator; validate.h is its contract.
 *
 * One pass over the bytes. What later bytes must be checked against is kept small: a function type
 * is the place of its parameter and result bytes in the module (a value type is one byte there), a
 * function is its type index, a global is one byte. A body is checked with the two stacks of the
 * specification's appendix "Validation Algorithm": operand types, and control frames.
 *
 * Section numbers in the comments are those of the WebAssembly core specification 2.0.
 */
#include "validate.h"

#include <stdbool.h>
#include <string.h>

/* Value types (5.3.1), as in the binary format. UNKNOWN is any type, below an unreachable point. */
enum { UNKNOWN = 0, F64 = 0x7C, F32 = 0x7D, I64 = 0x7E, I32 = 0x7F };

/* The type of a block: EMPTY, a value type, or FUNCTION_TYPE + a type index. */
enum { BLOCK_EMPTY = 0x40, BLOCK_FUNCTION_TYPE = 0x100 };

enum {
    SECTION_CUSTOM = 0,
    SECTION_TYPE = 1,
    SECTION_IMPORT = 2,
    SECTION_FUNCTION = 3,
    SECTION_TABLE = 4,
    SECTION_MEMORY = 5,
    SECTION_GLOBAL = 6,
    SECTION_EXPORT = 7,
    SECTION_START = 8,
    SECTION_ELEMENT = 9,
    SECTION_CODE = 10,
    SECTION_DATA = 11,
    SECTION_DATA_COUNT = 12,
    SECTION_TAG = 13,
};

enum { KIND_FUNCTION = 0, KIND_TABLE = 1, KIND_MEMORY = 2, KIND_GLOBAL = 3, KIND_TAG = 4 };

enum { FRAME_FUNCTION, FRAME_BLOCK, FRAME_LOOP, FRAME_IF, FRAME_ELSE };

/* Bit of a global's byte: 0x7C..0x7F has bits 2..6 set, so bit 7 is free. */
enum { GLOBAL_MUTABLE = 0x80 };

#define MAX_MEMORY_PAGES 65536u /* 4 GiB, of the specification (3.2.5) */

typedef struct {
    uint32_t params;  /* offset of the parameters' bytes */
    uint32_t results; /* offset of the results' bytes */
    uint16_t n_params;
    uint16_t n_results;
} func_type;

typedef struct {
    uint32_t type;   /* of the block, see BLOCK_EMPTY */
    uint16_t height; /* of the operand stack at its start, its parameters not counted */
    uint8_t kind;    /* FRAME_... */
    bool unreachable;
} frame;

/* A list of value types within the module's bytes, or in value_types[]. */
typedef struct {
    const uint8_t *types;
    uint32_t n;
} type_list;

typedef struct {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t pos;
    uint32_t end;   /* no read goes past this; end of the section or body being read */
    uint32_t start; /* of the item being read, for the report */
    wg_validate_limits limits;
    const wg_validate_alloc *allocator;
    wg_validate_result result;

    func_type *types;
    uint32_t n_types;
    uint16_t *funcs; /* type index of each function */
    uint32_t n_funcs;
    uint32_t n_imported_funcs;
    uint8_t *globals; /* value type | GLOBAL_MUTABLE */
    uint32_t n_globals;
    uint32_t n_imported_globals;
    uint32_t *names; /* offset of each export's name; only while that section is read */
    bool has_table;
    bool has_memory;
    bool has_data_count;
    uint32_t data_count;
    uint32_t n_bodies;
    uint32_t n_data;

    void *code_block; /* holds the three arrays below */
    frame *frames;
    uint8_t *operands;
    uint8_t *locals;
    uint32_t n_frames;
    uint32_t n_operands;
    uint32_t n_locals;
    uint32_t steps; /* left */
} validator;

static const uint8_t value_types[] = {F64, F32, I64, I32};

/* Reports */

static bool fail_at(validator *v, uint32_t offset, wg_validate_status status, const char *reason) {
    v->result.status = status;
    v->result.offset = offset;
    v->result.reason = reason;
    return false;
}

static bool malformed(validator *v, const char *reason) {
    return fail_at(v, v->start, WG_VALIDATE_MALFORMED, reason);
}

static bool invalid(validator *v, const char *reason) {
    return fail_at(v, v->start, WG_VALIDATE_INVALID, reason);
}

static bool unsupported(validator *v, const char *reason) {
    return fail_at(v, v->start, WG_VALIDATE_UNSUPPORTED, reason);
}

static bool over_limit(validator *v, const char *reason) {
    return fail_at(v, v->start, WG_VALIDATE_LIMIT, reason);
}

static void *allocate(validator *v, size_t size) {
    void *block = v->allocator->alloc(v->allocator->context, size);
    if (block == NULL) {
        fail_at(v, v->start, WG_VALIDATE_NO_MEMORY, "no memory to validate the module");
    }
    return block;
}

static void release(const validator *v, void *block) {
    if (block != NULL) {
        v->allocator->free(v->allocator->context, block);
    }
}

/* Reading: values (5.2) */

static bool read_byte(validator *v, uint8_t *out) {
    if (v->pos >= v->end) {
        return fail_at(v, v->pos, WG_VALIDATE_MALFORMED, "unexpected end");
    }
    *out = v->bytes[v->pos++];
    return true;
}

/*
 * An unsigned LEB128 number of 32 bits (5.2.2): at most five bytes, the unused bits of the last
 * zero.
 */
static bool read_u32(validator *v, uint32_t *out) {
    uint32_t value = 0;
    v->start = v->pos;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte;
        if (!read_byte(v, &byte)) {
            return false;
        }
        if (shift == 28 && (byte & 0xF0) != 0) {
            return malformed(v, (byte & 0x80) != 0 ? "integer representation too long"
                                                   : "integer too large");
        }
        value |= (uint32_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            *out = value;
            return true;
        }
    }
}

/* A signed LEB128 number of `bits` (32, 33 or 64) bits: the unused bits of the last byte equal the
 * sign. */
static bool read_signed(validator *v, unsigned bits, int64_t *out) {
    uint64_t value = 0;
    const unsigned last = (bits - 1) / 7 * 7; /* shift of the last byte that is allowed */
    v->start = v->pos;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte;
        if (!read_byte(v, &byte)) {
            return false;
        }
        if (shift == last) {
            const unsigned used = bits - last; /* value bits in this byte, the sign included */
            const uint8_t sign_and_above = (uint8_t)((0x7Fu << (used - 1)) & 0x7Fu);
            const uint8_t found = byte & sign_and_above;
            if ((byte & 0x80) != 0) {
                return malformed(v, "integer representation too long");
            }
            if (found != 0 && found != sign_and_above) {
                return malformed(v, "integer too large");
            }
        }
        value |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            if ((byte & 0x40) != 0 && shift + 7 < 64) {
                value |= UINT64_MAX << (shift + 7);
            }
            /* Two's complement, without an implementation-defined conversion. */
            *out = value <= INT64_MAX ? (int64_t)value : -(int64_t)(~value) - 1;
            return true;
        }
    }
}

static bool skip(validator *v, uint32_t n) {
    if (n > v->end - v->pos) {
        return fail_at(v, v->pos, WG_VALIDATE_MALFORMED, "unexpected end, length out of bounds");
    }
    v->pos += n;
    return true;
}

/*
 * The number of items in a vector. Each item takes at least `item_size` bytes, so a count that the
 * rest of the section can't hold is refused before anything is allocated for it.
 */
static bool read_count(validator *v, uint32_t item_size, uint32_t limit, const char *limit_reason,
                       uint32_t *out) {
    if (!read_u32(v, out)) {
        return false;
    }
    if (*out > (v->end - v->pos) / item_size) {
        return malformed(v, "unexpected end, length out of bounds");
    }
    if (*out > limit) {
        return over_limit(v, limit_reason);
    }
    return true;
}

/* Unicode's table 3-7, "Well-Formed UTF-8 Byte Sequences". */
static bool is_utf8(const uint8_t *s, uint32_t n) {
    uint32_t i = 0;
    while (i < n) {
        const uint8_t lead = s[i++];
        uint32_t more;
        uint8_t low = 0x80, high = 0xBF; /* of the second byte */
        if (lead < 0x80) {
            continue;
        }
        if (lead >= 0xC2 && lead <= 0xDF) {
            more = 1;
        } else if (lead >= 0xE0 && lead <= 0xEF) {
            more = 2;
            low = lead == 0xE0 ? 0xA0 : low;
            high = lead == 0xED ? 0x9F : high;
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            more = 3;
            low = lead == 0xF0 ? 0x90 : low;
            high = lead == 0xF4 ? 0x8F : high;
        } else {
            return false;
        }
        if (more > n - i || s[i] < low || s[i] > high) {
            return false;
        }
        for (uint32_t k = 1; k < more; k++) {
            if ((s[i + k] & 0xC0) != 0x80) {
                return false;
            }
        }
        i += more;
    }
    return true;
}

static bool read_name(validator *v) {
    uint32_t n;
    if (!read_u32(v, &n)) {
        return false;
    }
    const uint32_t begin = v->pos;
    if (!skip(v, n)) {
        return false;
    }
    if (n > v->limits.name) {
        return over_limit(v, "name too long");
    }
    if (!is_utf8(v->bytes + begin, n)) {
        return malformed(v, "malformed UTF-8 encoding");
    }
    return true;
}

/* Reading: types (5.3) */

static bool is_value_type(uint8_t byte) {
    return byte >= F64 && byte <= I32;
}

/* A byte that is no value type of the engine's: a proposal's, or nobody's. */
static bool refuse_value_type(validator *v, uint8_t byte) {
    if (byte == 0x7B) {
        return unsupported(v, "value type v128 (SIMD)");
    }
    if (byte == 0x70 || byte == 0x6F) {
        return unsupported(v, "reference value type (reference types)");
    }
    if (byte == 0x63 || byte == 0x64) {
        return unsupported(v, "reference value type (function references)");
    }
    if (byte == 0x69 || byte == 0x74) {
        return unsupported(v, "reference value type (exception handling)");
    }
    if (byte >= 0x62 && byte <= 0x75) {
        return unsupported(v, "reference value type (garbage collection)");
    }
    if (byte == 0x77 || byte == 0x78) {
        return unsupported(v, "packed type (garbage collection)");
    }
    return malformed(v, "malformed value type");
}

static bool read_value_type(validator *v, uint8_t *out) {
    v->start = v->pos;
    return read_byte(v, out) && (is_value_type(*out) || refuse_value_type(v, *out));
}

/* limits (5.3.4); `maximum` bounds both numbers */
static bool read_limits(validator *v, bool memory, uint32_t *initial) {
    uint8_t flags;
    uint32_t most;
    v->start = v->pos;
    if (!read_byte(v, &flags)) {
        return false;
    }
    if (flags > 1) {
        if ((flags & 0x04) != 0 && flags <= 0x07) {
            return unsupported(v, memory ? "64-bit memory (memory64)" : "64-bit table (memory64)");
        }
        if (memory && flags <= 0x03) {
            return unsupported(v, "shared memory (threads)");
        }
        if (memory && flags <= 0x0F) {
            return unsupported(v, "page size of a memory (custom page sizes)");
        }
        return malformed(v, "malformed limits flags");
    }
    if (!read_u32(v, initial)) {
        return false;
    }
    if (memory && *initial > MAX_MEMORY_PAGES) {
        return invalid(v, "memory size must be at most 65536 pages (4GiB)");
    }
    if (flags == 1) {
        if (!read_u32(v, &most)) {
            return false;
        }
        if (memory && most > MAX_MEMORY_PAGES) {
            return invalid(v, "memory size must be at most 65536 pages (4GiB)");
        }
        if (most < *initial) {
            return invalid(v, "size minimum must not be greater than maximum");
        }
    }
    return true;
}

static bool read_table_type(validator *v) {
    uint8_t type;
    uint32_t initial;
    const uint32_t at = v->start = v->pos;
    if (!read_byte(v, &type)) {
        return false;
    }
    if (type == 0x40) {
        return unsupported(v, "table with an initial value (function references)");
    }
    if (type != 0x70) {
        return type < 0x7B ? refuse_value_type(v, type) : malformed(v, "malformed reference type");
    }
    if (!read_limits(v, false, &initial)) {
        return false;
    }
    v->start = at;
    if (v->has_table) {
        return unsupported(v, "more than one table (reference types)");
    }
    if (initial > v->limits.table) {
        return over_limit(v, "table too large");
    }
    v->has_table = true;
    return true;
}

static bool read_memory_type(validator *v) {
    uint32_t initial;
    const uint32_t at = v->pos;
    if (!read_limits(v, true, &initial)) {
        return false;
    }
    v->start = at;
    if (v->has_memory) {
        return unsupported(v, "more than one memory (multi-memory)");
    }
    if (initial > v->limits.memory_pages) {
        return over_limit(v, "memory too large");
    }
    v->has_memory = true;
    return true;
}

static bool read_global_type(validator *v, uint8_t *out) {
    uint8_t mutable;
    if (!read_value_type(v, out)) {
        return false;
    }
    v->start = v->pos;
    if (!read_byte(v, &mutable)) {
        return false;
    }
    if (mutable > 1) {
        return malformed(v, "malformed mutability");
    }
    if (mutable != 0) {
        *out |= GLOBAL_MUTABLE;
    }
    return true;
}

static bool read_type_index(validator *v, uint32_t *out) {
    if (!read_u32(v, out)) {
        return false;
    }
    return *out < v->n_types || invalid(v, "unknown type");
}

static bool read_function_index(validator *v, uint32_t *out) {
    if (!read_u32(v, out)) {
        return false;
    }
    return *out < v->n_funcs || invalid(v, "unknown function");
}

/*
 * A constant expression (3.3.10) of one type: one constant, or an imported immutable global.
 * Instructions are read up to the end, so that a second one is told from a wrong one.
 */
static bool read_constant(validator *v, uint8_t expected) {
    const uint32_t begin = v->pos;
    uint32_t values = 0;
    uint8_t type = UNKNOWN;
    for (;;) {
        uint8_t opcode;
        int64_t ignored;
        uint32_t index;
        const uint32_t at = v->start = v->pos;
        if (!read_byte(v, &opcode)) {
            return false;
        }
        switch (opcode) {
        case 0x0B:
            v->start = begin;
            if (values != 1 || type != expected) {
                return invalid(v, "type mismatch in constant expression");
            }
            return true;
        case 0x23: /* global.get */
            if (!read_u32(v, &index)) {
                return false;
            }
            if (index >= v->n_imported_globals) {
                return invalid(v, "unknown global");
            }
            if ((v->globals[index] & GLOBAL_MUTABLE) != 0) {
                return invalid(v, "constant expression required");
            }
            type = v->globals[index];
            break;
        case 0x41:
            type = I32;
            if (!read_signed(v, 32, &ignored)) {
                return false;
            }
            break;
        case 0x42:
            type = I64;
            if (!read_signed(v, 64, &ignored)) {
                return false;
            }
            break;
        case 0x43:
            type = F32;
            if (!skip(v, 4)) {
                return false;
            }
            break;
        case 0x44:
            type = F64;
            if (!skip(v, 8)) {
                return false;
            }
            break;
        case 0x6A:
        case 0x6B:
        case 0x6C:
        case 0x7C:
        case 0x7D:
        case 0x7E:
            return unsupported(v, "arithmetic in a constant expression (extended const)");
        case 0xD0:
        case 0xD2:
            return unsupported(v, "reference in a constant expression (reference types)");
        case 0xFB:
            return unsupported(v, "allocation in a constant expression (garbage collection)");
        case 0xFD:
            return unsupported(v, "vector in a constant expression (SIMD)");
        default:
            return invalid(v, "constant expression required");
        }
        v->start = at;
        values += values < 2;
    }
}

/* Typing rules: the two stacks of the appendix */

static bool take_steps(validator *v, uint32_t n) {
    if (n > v->steps) {
        return over_limit(v, "validation takes too many steps");
    }
    v->steps -= n;
    return true;
}

static bool push(validator *v, uint8_t type) {
    if (v->n_operands >= v->limits.operands) {
        return over_limit(v, "too many values on the operand stack");
    }
    v->operands[v->n_operands++] = type;
    return true;
}

/* Any operand; its type goes to `out`. */
static bool pop_any(validator *v, uint8_t *out) {
    const frame *top = &v->frames[v->n_frames - 1];
    if (v->n_operands == top->height) {
        *out = UNKNOWN;
        return top->unreachable || invalid(v, "type mismatch: an operand is missing");
    }
    *out = v->operands[--v->n_operands];
    return true;
}

static bool pop(validator *v, uint8_t expected) {
    uint8_t found;
    if (!pop_any(v, &found)) {
        return false;
    }
    return found == expected || found == UNKNOWN || invalid(v, "type mismatch");
}

static bool push_list(validator *v, type_list list) {
    if (!take_steps(v, list.n)) {
        return false;
    }
    for (uint32_t i = 0; i < list.n; i++) {
        if (!push(v, list.types[i])) {
            return false;
        }
    }
    return true;
}

static bool pop_list(validator *v, type_list list) {
    if (!take_steps(v, list.n)) {
        return false;
    }
    for (uint32_t i = list.n; i > 0; i--) {
        if (!pop(v, list.types[i - 1])) {
            return false;
        }
    }
    return true;
}

static type_list params_of(const validator *v, uint32_t block_type) {
    type_list list = {value_types, 0};
    if (block_type >= BLOCK_FUNCTION_TYPE) {
        const func_type *type = &v->types[block_type - BLOCK_FUNCTION_TYPE];
        list.types = v->bytes + type->params;
        list.n = type->n_params;
    }
    return list;
}

static type_list results_of(const validator *v, uint32_t block_type) {
    type_list list = {value_types, 0};
    if (block_type >= BLOCK_FUNCTION_TYPE) {
        const func_type *type = &v->types[block_type - BLOCK_FUNCTION_TYPE];
        list.types = v->bytes + type->results;
        list.n = type->n_results;
    } else if (block_type != BLOCK_EMPTY) {
        list.types = &value_types[block_type - F64];
        list.n = 1;
    }
    return list;
}

/* What a branch to this frame takes. */
static type_list label_of(const validator *v, const frame *target) {
    return target->kind == FRAME_LOOP ? params_of(v, target->type) : results_of(v, target->type);
}

static bool push_frame(validator *v, uint8_t kind, uint32_t block_type) {
    if (v->n_frames >= v->limits.nesting) {
        return over_limit(v, "blocks nested too deep");
    }
    frame *top = &v->frames[v->n_frames++];
    top->type = block_type;
    top->height = (uint16_t)v->n_operands;
    top->kind = kind;
    top->unreachable = false;
    return true;
}

/* The block's results are popped, and nothing may be left above its height. */
static bool pop_frame(validator *v, frame *out) {
    const frame *top = &v->frames[v->n_frames - 1];
    if (!pop_list(v, results_of(v, top->type))) {
        return false;
    }
    if (v->n_operands != top->height) {
        return invalid(v, "type mismatch: values remain on the stack at the end of a block");
    }
    *out = *top;
    v->n_frames--;
    return true;
}

static void set_unreachable(validator *v) {
    frame *top = &v->frames[v->n_frames - 1];
    v->n_operands = top->height;
    top->unreachable = true;
}

static bool read_label(validator *v, const frame **out) {
    uint32_t depth;
    if (!read_u32(v, &depth)) {
        return false;
    }
    if (depth >= v->n_frames) {
        return invalid(v, "unknown label");
    }
    *out = &v->frames[v->n_frames - 1 - depth];
    return true;
}

static bool same_types(const validator *v, uint32_t block_type) {
    const type_list params = params_of(v, block_type);
    const type_list results = results_of(v, block_type);
    return params.n == results.n && memcmp(params.types, results.types, params.n) == 0;
}

/* Instructions (5.4, 3.3) */

static bool read_block_type(validator *v, uint32_t *out) {
    int64_t index;
    if (v->pos < v->end) {
        const uint8_t byte = v->bytes[v->pos];
        v->start = v->pos;
        if (byte == BLOCK_EMPTY || is_value_type(byte)) {
            v->pos++;
            *out = byte;
            return true;
        }
        if ((byte & 0xC0) == 0x40) { /* negative in one byte: some other type */
            return refuse_value_type(v, byte);
        }
    }
    if (!read_signed(v, 33, &index)) {
        return false;
    }
    if (index < 0) {
        return malformed(v, "malformed block type");
    }
    if (index >= (int64_t)v->n_types) {
        return invalid(v, "unknown type");
    }
    *out = BLOCK_FUNCTION_TYPE + (uint32_t)index;
    return true;
}

static bool check_block(validator *v, uint8_t kind) {
    const uint32_t at = v->start;
    uint32_t type = BLOCK_EMPTY;
    if (!read_block_type(v, &type)) {
        return false;
    }
    v->start = at;
    if (kind == FRAME_IF && !pop(v, I32)) {
        return false;
    }
    return pop_list(v, params_of(v, type)) && push_frame(v, kind, type) &&
           push_list(v, params_of(v, type));
}

static bool check_else(validator *v) {
    frame done;
    if (v->frames[v->n_frames - 1].kind != FRAME_IF) {
        return malformed(v, "else without if");
    }
    return pop_frame(v, &done) && push_frame(v, FRAME_ELSE, done.type) &&
           push_list(v, params_of(v, done.type));
}

static bool check_end(validator *v) {
    frame done;
    if (!pop_frame(v, &done)) {
        return false;
    }
    if (done.kind == FRAME_IF && !same_types(v, done.type)) {
        return invalid(v, "type mismatch: if without else must leave what it takes");
    }
    return done.kind == FRAME_FUNCTION || push_list(v, results_of(v, done.type));
}

/*
 * For each target but the last, the operands are only compared: popping and pushing them again, as
 * the appendix has it, leaves the same stack, since values that are missing below an unreachable
 * point are pushed back as UNKNOWN and are then as good as missing.
 */
static bool check_br_table_target(validator *v, type_list label) {
    const frame *top = &v->frames[v->n_frames - 1];
    const uint32_t present = v->n_operands - top->height;
    if (!take_steps(v, label.n)) {
        return false;
    }
    for (uint32_t i = 0; i < label.n; i++) {
        uint8_t found;
        if (i < present) {
            found = v->operands[v->n_operands - 1 - i];
        } else if (top->unreachable) {
            break;
        } else {
            return invalid(v, "type mismatch: an operand is missing");
        }
        if (found != UNKNOWN && found != label.types[label.n - 1 - i]) {
            return invalid(v, "type mismatch");
        }
    }
    return true;
}

static bool check_br_table(validator *v) {
    const uint32_t at = v->start;
    uint32_t n, arity = 0;
    const frame *target;
    if (!pop(v, I32) || !read_count(v, 1, v->limits.br_table, "too many targets of br_table", &n)) {
        return false;
    }
    for (uint32_t i = 0; i <= n; i++) {
        if (!read_label(v, &target) || !take_steps(v, 1)) {
            return false;
        }
        v->start = at;
        const type_list label = label_of(v, target);
        if (i == 0) {
            arity = label.n;
        } else if (label.n != arity) {
            return invalid(v,
                           "type mismatch: targets of br_table take different numbers of values");
        }
        if (i < n ? !check_br_table_target(v, label) : !pop_list(v, label)) {
            return false;
        }
    }
    set_unreachable(v);
    return true;
}

static bool check_call(validator *v, uint32_t type_index) {
    const uint32_t type = BLOCK_FUNCTION_TYPE + type_index;
    return pop_list(v, params_of(v, type)) && push_list(v, results_of(v, type));
}

static bool check_call_indirect(validator *v) {
    const uint32_t at = v->start;
    uint32_t type, table;
    if (!read_u32(v, &type) || !read_u32(v, &table)) {
        return false;
    }
    v->start = at;
    if (table != 0 || !v->has_table) {
        return invalid(v, "unknown table");
    }
    if (type >= v->n_types) {
        return invalid(v, "unknown type");
    }
    return pop(v, I32) && check_call(v, type);
}

static bool check_select(validator *v) {
    uint8_t first, second;
    if (!pop(v, I32) || !pop_any(v, &first) || !pop_any(v, &second)) {
        return false;
    }
    if (first != second && first != UNKNOWN && second != UNKNOWN) {
        return invalid(v, "type mismatch");
    }
    return push(v, first == UNKNOWN ? second : first);
}

static bool check_local(validator *v, uint8_t opcode) {
    const uint32_t at = v->start;
    uint32_t index;
    if (!read_u32(v, &index)) {
        return false;
    }
    v->start = at;
    if (index >= v->n_locals) {
        return invalid(v, "unknown local");
    }
    const uint8_t type = v->locals[index];
    switch (opcode) {
    case 0x20: /* local.get */
        return push(v, type);
    case 0x21: /* local.set */
        return pop(v, type);
    default: /* local.tee */
        return pop(v, type) && push(v, type);
    }
}

static bool check_global(validator *v, bool set) {
    const uint32_t at = v->start;
    uint32_t index;
    if (!read_u32(v, &index)) {
        return false;
    }
    v->start = at;
    if (index >= v->n_globals) {
        return invalid(v, "unknown global");
    }
    const uint8_t type = v->globals[index] & (uint8_t)~GLOBAL_MUTABLE;
    if (!set) {
        return push(v, type);
    }
    if ((v->globals[index] & GLOBAL_MUTABLE) == 0) {
        return invalid(v, "global is immutable");
    }
    return pop(v, type);
}

/* memarg (5.4.6) */
static bool read_memory_argument(validator *v, unsigned natural) {
    const uint32_t at = v->start;
    uint32_t align, offset;
    if (!read_u32(v, &align)) {
        return false;
    }
    v->start = at;
    if (align >= 64) {
        return align < 128 ? unsupported(v, "memory index of a load or store (multi-memory)")
                           : malformed(v, "malformed memory operation flags");
    }
    if (!read_u32(v, &offset)) {
        return false;
    }
    v->start = at;
    if (!v->has_memory) {
        return invalid(v, "unknown memory 0");
    }
    return align <= natural || invalid(v, "alignment must not be larger than natural");
}

/* Natural alignment (as a power of two) and type of the loads and stores 0x28 to 0x3E. */
static const struct {
    uint8_t align;
    uint8_t type;
} memory_ops[] = {
    {2, I32}, {3, I64}, {2, F32}, {3, F64},                     /* load */
    {0, I32}, {0, I32}, {1, I32}, {1, I32},                     /* i32.load8, load16 */
    {0, I64}, {0, I64}, {1, I64}, {1, I64}, {2, I64}, {2, I64}, /* i64.load8, 16, 32 */
    {2, I32}, {3, I64}, {2, F32}, {3, F64},                     /* store */
    {0, I32}, {1, I32}, {0, I64}, {1, I64}, {2, I64},           /* i32.store8... */
};

static bool check_memory_access(validator *v, uint8_t opcode) {
    const uint8_t type = memory_ops[opcode - 0x28].type;
    if (!read_memory_argument(v, memory_ops[opcode - 0x28].align)) {
        return false;
    }
    if (opcode >= 0x36) {
        return pop(v, type) && pop(v, I32);
    }
    return pop(v, I32) && push(v, type);
}

/* A memory index that must be written as one zero byte. */
static bool read_zero_memory(validator *v) {
    const uint32_t at = v->start;
    uint8_t byte;
    if (!read_byte(v, &byte)) {
        return false;
    }
    v->start = at;
    if (byte != 0) {
        return malformed(v, "zero byte expected");
    }
    return v->has_memory || invalid(v, "unknown memory 0");
}

/*
 * The numeric instructions 0x45 to 0xC4: runs of opcodes with the same operand type, number and
 * result. `last` closes each run.
 */
static const struct {
    uint8_t last;
    uint8_t operands;
    uint8_t operand;
    uint8_t result;
} numeric_runs[] = {
    {0x45, 1, I32, I32}, /* i32.eqz */
    {0x4F, 2, I32, I32}, /* i32 comparisons */
    {0x50, 1, I64, I32}, /* i64.eqz */
    {0x5A, 2, I64, I32}, /* i64 comparisons */
    {0x60, 2, F32, I32}, /* f32 comparisons */
    {0x66, 2, F64, I32}, /* f64 comparisons */
    {0x69, 1, I32, I32}, /* i32.clz, ctz, popcnt */
    {0x78, 2, I32, I32}, /* i32.add ... rotr */
    {0x7B, 1, I64, I64}, /* i64.clz, ctz, popcnt */
    {0x8A, 2, I64, I64}, /* i64.add ... rotr */
    {0x91, 1, F32, F32}, /* f32.abs ... sqrt */
    {0x98, 2, F32, F32}, /* f32.add ... copysign */
    {0x9F, 1, F64, F64}, /* f64.abs ... sqrt */
    {0xA6, 2, F64, F64}, /* f64.add ... copysign */
    {0xA7, 1, I64, I32}, /* i32.wrap_i64 */
    {0xA9, 1, F32, I32}, /* i32.trunc_f32 */
    {0xAB, 1, F64, I32}, /* i32.trunc_f64 */
    {0xAD, 1, I32, I64}, /* i64.extend_i32 */
    {0xAF, 1, F32, I64}, /* i64.trunc_f32 */
    {0xB1, 1, F64, I64}, /* i64.trunc_f64 */
    {0xB3, 1, I32, F32}, /* f32.convert_i32 */
    {0xB5, 1, I64, F32}, /* f32.convert_i64 */
    {0xB6, 1, F64, F32}, /* f32.demote_f64 */
    {0xB8, 1, I32, F64}, /* f64.convert_i32 */
    {0xBA, 1, I64, F64}, /* f64.convert_i64 */
    {0xBB, 1, F32, F64}, /* f64.promote_f32 */
    {0xBC, 1, F32, I32}, /* i32.reinterpret_f32 */
    {0xBD, 1, F64, I64}, /* i64.reinterpret_f64 */
    {0xBE, 1, I32, F32}, /* f32.reinterpret_i32 */
    {0xBF, 1, I64, F64}, /* f64.reinterpret_i64 */
    {0xC1, 1, I32, I32}, /* i32.extend8_s, extend16_s */
    {0xC4, 1, I64, I64}, /* i64.extend8_s, extend16_s, extend32_s */
};

static bool check_numeric(validator *v, uint8_t opcode) {
    size_t run = 0;
    while (opcode > numeric_runs[run].last) {
        run++;
    }
    const uint8_t operand = numeric_runs[run].operand;
    return pop(v, operand) && (numeric_runs[run].operands == 1 || pop(v, operand)) &&
           push(v, numeric_runs[run].result);
}

/* memory.init and data.drop: the segment must be known before the data section is read. */
static bool read_data_index(validator *v) {
    const uint32_t at = v->start;
    uint32_t index;
    if ((v->limits.refuse & WG_VALIDATE_REFUSE_PASSIVE_DATA) != 0) {
        return unsupported(v, "memory.init or data.drop");
    }
    if (!read_u32(v, &index)) {
        return false;
    }
    v->start = at;
    if (!v->has_data_count) {
        return malformed(v, "data count section required");
    }
    return index < v->data_count || invalid(v, "unknown data segment");
}

/* Instructions with prefix 0xFC */
static bool check_prefixed(validator *v) {
    static const uint8_t saturating[] = {F32, F32, F64, F64}; /* pairs: operand of 0, 1 | 2, 3 */
    const uint32_t at = v->start;
    uint32_t opcode;
    if (!read_u32(v, &opcode)) {
        return false;
    }
    v->start = at;
    if (opcode < 8) { /* trunc_sat */
        return pop(v, saturating[opcode & 3]) && push(v, opcode < 4 ? I32 : I64);
    }
    switch (opcode) {
    case 8: /* memory.init */
        if (!read_data_index(v) || !read_zero_memory(v)) {
            return false;
        }
        return pop(v, I32) && pop(v, I32) && pop(v, I32);
    case 9: /* data.drop */
        return read_data_index(v);
    case 10: /* memory.copy */
        if (!read_zero_memory(v) || !read_zero_memory(v)) {
            return false;
        }
        return pop(v, I32) && pop(v, I32) && pop(v, I32);
    case 11: /* memory.fill */
        if (!read_zero_memory(v)) {
            return false;
        }
        return pop(v, I32) && pop(v, I32) && pop(v, I32);
    case 12:
        return unsupported(v, "table.init (bulk table operations)");
    case 13:
        return unsupported(v, "elem.drop (bulk table operations)");
    case 14:
        return unsupported(v, "table.copy (bulk table operations)");
    case 15:
        return unsupported(v, "table.grow (reference types)");
    case 16:
        return unsupported(v, "table.size (reference types)");
    case 17:
        return unsupported(v, "table.fill (reference types)");
    case 18:
        return unsupported(v, "memory.discard (memory control)");
    case 19:
    case 20:
    case 21:
    case 22:
        return unsupported(v, "128-bit arithmetic (wide arithmetic)");
    default:
        return malformed(v, "illegal opcode");
    }
}

/* An opcode that the engine does not run: a proposal's, or nobody's. */
static bool refuse_opcode(validator *v, uint8_t opcode) {
    switch (opcode) {
    case 0x06: /* try */
    case 0x07: /* catch */
    case 0x08: /* throw */
    case 0x09: /* rethrow */
    case 0x0A: /* throw_ref */
    case 0x18: /* delegate */
    case 0x19: /* catch_all */
    case 0x1F: /* try_table */
        return unsupported(v, "exceptions (exception handling)");
    case 0x12:
    case 0x13:
        return unsupported(v, "return_call (tail call)");
    case 0x14:
    case 0x15:
        return unsupported(v, "call_ref (function references)");
    case 0x1C:
        return unsupported(v, "select with a type (reference types)");
    case 0x25:
    case 0x26:
        return unsupported(v, "table.get or table.set (reference types)");
    case 0xD0:
    case 0xD1:
    case 0xD2:
        return unsupported(v, "reference instruction (reference types)");
    case 0xD3:
    case 0xFB:
        return unsupported(v, "object instruction (garbage collection)");
    case 0xD4:
    case 0xD5:
    case 0xD6:
        return unsupported(v, "reference instruction (function references)");
    case 0xE0:
    case 0xE1:
    case 0xE2:
    case 0xE3:
    case 0xE4:
    case 0xE5:
    case 0xE6:
        return unsupported(v, "continuation (stack switching)");
    case 0xFD:
        return unsupported(v, "vector instruction (SIMD)");
    case 0xFE:
        return unsupported(v, "atomic instruction (threads)");
    default:
        return malformed(v, "illegal opcode");
    }
}

static bool check_instruction(validator *v) {
    uint8_t opcode, type;
    uint32_t index;
    int64_t ignored;
    const frame *target;
    const uint32_t at = v->start = v->pos;
    if (!read_byte(v, &opcode) || !take_steps(v, 1)) {
        return false;
    }
    if (opcode >= 0x45 && opcode <= 0xC4) {
        return check_numeric(v, opcode);
    }
    if (opcode >= 0x28 && opcode <= 0x3E) {
        return check_memory_access(v, opcode);
    }
    switch (opcode) {
    case 0x00: /* unreachable */
        set_unreachable(v);
        return true;
    case 0x01: /* nop */
        return true;
    case 0x02:
        return check_block(v, FRAME_BLOCK);
    case 0x03:
        return check_block(v, FRAME_LOOP);
    case 0x04:
        return check_block(v, FRAME_IF);
    case 0x05:
        return check_else(v);
    case 0x0B:
        return check_end(v);
    case 0x0C: /* br */
        if (!read_label(v, &target)) {
            return false;
        }
        v->start = at;
        if (!pop_list(v, label_of(v, target))) {
            return false;
        }
        set_unreachable(v);
        return true;
    case 0x0D: /* br_if */
        if (!read_label(v, &target)) {
            return false;
        }
        v->start = at;
        return pop(v, I32) && pop_list(v, label_of(v, target)) && push_list(v, label_of(v, target));
    case 0x0E:
        return check_br_table(v);
    case 0x0F: /* return */
        if (!pop_list(v, results_of(v, v->frames[0].type))) {
            return false;
        }
        set_unreachable(v);
        return true;
    case 0x10: /* call */
        if (!read_function_index(v, &index)) {
            return false;
        }
        v->start = at;
        return check_call(v, v->funcs[index]);
    case 0x11:
        return check_call_indirect(v);
    case 0x1A: /* drop */
        return pop_any(v, &type);
    case 0x1B:
        return check_select(v);
    case 0x20:
    case 0x21:
    case 0x22:
        return check_local(v, opcode);
    case 0x23:
        return check_global(v, false);
    case 0x24:
        return check_global(v, true);
    case 0x3F: /* memory.size */
        return read_zero_memory(v) && push(v, I32);
    case 0x40: /* memory.grow */
        return read_zero_memory(v) && pop(v, I32) && push(v, I32);
    case 0x41:
        return read_signed(v, 32, &ignored) && push(v, I32);
    case 0x42:
        return read_signed(v, 64, &ignored) && push(v, I64);
    case 0x43:
        return skip(v, 4) && push(v, F32);
    case 0x44:
        return skip(v, 8) && push(v, F64);
    case 0xFC:
        return check_prefixed(v);
    default:
        return refuse_opcode(v, opcode);
    }
}

/* Sections (5.5) */

static bool read_types(validator *v) {
    uint32_t n;
    if (!read_count(v, 3, v->limits.types, "too many types", &n)) {
        return false;
    }
    if (n == 0) {
        return true;
    }
    v->types = allocate(v, n * sizeof *v->types);
    if (v->types == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        func_type *type = &v->types[i];
        const uint32_t at = v->start = v->pos;
        uint32_t n_params, n_results;
        uint8_t form, ignored;
        if (!read_byte(v, &form)) {
            return false;
        }
        if (form != 0x60) {
            return (form >= 0x4C && form <= 0x5F) ? unsupported(v, "type form (garbage collection)")
                                                  : malformed(v, "malformed type form");
        }
        if (!read_count(v, 1, v->limits.arity, "too many parameters", &n_params)) {
            return false;
        }
        type->params = v->pos;
        for (uint32_t k = 0; k < n_params; k++) {
            if (!read_value_type(v, &ignored)) {
                return false;
            }
        }
        if (!read_count(v, 1, v->limits.arity, "too many results", &n_results)) {
            return false;
        }
        type->results = v->pos;
        for (uint32_t k = 0; k < n_results; k++) {
            if (!read_value_type(v, &ignored)) {
                return false;
            }
        }
        v->start = at;
        if (n_params + n_results > v->limits.arity) {
            return over_limit(v, "too many parameters and results");
        }
        type->n_params = (uint16_t)n_params;
        type->n_results = (uint16_t)n_results;
        v->n_types = i + 1;
    }
    return true;
}

/* Makes room for n more functions. */
static bool grow_functions(validator *v, uint32_t n) {
    if (n > v->limits.functions - v->n_funcs) {
        return over_limit(v, "too many functions");
    }
    if (n == 0) {
        return true;
    }
    uint16_t *grown = allocate(v, (v->n_funcs + (size_t)n) * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    if (v->n_funcs != 0) {
        memcpy(grown, v->funcs, v->n_funcs * sizeof *grown);
    }
    release(v, v->funcs);
    v->funcs = grown;
    return true;
}

/* Makes room for n more globals. */
static bool grow_globals(validator *v, uint32_t n) {
    if (n > v->limits.globals - v->n_globals) {
        return over_limit(v, "too many globals");
    }
    if (n == 0) {
        return true;
    }
    uint8_t *grown = allocate(v, v->n_globals + (size_t)n);
    if (grown == NULL) {
        return false;
    }
    if (v->n_globals != 0) {
        memcpy(grown, v->globals, v->n_globals);
    }
    release(v, v->globals);
    v->globals = grown;
    return true;
}

static bool read_imports(validator *v) {
    uint32_t n;
    if (!read_count(v, 4, v->limits.imports, "too many imports", &n)) {
        return false;
    }
    /* Room for the worst: all of them functions, all of them globals. */
    const uint32_t functions = n < v->limits.functions ? n : v->limits.functions;
    const uint32_t globals = n < v->limits.globals ? n : v->limits.globals;
    if (!grow_functions(v, functions) || !grow_globals(v, globals)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t kind, type;
        uint32_t index;
        if (!read_name(v) || !read_name(v)) {
            return false;
        }
        const uint32_t at = v->start = v->pos;
        if (!read_byte(v, &kind)) {
            return false;
        }
        switch (kind) {
        case KIND_FUNCTION:
            if (!read_type_index(v, &index)) {
                return false;
            }
            v->start = at;
            if (v->n_funcs >= functions) {
                return over_limit(v, "too many functions");
            }
            v->funcs[v->n_funcs++] = (uint16_t)index;
            break;
        case KIND_TABLE:
            if (!read_table_type(v)) {
                return false;
            }
            break;
        case KIND_MEMORY:
            if (!read_memory_type(v)) {
                return false;
            }
            break;
        case KIND_GLOBAL:
            if (!read_global_type(v, &type)) {
                return false;
            }
            v->start = at;
            if (v->n_globals >= globals) {
                return over_limit(v, "too many globals");
            }
            v->globals[v->n_globals++] = type;
            break;
        case KIND_TAG:
            return unsupported(v, "tag import (exception handling)");
        default:
            return malformed(v, "malformed import kind");
        }
    }
    v->n_imported_funcs = v->n_funcs;
    v->n_imported_globals = v->n_globals;
    return true;
}

static bool read_functions(validator *v) {
    uint32_t n, index;
    if (!read_count(v, 1, UINT32_MAX, "", &n) || !grow_functions(v, n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_type_index(v, &index)) {
            return false;
        }
        v->funcs[v->n_funcs++] = (uint16_t)index;
    }
    return true;
}

static bool read_tables(validator *v) {
    uint32_t n;
    if (!read_count(v, 3, UINT32_MAX, "", &n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_table_type(v)) {
            return false;
        }
    }
    return true;
}

static bool read_memories(validator *v) {
    uint32_t n;
    if (!read_count(v, 2, UINT32_MAX, "", &n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_memory_type(v)) {
            return false;
        }
    }
    return true;
}

static bool read_globals(validator *v) {
    uint32_t n;
    if (!read_count(v, 4, UINT32_MAX, "", &n) || !grow_globals(v, n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t type;
        if (!read_global_type(v, &type) || !read_constant(v, type & (uint8_t)~GLOBAL_MUTABLE)) {
            return false;
        }
        v->globals[v->n_globals++] = type;
    }
    return true;
}

/* Length and bytes of a name that was read before, by its offset. */
static const uint8_t *name_at(const validator *v, uint32_t offset, uint32_t *n) {
    unsigned shift = 0;
    uint8_t byte;
    *n = 0;
    do {
        byte = v->bytes[offset++];
        *n |= (uint32_t)(byte & 0x7F) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0);
    return v->bytes + offset;
}

static int compare_names(const validator *v, uint32_t a, uint32_t b) {
    uint32_t n_a, n_b;
    const uint8_t *name_a = name_at(v, a, &n_a);
    const uint8_t *name_b = name_at(v, b, &n_b);
    if (n_a != n_b) {
        return n_a < n_b ? -1 : 1;
    }
    return memcmp(name_a, name_b, n_a);
}

/* Moves the name at `root` of a heap of n names down to its place. */
static void sift_name(const validator *v, uint32_t root, uint32_t n) {
    uint32_t *names = v->names;
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= n) {
            return;
        }
        if (child + 1 < n && compare_names(v, names[child], names[child + 1]) < 0) {
            child++;
        }
        if (compare_names(v, names[root], names[child]) >= 0) {
            return;
        }
        const uint32_t other = names[root];
        names[root] = names[child];
        names[child] = other;
        root = child;
    }
}

/* No name twice (3.4.8), by heapsort: n log n for any names that a hostile module may choose. */
static bool check_names_unique(validator *v, uint32_t n) {
    for (uint32_t root = n / 2; root > 0; root--) {
        sift_name(v, root - 1, n);
    }
    uint32_t previous = 0; /* the next larger name */
    for (uint32_t left = n; left > 0; left--) {
        const uint32_t largest = v->names[0];
        if (left < n && compare_names(v, previous, largest) == 0) {
            v->start = previous > largest ? previous : largest;
            return invalid(v, "duplicate export name");
        }
        previous = largest;
        v->names[0] = v->names[left - 1];
        sift_name(v, 0, left - 1);
    }
    return true;
}

static bool read_exports(validator *v) {
    uint32_t n;
    if (!read_count(v, 3, v->limits.exports, "too many exports", &n)) {
        return false;
    }
    if (n == 0) {
        return true;
    }
    v->names = allocate(v, n * sizeof *v->names);
    if (v->names == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t kind;
        uint32_t index;
        v->names[i] = v->pos;
        if (!read_name(v)) {
            return false;
        }
        v->start = v->pos;
        if (!read_byte(v, &kind)) {
            return false;
        }
        if (kind > KIND_GLOBAL) {
            return kind == KIND_TAG ? unsupported(v, "tag export (exception handling)")
                                    : malformed(v, "malformed export kind");
        }
        if (!read_u32(v, &index)) {
            return false;
        }
        if (kind == KIND_FUNCTION && index >= v->n_funcs) {
            return invalid(v, "unknown function");
        }
        if (kind == KIND_TABLE && (index != 0 || !v->has_table)) {
            return invalid(v, "unknown table");
        }
        if (kind == KIND_MEMORY && (index != 0 || !v->has_memory)) {
            return invalid(v, "unknown memory");
        }
        if (kind == KIND_GLOBAL && index >= v->n_globals) {
            return invalid(v, "unknown global");
        }
    }
    if (!check_names_unique(v, n)) {
        return false;
    }
    release(v, v->names);
    v->names = NULL;
    return true;
}

static bool read_start(validator *v) {
    uint32_t index;
    if (!read_function_index(v, &index)) {
        return false;
    }
    const func_type *type = &v->types[v->funcs[index]];
    if (type->n_params != 0 || type->n_results != 0) {
        return invalid(v, "start function must take and return nothing");
    }
    return true;
}

static bool read_elements(validator *v) {
    uint32_t n;
    if (!read_count(v, 3, v->limits.element_segments, "too many element segments", &n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t flags, items, index;
        if (!read_u32(v, &flags)) {
            return false;
        }
        if (flags > 7) {
            return malformed(v, "malformed element segment kind");
        }
        if (flags > 3) {
            return unsupported(v, "element expressions (reference types)");
        }
        if (flags == 2) {
            return unsupported(v, "element segment with a table index (reference types)");
        }
        if (flags != 0) {
            return unsupported(v, "passive element segment (bulk table operations)");
        }
        if (!v->has_table) {
            return invalid(v, "unknown table");
        }
        if (!read_constant(v, I32) || !read_count(v, 1, UINT32_MAX, "", &items)) {
            return false;
        }
        for (uint32_t k = 0; k < items; k++) {
            if (!read_function_index(v, &index)) {
                return false;
            }
        }
    }
    return true;
}

static bool read_data_count(validator *v) {
    v->has_data_count = true;
    return read_u32(v, &v->data_count);
}

/* Parameters and declared locals of a body (5.4.13), into v->locals. */
static bool read_locals(validator *v, uint32_t type_index) {
    const type_list params = params_of(v, BLOCK_FUNCTION_TYPE + type_index);
    uint64_t total = params.n;
    uint32_t groups, n;
    uint8_t type;
    if (!read_count(v, 2, UINT32_MAX, "", &groups)) {
        return false;
    }
    if (params.n <= v->limits.locals) {
        memcpy(v->locals, params.types, params.n);
    }
    for (uint32_t i = 0; i < groups; i++) {
        if (!read_u32(v, &n)) {
            return false;
        }
        const uint32_t at = v->start;
        if (!read_value_type(v, &type)) {
            return false;
        }
        v->start = at;
        if (total + n > UINT32_MAX) {
            return malformed(v, "too many locals");
        }
        if (total + n <= v->limits.locals) {
            memset(v->locals + total, type, n);
        }
        total += n;
    }
    if (total > v->limits.locals) {
        return over_limit(v, "too many locals");
    }
    v->n_locals = (uint32_t)total;
    return true;
}

static bool read_body(validator *v, uint32_t type_index) {
    const uint32_t section_end = v->end;
    uint32_t size;
    if (!read_u32(v, &size)) {
        return false;
    }
    if (size > v->end - v->pos) {
        return malformed(v, "unexpected end, function body too long");
    }
    if (size > v->limits.body) {
        return over_limit(v, "function body too large");
    }
    v->end = v->pos + size;
    v->n_frames = 0;
    v->n_operands = 0;
    if (!read_locals(v, type_index) ||
        !push_frame(v, FRAME_FUNCTION, BLOCK_FUNCTION_TYPE + type_index)) {
        return false;
    }
    while (v->n_frames > 0) {
        if (v->pos == v->end) {
            return fail_at(v, v->pos, WG_VALIDATE_MALFORMED, "function body must end with END");
        }
        if (!check_instruction(v)) {
            return false;
        }
    }
    if (v->pos != v->end) {
        return fail_at(v, v->pos, WG_VALIDATE_MALFORMED, "function body goes on after its END");
    }
    v->end = section_end;
    return true;
}

static bool read_code(validator *v) {
    const uint32_t defined = v->n_funcs - v->n_imported_funcs;
    if (!read_u32(v, &v->n_bodies)) {
        return false;
    }
    if (v->n_bodies != defined) {
        return malformed(v, "function and code section have inconsistent lengths");
    }
    if (defined == 0) {
        return true;
    }
    v->code_block =
        allocate(v, v->limits.nesting * sizeof *v->frames + v->limits.operands + v->limits.locals);
    if (v->code_block == NULL) {
        return false;
    }
    v->frames = v->code_block;
    v->operands = (uint8_t *)(v->frames + v->limits.nesting);
    v->locals = v->operands + v->limits.operands;
    for (uint32_t i = 0; i < defined; i++) {
        v->result.function = v->n_imported_funcs + i;
        if (!read_body(v, v->funcs[v->n_imported_funcs + i])) {
            return false;
        }
    }
    v->result.function = WG_VALIDATE_NO_FUNCTION;
    return true;
}

static bool read_data(validator *v) {
    if (!read_count(v, 2, v->limits.data_segments, "too many data segments", &v->n_data)) {
        return false;
    }
    for (uint32_t i = 0; i < v->n_data; i++) {
        uint32_t flags, memory = 0, n;
        if (!read_u32(v, &flags)) {
            return false;
        }
        if (flags > 2) {
            return malformed(v, "malformed data segment kind");
        }
        if (flags == 1) {
            if ((v->limits.refuse & WG_VALIDATE_REFUSE_PASSIVE_DATA) != 0) {
                return unsupported(v, "passive data segment");
            }
        } else {
            if (flags == 2 && !read_u32(v, &memory)) {
                return false;
            }
            if (memory != 0 || !v->has_memory) {
                return invalid(v, "unknown memory");
            }
            if (!read_constant(v, I32)) {
                return false;
            }
        }
        if (!read_u32(v, &n) || !skip(v, n)) {
            return false;
        }
    }
    return true;
}

static bool read_section(validator *v, uint8_t id) {
    switch (id) {
    case SECTION_CUSTOM:
        if (!read_name(v)) {
            return false;
        }
        v->pos = v->end;
        return true;
    case SECTION_TYPE:
        return read_types(v);
    case SECTION_IMPORT:
        return read_imports(v);
    case SECTION_FUNCTION:
        return read_functions(v);
    case SECTION_TABLE:
        return read_tables(v);
    case SECTION_MEMORY:
        return read_memories(v);
    case SECTION_GLOBAL:
        return read_globals(v);
    case SECTION_EXPORT:
        return read_exports(v);
    case SECTION_START:
        return read_start(v);
    case SECTION_ELEMENT:
        return read_elements(v);
    case SECTION_CODE:
        return read_code(v);
    case SECTION_DATA:
        return read_data(v);
    case SECTION_DATA_COUNT:
        return read_data_count(v);
    case SECTION_TAG:
        return unsupported(v, "tag section (exception handling)");
    default:
        return malformed(v, "malformed section id");
    }
}

static bool read_header(validator *v) {
    static const uint8_t magic[] = {0x00, 'a', 's', 'm'};
    static const uint8_t version[] = {1, 0, 0, 0};
    if (v->size == 0) {
        return malformed(v, "empty, not a WebAssembly module");
    }
    if (v->size < 4 || memcmp(v->bytes, magic, 4) != 0) {
        return malformed(v, "no magic header, not a WebAssembly module");
    }
    v->start = 4;
    if (v->size < 8) {
        return malformed(v, "unexpected end in the version");
    }
    if (memcmp(v->bytes + 4, version, 4) != 0) {
        return v->bytes[6] == 1 && v->bytes[7] == 0
                   ? unsupported(v, "a component, not a core module (component model)")
                   : malformed(v, "unknown binary version");
    }
    v->pos = 8;
    return true;
}

static bool read_module(validator *v) {
    /* Place of each section (5.5.2) by its id: data count stands before code, tag after memory. */
    static const uint8_t place[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6};
    uint8_t last = 0;
    if (!read_header(v)) {
        return false;
    }
    while (v->pos < v->size) {
        uint8_t id;
        uint32_t size;
        const uint32_t at = v->start = v->pos;
        v->end = v->size;
        v->result.section = WG_VALIDATE_NO_SECTION;
        if (!read_byte(v, &id)) {
            return false;
        }
        if (id > SECTION_TAG) {
            return malformed(v, "malformed section id");
        }
        v->result.section = id;
        if (!read_u32(v, &size)) {
            return false;
        }
        if (size > v->end - v->pos) {
            return malformed(v, "unexpected end, section too long");
        }
        v->start = at;
        if (id != SECTION_CUSTOM) {
            if (place[id] <= last) {
                return malformed(v, "section out of order or twice");
            }
            last = place[id];
        }
        v->end = v->pos + size;
        if (!read_section(v, id)) {
            return false;
        }
        if (v->pos != v->end) {
            return fail_at(v, v->pos, WG_VALIDATE_MALFORMED, "section size mismatch");
        }
    }
    v->start = v->pos;
    v->result.section = WG_VALIDATE_NO_SECTION;
    if (v->n_bodies != v->n_funcs - v->n_imported_funcs) {
        return malformed(v, "function and code section have inconsistent lengths");
    }
    if (v->has_data_count && v->n_data != v->data_count) {
        return malformed(v, "data count and data section have inconsistent lengths");
    }
    return true;
}

/* Limits */

static uint32_t limit_or(uint32_t given, uint32_t otherwise) {
    return given != 0 ? given : otherwise;
}

static uint32_t at_most(uint32_t value, uint32_t most) {
    return value < most ? value : most;
}

/* The limits in force: defaults filled in, and none beyond what this code's types can count. */
static wg_validate_limits effective(const wg_validate_limits *given) {
    wg_validate_limits l = {0};
    if (given != NULL) {
        l = *given;
    }
    l.module_size = limit_or(l.module_size, WG_VALIDATE_MAX_MODULE_SIZE);
    l.module_size = at_most(l.module_size, UINT32_MAX / 2);
    l.types = at_most(limit_or(l.types, WG_VALIDATE_MAX_TYPES), UINT16_MAX);
    l.arity = at_most(limit_or(l.arity, WG_VALIDATE_MAX_ARITY), UINT16_MAX);
    l.functions = at_most(limit_or(l.functions, WG_VALIDATE_MAX_FUNCTIONS), 1u << 24);
    l.imports = at_most(limit_or(l.imports, WG_VALIDATE_MAX_IMPORTS), 1u << 24);
    l.exports = at_most(limit_or(l.exports, WG_VALIDATE_MAX_EXPORTS), 1u << 24);
    l.globals = at_most(limit_or(l.globals, WG_VALIDATE_MAX_GLOBALS), 1u << 24);
    l.name = limit_or(l.name, WG_VALIDATE_MAX_NAME);
    l.table = limit_or(l.table, WG_VALIDATE_MAX_TABLE);
    l.memory_pages = limit_or(l.memory_pages, WG_VALIDATE_MAX_MEMORY_PAGES);
    l.element_segments = limit_or(l.element_segments, WG_VALIDATE_MAX_ELEMENT_SEGMENTS);
    l.data_segments = limit_or(l.data_segments, WG_VALIDATE_MAX_DATA_SEGMENTS);
    l.body = limit_or(l.body, WG_VALIDATE_MAX_BODY);
    l.locals = at_most(limit_or(l.locals, WG_VALIDATE_MAX_LOCALS), 1u << 24);
    l.operands = at_most(limit_or(l.operands, WG_VALIDATE_MAX_OPERANDS), UINT16_MAX);
    l.nesting = at_most(limit_or(l.nesting, WG_VALIDATE_MAX_NESTING), 1u << 24);
    l.br_table = limit_or(l.br_table, WG_VALIDATE_MAX_BR_TABLE);
    l.steps = limit_or(l.steps, WG_VALIDATE_MAX_STEPS);
    return l;
}

size_t wg_validate_memory_bound(size_t size, const wg_validate_limits *limits) {
    const wg_validate_limits l = effective(limits);
    const uint32_t bytes = size < l.module_size ? (uint32_t)size : l.module_size;
    /* A vector's count is believed up to what its section can hold; see read_count(). */
    const size_t types = at_most(bytes / 3, l.types) * sizeof(func_type);
    const size_t functions = (size_t)2 * at_most(bytes, l.functions) * sizeof(uint16_t);
    const size_t globals = (size_t)2 * at_most(bytes, l.globals);
    const size_t exports = at_most(bytes / 3, l.exports) * sizeof(uint32_t);
    const size_t code = l.nesting * sizeof(frame) + l.operands + l.locals;
    return types + functions + globals + (exports > code ? exports : code);
}

wg_validate_result wg_validate(const uint8_t *bytes, size_t size, const wg_validate_limits *limits,
                               const wg_validate_alloc *alloc) {
    validator v = {0};
    v.bytes = bytes;
    v.limits = effective(limits);
    v.allocator = alloc;
    v.steps = v.limits.steps;
    v.result.status = WG_VALIDATE_OK;
    v.result.section = WG_VALIDATE_NO_SECTION;
    v.result.function = WG_VALIDATE_NO_FUNCTION;
    v.result.reason = "";
    if (size > v.limits.module_size) {
        over_limit(&v, "module too large");
        return v.result;
    }
    v.size = (uint32_t)size;
    v.end = v.size;
    if (read_module(&v)) {
        v.result.section = WG_VALIDATE_NO_SECTION;
    }
    release(&v, v.types);
    release(&v, v.funcs);
    release(&v, v.globals);
    release(&v, v.names);
    release(&v, v.code_block);
    return v.result;
}

const char *wg_validate_status_name(wg_validate_status status) {
    static const char *const names[] = {"ok",          "malformed", "invalid",
                                        "unsupported", "limit",     "no memory"};
    return names[status];
}
