// See png.h.

#include "png.h"

#define ADLER_BASE (65521)
#define FILTER_UP (2)
#define SHORTEST_MATCH (3)
#define LONGEST_MATCH (258)

static uint8_t *put(png_stream_t *stream, uint8_t *out, uint32_t bits, unsigned count) {
    stream->bits |= bits << stream->bit_count;
    stream->bit_count += count;
    while (stream->bit_count >= 8) {
        *out++ = (uint8_t)stream->bits;
        stream->bits >>= 8;
        stream->bit_count -= 8;
    }
    return out;
}

// Huffman codes go with their highest bit first.
static uint8_t *put_code(png_stream_t *stream, uint8_t *out, uint32_t code, unsigned count) {
    uint32_t reversed = 0;
    for (unsigned i = 0; i < count; i++) {
        reversed |= (code >> i & 1) << (count - 1 - i);
    }
    return put(stream, out, reversed, count);
}

static uint8_t *put_symbol(png_stream_t *stream, uint8_t *out, unsigned symbol) {
    if (symbol < 144) {
        return put_code(stream, out, 0x30 + symbol, 8);
    }
    if (symbol < 256) {
        return put_code(stream, out, 0x190 + symbol - 144, 9);
    }
    if (symbol < 280) {
        return put_code(stream, out, symbol - 256, 7);
    }
    return put_code(stream, out, 0xc0 + symbol - 280, 8);
}

// A repetition of the last byte.
static uint8_t *put_match(png_stream_t *stream, uint8_t *out, unsigned length) {
    if (length == LONGEST_MATCH) {
        out = put_symbol(stream, out, 285);
    } else {
        // From length 11 on, each group of four symbols has one more extra bit.
        unsigned extra = 0, rest = length - SHORTEST_MATCH;
        while (rest >> extra >= 8) {
            extra++;
        }
        out = put_symbol(stream, out, 257 + 4 * extra + (rest >> extra));
        out = put(stream, out, rest & ((1u << extra) - 1), extra);
    }
    return put_code(stream, out, 0, 5);
}

typedef struct {
    int last; // byte written before, -1: none in this row
    unsigned run;
} run_t;

static uint8_t *flush_run(png_stream_t *stream, uint8_t *out, run_t *run) {
    if (run->run >= SHORTEST_MATCH) {
        out = put_match(stream, out, run->run);
    } else {
        for (unsigned i = 0; i < run->run; i++) {
            out = put_symbol(stream, out, (unsigned)run->last);
        }
    }
    run->run = 0;
    return out;
}

static uint8_t *put_byte(png_stream_t *stream, uint8_t *out, run_t *run, uint8_t byte) {
    stream->sum_a = (stream->sum_a + byte) % ADLER_BASE;
    stream->sum_b = (stream->sum_b + stream->sum_a) % ADLER_BASE;
    if (byte == run->last) {
        if (++run->run == LONGEST_MATCH) {
            out = flush_run(stream, out, run);
        }
        return out;
    }
    out = flush_run(stream, out, run);
    run->last = byte;
    return put_symbol(stream, out, byte);
}

size_t png_start(png_stream_t *stream, uint8_t *out) {
    *stream = (png_stream_t){0, 0, 1, 0};
    out[0] = 0x78; // deflate, 32 KB window
    out[1] = 0x01;
    return (size_t)(put(stream, out + 2, 3, 3) - out); // the last block, fixed code
}

static void rgb_of(const uint8_t *pixel, uint8_t *rgb) {
    unsigned value = (unsigned)pixel[0] << 8 | pixel[1];
    unsigned r = value >> 11, g = value >> 5 & 63, b = value & 31;
    rgb[0] = (uint8_t)(r << 3 | r >> 2);
    rgb[1] = (uint8_t)(g << 2 | g >> 4);
    rgb[2] = (uint8_t)(b << 3 | b >> 2);
}

size_t png_row(png_stream_t *stream, const pixels_frame_t *frame, int y, uint8_t *out) {
    static const uint8_t black[2];
    uint8_t *first = out;
    run_t run = {-1, 0};
    out = put_byte(stream, out, &run, FILTER_UP);
    const uint8_t *pixel = frame->pixels + (size_t)y * (size_t)frame->width * 2;
    for (int x = 0; x < frame->width; x++, pixel += 2) {
        uint8_t rgb[3], above[3];
        rgb_of(pixel, rgb);
        rgb_of(y > 0 ? pixel - (size_t)frame->width * 2 : black, above);
        for (int i = 0; i < 3; i++) {
            out = put_byte(stream, out, &run, (uint8_t)(rgb[i] - above[i]));
        }
    }
    return (size_t)(flush_run(stream, out, &run) - first);
}

size_t png_end(png_stream_t *stream, uint8_t *out) {
    uint8_t *first = out;
    out = put_symbol(stream, out, 256);
    out = put(stream, out, 0, (8 - stream->bit_count % 8) % 8);
    uint32_t sum = stream->sum_b << 16 | stream->sum_a;
    for (int shift = 24; shift >= 0; shift -= 8) {
        *out++ = (uint8_t)(sum >> shift);
    }
    return (size_t)(out - first);
}
