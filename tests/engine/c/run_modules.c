/*
 * Runs any modules under the sanitizers: each file is loaded, linked to functions that return 0,
 * compiled whole, and each exported function is called with zeros on little fuel. Prints how many
 * came how far. Errors are fine, a crash or a leak is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static unsigned loaded, linked, compiled, calls, returned;

static bool host(void *context, uint32_t index, const uint64_t *args, size_t count,
                 uint64_t *result, wg_error *error) {
    (void)context, (void)index, (void)args, (void)count, (void)error;
    *result = 0;
    return true;
}

static wg_instance *link_all(wg_module *module, wg_error *error) {
    const wg_import *imports;
    size_t count = wg_module_imports(module, &imports);
    wg_offer *offers = calloc(count + 1, sizeof(*offers));
    char (*types)[64] = calloc(count + 1, sizeof(*types));
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (imports[i].item.kind == WG_FUNC) {
            size_t length = wg_type_write(imports[i].item.type, types[used], sizeof(*types));
            offers[used] = (wg_offer){imports[i].module, imports[i].name, types[used], length};
            used++;
        }
    }
    wg_limits limits = {.pages = 300};
    wg_instance *instance = wg_instance_new(module, offers, used, &limits, error);
    free(offers);
    free(types);
    return instance;
}

static void call_all(wg_instance *instance, wg_module *module) {
    static const uint64_t zeros[WG_MAX_PARAMS];
    uint64_t results[WG_MAX_RESULTS];
    wg_error error;
    const wg_export *exports;
    size_t count = wg_module_exports(module, &exports);
    wg_instance_set_hooks(instance, host, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        const wg_item *item = &exports[i].item;
        if (item->kind != WG_FUNC || item->type->params > WG_MAX_PARAMS) {
            continue;
        }
        if (wg_instance_dead(instance)) {
            wg_instance_free(instance);
            instance = link_all(module, &error);
            if (instance == NULL) {
                return;
            }
            wg_instance_set_hooks(instance, host, NULL, NULL);
        }
        wg_instance_set_fuel(instance, 100000);
        wg_instance_set_deadline(instance, 2000);
        calls++;
        returned += wg_instance_call(instance, item->index, zeros, item->type->params, results,
                                     1 << 20, &error);
    }
    wg_instance_free(instance);
}

static void run(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s can't be opened\n", path);
        exit(2);
    }
    static uint8_t bytes[WG_MODULE_SIZE];
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    wg_error error;
    wg_module *module = wg_module_new(bytes, size, &error);
    if (module == NULL) {
        return;
    }
    loaded++;
    wg_instance *instance = link_all(module, &error);
    if (instance != NULL) {
        linked++;
        bool good = wg_instance_compile(instance, 1 << 20, &error);
        compiled += good;
        if (!good) {
            printf("%s: %s\n", path, error.message);
        }
        call_all(instance, module);
    }
    wg_module_release(module);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (getenv("WG_VERBOSE") != NULL) {
            fprintf(stderr, "%s\n", argv[i]);
        }
        run(argv[i]);
    }
    printf("%d files: %u loaded, %u linked, %u compiled, %u calls, %u returned\n", argc - 1, loaded,
           linked, compiled, calls, returned);
    return 0;
}
