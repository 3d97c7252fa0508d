// QR codes (ISO/IEC 18004:2015, model 2): bytes to a square of dark and light modules. Plain C, no
// allocation.

#ifndef WG_DISPLAY_QR_H
#define WG_DISPLAY_QR_H

#include <stddef.h>
#include <stdint.h>

#define QR_VERSIONS (10) // the largest version that is made
#define QR_SIDE_MAX (17 + 4 * QR_VERSIONS)
#define QR_MODULES_MAX (QR_SIDE_MAX * QR_SIDE_MAX)
#define QR_BYTES_MAX (271) // that fit, at the lowest level of error correction

// Encodes the bytes (byte mode; text as UTF-8) in the smallest version that they fit into, with the
// highest level of error correction that this version has room for. `modules` gets one byte a
// module, rows from the top, 1 dark; there is no quiet zone. Returns the side in modules, 0 if the
// bytes are too many.
int qr_encode(const uint8_t *bytes, size_t size, uint8_t modules[QR_MODULES_MAX]);

#endif
