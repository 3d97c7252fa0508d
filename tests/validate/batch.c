/*
 * The validator as a PC program, for tests: modules in, one line for each out.
 *
 *   batch [--wide | --narrow] [--oom]
 *
 * Standard input: for each module its size (4 bytes, little endian) and its bytes. Standard output,
 * for each: "<status> <offset> <section> <function> <reason>".
 *
 *   --wide  limits as large as they can be, for the specification's tests
 *   --narrow  small limits, fewer functions and globals than imports, and passive data refused
 *   --oom   each module is validated again with the 1st, 2nd... allocation failing, which must be
 * reported
 *
 * Each module is copied to a block of exactly its size, so that the sanitizers see a read beyond
 * it. The promises of validate.h about memory are checked; a broken one is an abort.
 */
#include "validate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    size_t in_use;
    size_t most;
    unsigned blocks;
    unsigned calls;
    unsigned fail_at; /* this call returns NULL; 0: none */
} account;

typedef union {
    size_t size;
    max_align_t align;
} header;

static void require(bool fact, const char *what) {
    if (!fact) {
        fprintf(stderr, "batch: broken promise: %s\n", what);
        abort();
    }
}

static void *account_alloc(void *context, size_t size) {
    account *a = context;
    require(size > 0, "size > 0");
    if (++a->calls == a->fail_at) {
        return NULL;
    }
    header *block = malloc(sizeof *block + size);
    require(block != NULL, "the test has memory");
    block->size = size;
    memset(block + 1, 0xA5, size);
    a->in_use += size;
    a->most = a->in_use > a->most ? a->in_use : a->most;
    a->blocks++;
    require(a->blocks <= WG_VALIDATE_MAX_BLOCKS, "number of blocks");
    return block + 1;
}

static void account_free(void *context, void *memory) {
    account *a = context;
    require(memory != NULL, "free is never called with NULL");
    header *block = (header *)memory - 1;
    a->in_use -= block->size;
    a->blocks--;
    free(block);
}

static wg_validate_result validate(const uint8_t *bytes, size_t size,
                                   const wg_validate_limits *limits, account *a) {
    const wg_validate_alloc alloc = {account_alloc, account_free, a};
    const wg_validate_result result = wg_validate(bytes, size, limits, &alloc);
    require(a->in_use == 0 && a->blocks == 0, "all memory given back");
    require(a->most <= wg_validate_memory_bound(size, limits), "the bound of memory");
    require(result.offset <= size, "the offset is in the module");
    require((result.status == WG_VALIDATE_OK) == (result.reason[0] == '\0'), "a reason");
    return result;
}

static void check_oom(const uint8_t *bytes, size_t size, const wg_validate_limits *limits,
                      unsigned calls) {
    for (unsigned i = 1; i <= calls; i++) {
        account a = {.fail_at = i};
        require(validate(bytes, size, limits, &a).status == WG_VALIDATE_NO_MEMORY,
                "no memory is reported");
    }
}

static const wg_validate_limits wide = {
    .module_size = UINT32_MAX,
    .types = UINT32_MAX,
    .arity = UINT32_MAX,
    .functions = UINT32_MAX,
    .imports = UINT32_MAX,
    .exports = UINT32_MAX,
    .globals = UINT32_MAX,
    .name = UINT32_MAX,
    .table = UINT32_MAX,
    .memory_pages = UINT32_MAX,
    .element_segments = UINT32_MAX,
    .data_segments = UINT32_MAX,
    .body = UINT32_MAX,
    .locals = 50000,
    .operands = UINT32_MAX,
    .nesting = 65536,
    .br_table = UINT32_MAX,
    .steps = UINT32_MAX,
};

static const wg_validate_limits narrow = {
    .functions = 2,
    .globals = 2,
    .imports = 8,
    .refuse = WG_VALIDATE_REFUSE_PASSIVE_DATA,
};

int main(int argc, char **argv) {
    const wg_validate_limits *limits = NULL;
    bool oom = false;
    uint8_t size_bytes[4];
    for (int i = 1; i < argc; i++) {
        limits = strcmp(argv[i], "--wide") == 0 ? &wide : limits;
        limits = strcmp(argv[i], "--narrow") == 0 ? &narrow : limits;
        oom = oom || strcmp(argv[i], "--oom") == 0;
    }
    while (fread(size_bytes, sizeof size_bytes, 1, stdin) == 1) {
        const size_t size = (size_t)size_bytes[0] | (size_t)size_bytes[1] << 8 |
                            (size_t)size_bytes[2] << 16 | (size_t)size_bytes[3] << 24;
        uint8_t *bytes = malloc(size + (size == 0));
        require(bytes != NULL, "the test has memory");
        if (size != 0 && fread(bytes, size, 1, stdin) != 1) {
            fprintf(stderr, "batch: the input ends within a module\n");
            return 2;
        }
        account a = {0};
        const wg_validate_result result = validate(bytes, size, limits, &a);
        if (oom) {
            check_oom(bytes, size, limits, a.calls);
        }
        printf("%s %u %d %u %s\n", wg_validate_status_name(result.status), (unsigned)result.offset,
               (int)result.section, (unsigned)result.function, result.reason);
        free(bytes);
    }
    return 0;
}
