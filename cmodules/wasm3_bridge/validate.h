/*
 * WebAssembly validation, before anything of a module is believed.
 *
 * wg_validate() reads a binary module once from front to back and says whether it is a valid module
 * of the WebAssembly core specification (binary format: chapter 5; typing rules: chapter 3; method:
 * appendix "Validation Algorithm") for the features that the engine runs:
 *
 *   the MVP, sign extension, saturating float-to-int conversion, multi-value, mutable globals in
 * imports and exports, and of bulk memory: memory.copy, memory.fill, memory.init, data.drop,
 * passive data segments and the data count section.
 *
 * Every other proposal is refused by its name, as WG_VALIDATE_UNSUPPORTED. The table index of
 * call_indirect may be any LEB128 encoding of zero, since current compilers emit five bytes there.
 *
 * Promises:
 *   - no byte outside [bytes, bytes + size) is read, for any content and any size, 0 included;
 *   - nothing recurses: the native stack use is constant (below 1 KiB on a 32-bit machine);
 *   - memory comes only from the caller's allocator, in at most WG_VALIDATE_MAX_BLOCKS blocks at a
 * time that sum to at most wg_validate_memory_bound(), and all of it is given back before the
 * return;
 *   - the time is linear in `size` times a constant, or WG_VALIDATE_LIMIT ends it ("steps");
 *   - no limit is passed silently: the reason names it.
 *
 * Plain C11, no floating point, and from the C library only memcmp, memcpy and memset. It knows
 * neither MicroPython nor wasm3.
 */
#ifndef WG_VALIDATE_H
#define WG_VALIDATE_H

#include <stddef.h>
#include <stdint.h>

/* Default limits. Each may be overridden at compile time here, or per call in wg_validate_limits.
 */

#ifndef WG_VALIDATE_MAX_MODULE_SIZE
#define WG_VALIDATE_MAX_MODULE_SIZE (1024u * 1024u) /* bytes */
#endif
#ifndef WG_VALIDATE_MAX_TYPES
#define WG_VALIDATE_MAX_TYPES 1000u /* function types; at most 65,535 */
#endif
#ifndef WG_VALIDATE_MAX_ARITY
#define WG_VALIDATE_MAX_ARITY 256u /* parameters plus results of one function type */
#endif
#ifndef WG_VALIDATE_MAX_FUNCTIONS
#define WG_VALIDATE_MAX_FUNCTIONS 10000u /* imported and defined */
#endif
#ifndef WG_VALIDATE_MAX_IMPORTS
#define WG_VALIDATE_MAX_IMPORTS 1000u
#endif
#ifndef WG_VALIDATE_MAX_EXPORTS
#define WG_VALIDATE_MAX_EXPORTS 1000u
#endif
#ifndef WG_VALIDATE_MAX_GLOBALS
#define WG_VALIDATE_MAX_GLOBALS 1000u /* imported and defined */
#endif
#ifndef WG_VALIDATE_MAX_NAME
#define WG_VALIDATE_MAX_NAME 1024u /* bytes of one import, export or custom section name */
#endif
#ifndef WG_VALIDATE_MAX_TABLE
#define WG_VALIDATE_MAX_TABLE 16384u /* elements that a table starts with */
#endif
#ifndef WG_VALIDATE_MAX_MEMORY_PAGES
#define WG_VALIDATE_MAX_MEMORY_PAGES 256u /* pages of 64 KiB that a memory starts with */
#endif
#ifndef WG_VALIDATE_MAX_ELEMENT_SEGMENTS
#define WG_VALIDATE_MAX_ELEMENT_SEGMENTS 1000u
#endif
#ifndef WG_VALIDATE_MAX_DATA_SEGMENTS
#define WG_VALIDATE_MAX_DATA_SEGMENTS 4096u
#endif
#ifndef WG_VALIDATE_MAX_BODY
#define WG_VALIDATE_MAX_BODY (256u * 1024u) /* bytes of one function body */
#endif
#ifndef WG_VALIDATE_MAX_LOCALS
#define WG_VALIDATE_MAX_LOCALS 2000u /* parameters and locals of one function */
#endif
#ifndef WG_VALIDATE_MAX_OPERANDS
#define WG_VALIDATE_MAX_OPERANDS                                                                   \
    2000u /* values on the operand stack of one function; at most 65,535 */
