/* What a module keeps; for the engine's own files. */
#ifndef WG_MODULE_H
#define WG_MODULE_H

#include "engine.h"
#include "heap.h"

struct wg_module {
    uint8_t *bytes; /* wasm3 compiles from them: they live as long as an instance */
    size_t size;
    int holders;
    wg_heap heap; /* pays for the lists, without a limit */

    wg_type *types;
    size_t types_count;
    const wg_type **functions; /* imported ones first */
    size_t functions_count;
    uint32_t imported_functions;
    wg_item *tables;
    size_t tables_count;
    wg_item *memories;
    size_t memories_count;
    wg_item *globals;
    size_t globals_count;
    wg_import *imports;
    size_t imports_count;
    wg_export *exports;
    size_t exports_count;
    uint32_t start_function; /* UINT32_MAX: none */
};

#endif
