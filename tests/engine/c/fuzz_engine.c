/*
 * libFuzzer: any bytes as a module, validated, loaded, linked, compiled, run with quotas, reset.
 * The last byte chooses the fuel and the arguments.
 */
#include "exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint64_t args[] = {0,     1,     UINT64_MAX,         0x8000000080000000,
                                    65535, 65532, 0x7ff0000000000001, 7};
    uint8_t choice = size > 0 ? data[size - 1] : 0;
    exercise e = {.fuel = choice < 128 ? 500 : 5000, .pages = 3, .arg = args[choice % 8]};
    exercise_module(&e, data, size);
    return 0;
}
