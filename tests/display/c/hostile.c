// Runs every function of pixels.h on random frames, damaged fonts and arbitrary bytes as text,
// under the sanitizers. Arguments: a font file, rounds. Prints OK.

#include "png.h"
#include "qr.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

static uint32_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static int between(int low, int high) {
    return low + (int)(next_random() % (uint32_t)(high - low + 1));
}

// A copy of exactly `size` bytes, so that the sanitizer sees a read behind it.
static uint8_t *exact_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    assert(copy);
    memcpy(copy, data, size);
    return copy;
}

static pixels_frame_t random_frame(int width, int height) {
    size_t size = (size_t)width * (size_t)height * 2;
    pixels_frame_t frame = {malloc(size), width, height};
    assert(frame.pixels);
    for (size_t i = 0; i < size; i++) {
        frame.pixels[i] = (uint8_t)next_random();
    }
    return frame;
}

static void text_on(pixels_frame_t *frame, const uint8_t *data, size_t size) {
    pixels_font_t font;
    uint8_t *copy = exact_copy(data, size);
    if (pixels_font_open(&font, copy, size)) {
        uint8_t bytes[64];
        size_t length = next_random() % sizeof(bytes);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t)next_random();
        }
        uint8_t *string = exact_copy(bytes, length);
        pixels_text_t text = {string, string + length};
        pixels_draw_text(frame, &font, text, between(-400, 400), between(-300, 300), 0x1234);
        int width = pixels_measure(&font, text);
        size_t all = pixels_fit(&font, text, width);
        assert(all <= length && pixels_fit(&font, text, -1) <= all);
        pixels_is_rtl(text);
        pixels_has(&font, next_random() >> (next_random() % 32));
        free(string);
    }
    free(copy);
}

static void code_of(size_t most) {
    size_t size = next_random() % most;
    uint8_t *bytes = malloc(size + 1), *modules = malloc(QR_MODULES_MAX);
    assert(bytes && modules);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)next_random();
    }
    uint8_t *exact = exact_copy(bytes, size);
    int side = qr_encode(exact, size, modules);
    assert(side == 0 ? size > QR_BYTES_MAX : side >= 21 && side <= QR_SIDE_MAX);
    free(exact);
    free(bytes);
    free(modules);
}

int main(int argc, char **argv) {
    assert(argc == 3);
    static uint8_t data[1 << 18], damaged[1 << 18];
    FILE *file = fopen(argv[1], "rb");
    assert(file);
    size_t size = fread(data, 1, sizeof(data), file);
    fclose(file);
    for (int round = atoi(argv[2]); round > 0; round--) {
        int width = between(1, 90), height = between(1, 60);
        pixels_frame_t now = random_frame(width, height), then = random_frame(width, height);
        if (next_random() % 2) {
            memcpy(then.pixels, now.pixels, (size_t)width * (size_t)height * 2);
        }
        pixels_fill(
            &now,
            (pixels_rect_t){between(-99, 99), between(-99, 99), between(-99, 99), between(-99, 99)},
            (uint16_t)next_random());
        text_on(&now, data, size);
        memcpy(damaged, data, size);
        for (int i = between(1, 8); i > 0; i--) {
            // Mostly in the tables, where a wrong number leads elsewhere.
            size_t reach = next_random() % 4 ? 12000 : size;
            damaged[next_random() % reach] = (uint8_t)next_random();
        }
        text_on(&now, damaged, next_random() % 3 ? size : next_random() % (size + 1));

        pixels_rect_t rects[24];
        int limit = between(1, 24), count = pixels_diff(&now, &then, rects, limit);
        assert(count <= limit);
        for (int i = 0; i < count; i++) {
            assert(rects[i].x >= 0 && rects[i].y >= 0 && rects[i].w > 0 && rects[i].h > 0);
            assert(rects[i].x + rects[i].w <= width && rects[i].y + rects[i].h <= height);
            uint8_t *band = malloc((size_t)rects[i].w * (size_t)rects[i].h * 2);
            assert(band);
            pixels_take(&now, &then, rects[i], band);
            free(band);
        }
        assert(memcmp(now.pixels, then.pixels, (size_t)width * (size_t)height * 2) == 0);
        png_stream_t stream;
        for (int y = -1; y <= height; y++) {
            uint8_t *out = malloc(PNG_ROW_BOUND(width));
            assert(out);
            size_t used = y < 0        ? png_start(&stream, out)
                          : y < height ? png_row(&stream, &now, y, out)
                                       : png_end(&stream, out);
            assert(used <= PNG_ROW_BOUND(width));
            free(out);
        }
        if (round % 8 == 0) {
            code_of(QR_BYTES_MAX + 30);
        }
        free(now.pixels);
        free(then.pixels);
    }
    puts("OK");
    return 0;
}