#endif
#ifndef WG_VALIDATE_MAX_NESTING
#define WG_VALIDATE_MAX_NESTING 512u /* blocks within blocks, the function's own included */
#endif
#ifndef WG_VALIDATE_MAX_BR_TABLE
#define WG_VALIDATE_MAX_BR_TABLE 32768u /* targets of one br_table, the default one not counted */
#endif
#ifndef WG_VALIDATE_MAX_STEPS
#define WG_VALIDATE_MAX_STEPS (64u * 1024u * 1024u) /* operand type checks in the whole module */
#endif

/* Most blocks that are allocated at one time. */
#define WG_VALIDATE_MAX_BLOCKS 7u

typedef enum {
    WG_VALIDATE_OK = 0,
    WG_VALIDATE_MALFORMED,   /* not the binary format */
    WG_VALIDATE_INVALID,     /* the format, but against the typing rules */
    WG_VALIDATE_UNSUPPORTED, /* may be WebAssembly, but of a proposal that the engine does not run
                              */
    WG_VALIDATE_LIMIT,       /* passes a limit of wg_validate_limits */
    WG_VALIDATE_NO_MEMORY,   /* the allocator returned NULL */
} wg_validate_status;

/* A field that is 0 stands for its default above. Meanings and units are those of the defaults. */
typedef struct {
    uint32_t module_size;
    uint32_t types;
    uint32_t arity;
    uint32_t functions;
    uint32_t imports;
    uint32_t exports;
    uint32_t globals;
    uint32_t name;
    uint32_t table;
    uint32_t memory_pages;
    uint32_t element_segments;
    uint32_t data_segments;
    uint32_t body;
    uint32_t locals;
    uint32_t operands;
    uint32_t nesting;
    uint32_t br_table;
    uint32_t steps;
    uint32_t refuse; /* WG_VALIDATE_REFUSE_...: features to treat as unsupported */
} wg_validate_limits;

/* Passive data segments, memory.init and data.drop. */
#define WG_VALIDATE_REFUSE_PASSIVE_DATA 1u

typedef struct {
    void *(*alloc)(void *context, size_t size); /* size > 0; NULL: no memory; aligned as malloc's */
    void (*free)(void *context, void *block);   /* never called with NULL */
    void *context;
} wg_validate_alloc;

#define WG_VALIDATE_NO_SECTION (-1)
#define WG_VALIDATE_NO_FUNCTION UINT32_MAX

typedef struct {
    wg_validate_status status;
    uint32_t offset; /* of the byte or item at fault, from the module's start; at most size */
    int32_t section; /* id of the section at fault, or WG_VALIDATE_NO_SECTION */
    uint32_t
        function; /* index (imports included) of the body at fault, or WG_VALIDATE_NO_FUNCTION */
    const char *reason; /* static text, lower case, no full stop; "" when the status is OK */
} wg_validate_result;

/* `limits` may be NULL for the defaults. The result refers to nothing of the caller's. */
wg_validate_result wg_validate(const uint8_t *bytes, size_t size, const wg_validate_limits *limits,
                               const wg_validate_alloc *alloc);

/* The most bytes that wg_validate() has allocated at one time for a module of `size` bytes. */
size_t wg_validate_memory_bound(size_t size, const wg_validate_limits *limits);

/* "ok", "malformed", "invalid", "unsupported", "limit", "no memory". */
const char *wg_validate_status_name(wg_validate_status status);

#endif
