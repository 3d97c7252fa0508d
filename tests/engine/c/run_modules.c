/* Exercises any modules under the sanitizers, files by name. Prints how many came how far. */
#include "exercise.h"

int main(int argc, char **argv) {
    exercise e = {.fuel = 100000, .pages = 300};
    for (int i = 1; i < argc; i++) {
        if (getenv("WG_VERBOSE") != NULL) {
            fprintf(stderr, "%s\n", argv[i]);
        }
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            fprintf(stderr, "%s can't be opened\n", argv[i]);
            return 2;
        }
        static uint8_t bytes[WG_MODULE_SIZE];
        size_t size = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        exercise_module(&e, bytes, size);
    }
    printf("%d files: %u loaded, %u linked, %u compiled, %u calls, %u returned, %u compared after "
           "a reset, %u pauses\n",
           argc - 1, e.loaded, e.linked, e.compiled, e.calls, e.returned, e.reset, e.paused);
    return 0;
}
