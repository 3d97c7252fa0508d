// A framebuffer's rows as the compressed data of a PNG picture (8 bits a channel, RGB), with
// constant memory.
//
// The stream is one deflate block with the fixed code (RFC 1951, 3.2.6). Rows are filtered "up"
// (PNG, 9.2), and runs of one byte become matches of distance 1: a screen is mostly rows that
// repeat, so that is nearly all there is to gain.

#ifndef WG_DISPLAY_PNG_H
#define WG_DISPLAY_PNG_H

#include "pixels.h"

typedef struct {
    uint32_t bits; // not yet written, the lowest first
    uint32_t bit_count;
    uint32_t sum_a, sum_b; // Adler-32 (RFC 1950)
} png_stream_t;

// Most bytes that a row of `width` pixels, a start or an end can become: nine bits a byte, and what
// is around it.
#define PNG_ROW_BOUND(width) (((size_t)(width) * 3 + 1) * 9 / 8 + 16)

// Each writes to `out` and returns the number of bytes; rows from the top.
size_t png_start(png_stream_t *stream, uint8_t *out);
size_t png_row(png_stream_t *stream, const pixels_frame_t *frame, int y, uint8_t *out);
size_t png_end(png_stream_t *stream, uint8_t *out);

#endif
