/*
 * libFuzzer: any bytes to the validator, with small limits too. The sanitizers watch; so do
 * batch.c's promises about memory, of which the bound is checked here again.
 */
#include "validate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t allocated;

static void *fuzz_alloc(void *context, size_t size) {
    (void)context;
    allocated += size;
    return malloc(size);
}

static void fuzz_free(void *context, void *block) {
    (void)context;
    free(block);
}

static void validate(const uint8_t *data, size_t size, const wg_validate_limits *limits) {
    const wg_validate_alloc alloc = {fuzz_alloc, fuzz_free, NULL};
    allocated = 0;
    const wg_validate_result result = wg_validate(data, size, limits, &alloc);
    if (result.offset > size || allocated > wg_validate_memory_bound(size, limits) * 2) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const wg_validate_limits narrow = {
        .types = 3,
        .arity = 3,
        .functions = 2,
        .imports = 5,
        .exports = 2,
        .globals = 2,
        .name = 4,
        .locals = 4,
        .operands = 4,
        .nesting = 3,
        .br_table = 2,
        .steps = 100,
        .refuse = WG_VALIDATE_REFUSE_PASSIVE_DATA,
    };
    validate(data, size, NULL);
    validate(data, size, &narrow);
    return 0;
}
