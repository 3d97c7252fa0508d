/* The type wasm3.buffer; see buffer.c. */
#ifndef WG_BUFFER_H
#define WG_BUFFER_H

#include "py/obj.h"

extern const mp_obj_type_t wasm3_buffer_type;

#endif
