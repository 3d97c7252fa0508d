// See pixels.h for the contract.

#include "pixels.h"

#include <stdlib.h>
#include <string.h>

#define FONT_HEADER (16)
#define RANGE_SIZE (8)
#define GLYPH_SIZE (8)
#define COMPOSITION_SIZE (6)

// Opening a window costs 11 bytes of commands and addresses in 5 transfers with their gaps: about
// as long as this many pixels. Two changed areas are sent as one if that adds fewer pixels.
#define WINDOW_COST (24)

typedef struct {
    const uint8_t *bitmap;
    uint32_t code;
    bool mark; // goes over the base before it
    int advance, width, height, left, top;
} glyph_t;

// Emoji that mean nothing without their colour, in RGB565.
static const struct {
    uint32_t code;
    uint16_t colour;
} lamps[] = {
    {0x2665, 0xe946},  {0x26aa, 0xef7d},  {0x26ab, 0x632c},  {0x2764, 0xe946},  {0x1f499, 0x3c9e},
    {0x1f49a, 0x3e0b}, {0x1f49b, 0xf644}, {0x1f49c, 0xa2fb}, {0x1f534, 0xe946}, {0x1f535, 0x3c9e},
    {0x1f5a4, 0x632c}, {0x1f7e0, 0xf443}, {0x1f7e1, 0xf644}, {0x1f7e2, 0x3e0b}, {0x1f7e3, 0xa2fb},
    {0x1f7e4, 0x9a86}, {0x1f9e1, 0xf443},
};
#define MARK_REACH (4) // pixels that marks may reach above their line: not over what others said
#define LAMPS ((int)(sizeof(lamps) / sizeof(lamps[0])))
#define LAMP_DISTANCE                                                                              \
    (12) // of the channels, 5 bits each: nearer to the ground, a lamp can't be seen

static unsigned u16_at(const uint8_t *p) {
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t u24_at(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static uint32_t u32_at(const uint8_t *p) {
    return u24_at(p) | (uint32_t)p[3] << 24;
}

static int min(int a, int b) {
    return a < b ? a : b;
}

static int max(int a, int b) {
    return a > b ? a : b;
}

bool pixels_font_open(pixels_font_t *font, const uint8_t *data, size_t size) {
    if (size < FONT_HEADER || memcmp(data, "WGF2", 4) != 0) {
        return false;
    }
    font->data = data;
    font->end = data + size;
    font->line_height = data[4];
    font->ascent = data[5];
    font->ranges = (int)u16_at(data + 6);
    font->glyph_count = (int)u16_at(data + 8);
    font->composition_count = (int)u16_at(data + 10);
    size_t glyphs = FONT_HEADER + (size_t)font->ranges * RANGE_SIZE;
    size_t compositions = glyphs + (size_t)font->glyph_count * GLYPH_SIZE;
    size_t bitmaps = compositions + (size_t)font->composition_count * COMPOSITION_SIZE;
    if (bitmaps > size || u32_at(data + 12) != bitmaps || font->glyph_count == 0) {
        return false;
    }
    font->glyphs = data + glyphs;
    font->compositions = data + compositions;
    font->bitmaps = data + bitmaps;
    return true;
}

// Index of the code point's glyph, -1 if the font has none.
static int glyph_index(const pixels_font_t *font, uint32_t code) {
    int low = 0, high = font->ranges - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        const uint8_t *range = font->data + FONT_HEADER + middle * RANGE_SIZE;
        uint32_t first = u32_at(range);
        if (code < first) {
            high = middle - 1;
        } else if (code - first >= u16_at(range + 4)) {
            low = middle + 1;
        } else {
            int index = (int)(u16_at(range + 6) + (code - first));
            return index < font->glyph_count ? index : -1;
        }
    }
    return -1;
}

// Combining marks, of scripts that there are no glyphs for as well: those are left out.
static bool is_mark(uint32_t code) {
    static const uint16_t ranges[][2] = {
        {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2},
        {0x05c4, 0x05c5}, {0x05c7, 0x05c7}, {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670},
        {0x06d6, 0x06dc}, {0x06df, 0x06e4}, {0x06e7, 0x06e8}, {0x06ea, 0x06ed}, {0x1ab0, 0x1aff},
        {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f},
    };
    if (code < ranges[0][0]) {
        return false;
    }
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && code >= ranges[i][0]; i++) {
        if (code <= ranges[i][1]) {
            return true;
        }
    }
    return false;
}

// Shown as nothing: control characters, soft hyphen, zero-width space and joiners, direction marks
// and isolates, word joiner and the invisible operators, variation selectors, byte order mark,
// emoji skin tones and tags.
static bool is_invisible(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || (code >= 0xfe00 && code <= 0xfe0f) ||
           code == 0xfeff || (code >= 0x1f3fb && code <= 0x1f3ff) ||
           (code >= 0xe0000 && code <= 0xe01ef);
}

// The single code point for base and mark, 0 if the font has none.
static uint32_t compose(const pixels_font_t *font, uint32_t base, uint32_t mark) {
    int low = 0, high = font->composition_count - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        const uint8_t *pair = font->compositions + middle * COMPOSITION_SIZE;
        uint32_t b = u16_at(pair), m = u16_at(pair + 2);
        if (b == base && m == mark) {
            return u16_at(pair + 4);
        }
        if (b < base || (b == base && m < mark)) {
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    return 0;
}

// Reads one code point. Bytes that are no UTF-8 become U+FFFD one by one, so that the loop always
// moves on.
static uint32_t decode(const uint8_t **at, const uint8_t *end) {
    const uint8_t *p = *at;
    uint32_t code = *p++;
    int more = 0;
    if (code >= 0xf0 && code < 0xf8) {
        more = 3;
        code &= 0x07;
    } else if (code >= 0xe0 && code < 0xf0) {
        more = 2;
        code &= 0x0f;
    } else if (code >= 0xc0 && code < 0xe0) {
        more = 1;
        code &= 0x1f;
    } else if (code >= 0x80) {
        code = 0xfffd;
    }
    const uint8_t *q = p;
    for (; more > 0; more--, q++) {
        if (q == end || (*q & 0xc0) != 0x80) {
            *at = p;
            return 0xfffd;
        }
        code = code << 6 | (*q & 0x3f);
    }
    *at = q;
    return code;
}

// Takes the next glyph to show off the text. False at its end. `*count` grows by the code points
// taken: a base and the marks that compose with it are one glyph.
static bool next_glyph(const pixels_font_t *font, pixels_text_t *text, glyph_t *glyph,
                       size_t *count) {
    if (text->next >= text->end) {
        return false;
    }
    uint32_t code = decode(&text->next, text->end);
    *count += 1;
    while (text->next < text->end) {
        const uint8_t *ahead = text->next;
        uint32_t mark = decode(&ahead, text->end);
        uint32_t composed = is_mark(mark) && code <= 0xffff ? compose(font, code, mark) : 0;
        if (composed == 0) {
            break;
        }
        code = composed;
        text->next = ahead;
        *count += 1;
    }
    memset(glyph, 0, sizeof(*glyph));
    glyph->mark = is_mark(code);
    if (is_invisible(code)) {
        return true;
    }
    if (code >= 0x1f1e6 && code <= 0x1f1ff) {
        code += 'A' - 0x1f1e6; // flags are two letters each: the country's code
    } else if (code >= 0xff01 && code <= 0xff5e) {
        code += '!' - 0xff01; // full-width forms
    }
    glyph->code = code;
    int index = glyph_index(font, code);
    if (index < 0) {
        if (glyph->mark) {
            return true;
        }
        index = 0;
    }
    const uint8_t *entry = font->glyphs + index * GLYPH_SIZE;
    glyph->bitmap = font->bitmaps + u24_at(entry);
    glyph->advance = glyph->mark ? 0 : entry[3];
    glyph->width = entry[4];
    glyph->height = entry[5];
    glyph->left = (int8_t)entry[6];
    glyph->top = (int8_t)entry[7];
    if ((size_t)(font->end - font->bitmaps) < u24_at(entry)) {
        glyph->width = glyph->height = 0; // a damaged font shows gaps, nothing worse
    }
    return true;
}

static uint8_t *pixel_at(const pixels_frame_t *frame, int x, int y) {
    return frame->pixels + ((size_t)y * (size_t)frame->width + (size_t)x) * 2;
}

void pixels_fill(pixels_frame_t *frame, pixels_rect_t area, uint16_t colour) {
    int x0 = max(area.x, 0), y0 = max(area.y, 0);
    int x1 = min(area.x + area.w, frame->width), y1 = min(area.y + area.h, frame->height);
    if (x0 >= x1 || y0 >= y1) {
        return;
    }
    uint8_t *first = pixel_at(frame, x0, y0);
    for (int i = 0; i < x1 - x0; i++) {
        first[2 * i] = (uint8_t)(colour >> 8);
        first[2 * i + 1] = (uint8_t)colour;
    }
    for (int y = y0 + 1; y < y1; y++) {
        memcpy(pixel_at(frame, x0, y), first, (size_t)(x1 - x0) * 2);
    }
}

// Mixes colour over the pixel; coverage 1 to 14 of 15. Red and blue in one multiplication, green in
// the other: spread into 0000 0ggg ggg0 0000 rrrr r000 000b bbbb every channel has five bits of
// room above it.
static void blend(uint8_t *pixel, uint32_t spread, unsigned coverage) {
    uint32_t below = (uint32_t)pixel[0] << 8 | pixel[1];
    below = (below | below << 16) & 0x07e0f81f;
    uint32_t alpha = (coverage * 32 + 7) / 15;
    uint32_t mixed = (((spread - below) * alpha >> 5) + below) & 0x07e0f81f;
    mixed |= mixed >> 16;
    pixel[0] = (uint8_t)(mixed >> 8);
    pixel[1] = (uint8_t)mixed;
}

// A run of pixels of one row, all of one coverage; clipped.
static void draw_run(pixels_frame_t *frame, int x, int y, int length, unsigned coverage,
                     uint16_t colour) {
    int x0 = max(x, 0), x1 = min(x + length, frame->width);
    if (y < 0 || y >= frame->height || x0 >= x1) {
        return;
    }
    uint8_t *pixel = pixel_at(frame, x0, y), *end = pixel + (size_t)(x1 - x0) * 2;
    if (coverage == 15) {
        for (; pixel < end; pixel += 2) {
            pixel[0] = (uint8_t)(colour >> 8);
            pixel[1] = (uint8_t)colour;
        }
    } else {
        uint32_t spread = (colour | (uint32_t)colour << 16) & 0x07e0f81f;
        for (; pixel < end; pixel += 2) {
            blend(pixel, spread, coverage);
        }
    }
}

static void draw_glyph(pixels_frame_t *frame, const pixels_font_t *font, const glyph_t *glyph,
                       int x, int y, uint16_t colour) {
    if (glyph->width == 0 || x >= frame->width || x + glyph->width <= 0 || y >= frame->height ||
        y + glyph->height <= 0) {
        return;
    }
    const uint8_t *next = glyph->bitmap;
    bool low = false; // the next nibble is the low one of its byte
    int column = 0, row = 0;
    while (row < glyph->height) {
        if (next >= font->end) {
            return;
        }
        unsigned coverage = low ? *next++ & 15 : *next >> 4;
        low = !low;
        int run = 1;
        if (coverage == 0 || coverage == 15) {
            if (next >= font->end) {
                return;
            }
            run += low ? *next++ & 15 : *next >> 4;
            low = !low;
        }
        while (run > 0 && row < glyph->height) {
            int part = min(run, glyph->width - column);
            if (coverage != 0) {
                draw_run(frame, x + column, y + row, part, coverage, colour);
            }
            run -= part;
            column += part;
            if (column >= glyph->width) {
                column = 0;
                row++;
            }
        }
    }
}

// The colour of a lamp that can be told from what is below it, else the text's.
static uint16_t lamp_colour(const pixels_frame_t *frame, uint32_t code, int x, int y,
                            uint16_t colour) {
    for (int i = 0; code >= lamps[0].code && i < LAMPS; i++) {
        if (lamps[i].code == code) {
            if (x < 0 || y < 0 || x >= frame->width || y >= frame->height) {
                return lamps[i].colour;
            }
            const uint8_t *pixel = pixel_at(frame, x, y);
            int a = lamps[i].colour, b = pixel[0] << 8 | pixel[1];
            int distance = abs((a >> 11) - (b >> 11)) + abs((a >> 6 & 31) - (b >> 6 & 31)) +
                           abs((a & 31) - (b & 31));
            return distance < LAMP_DISTANCE ? colour : lamps[i].colour;
        }
    }
    return colour;
}

int pixels_draw_text(pixels_frame_t *frame, const pixels_font_t *font, pixels_text_t text, int x,
                     int y, uint16_t colour) {
    glyph_t glyph;
    size_t count = 0;
    int centre = x, top = 0; // of the base that marks go over
    while (x < frame->width && next_glyph(font, &text, &glyph, &count)) {
        if (glyph.mark) {
            // Marks that end above the base line go above the base, one over the other.
            bool above = glyph.top + glyph.height <= font->ascent;
            int at = above ? min(glyph.top, top - glyph.height - 1) : glyph.top;
            if (at >= -MARK_REACH) {
                draw_glyph(frame, font, &glyph, centre - glyph.width / 2, y + at, colour);
                top = above && glyph.height > 0 ? at : top;
            }
            continue;
        }
        uint16_t own = lamp_colour(frame, glyph.code, x, y, colour);
        draw_glyph(frame, font, &glyph, x + glyph.left, y + glyph.top, own);
        if (glyph.advance > 0) {
            centre = x + glyph.left + glyph.width / 2;
            top = glyph.top;
        }
        x += glyph.advance;
    }
    return x;
}

int pixels_measure(const pixels_font_t *font, pixels_text_t text) {
    glyph_t glyph;
    size_t count = 0;
    int width = 0;
    while (next_glyph(font, &text, &glyph, &count)) {
        width += glyph.advance;
    }
    return width;
}

size_t pixels_fit(const pixels_font_t *font, pixels_text_t text, int width) {
    glyph_t glyph;
    size_t count = 0, fitting = 0;
    while (next_glyph(font, &text, &glyph, &count)) {
        width -= glyph.advance;
        if (width < 0) {
            break;
        }
        fitting = count;
    }
    return fitting;
}

bool pixels_has(const pixels_font_t *font, uint32_t code) {
    return is_invisible(code) || glyph_index(font, code) > 0;
}

bool pixels_is_rtl(pixels_text_t text) {
    while (text.next < text.end) {
        if (*text.next < 0xd6) { // no letter of such a script starts with less
            text.next++;
            continue;
        }
        uint32_t code = decode(&text.next, text.end);
        if ((code >= 0x590 && code <= 0x8ff) || code == 0x200f ||
            (code >= 0xfb1d && code <= 0xfdff) || (code >= 0xfe70 && code <= 0xfefe) ||
            (code >= 0x10800 && code <= 0x10fff) || (code >= 0x1e800 && code <= 0x1efff)) {
            return true;
        }
    }
    return false;
}

static long area_of(pixels_rect_t r) {
    return (long)r.w * r.h;
}

static pixels_rect_t unite(pixels_rect_t a, pixels_rect_t b) {
    int x = min(a.x, b.x), y = min(a.y, b.y);
    return (pixels_rect_t){x, y, max(a.x + a.w, b.x + b.w) - x, max(a.y + a.h, b.y + b.h) - y};
}

// Adds a rectangle to the list: into the one where it costs the fewest additional pixels, or as a
// new one.
static int add_rect(pixels_rect_t *list, int count, int limit, pixels_rect_t rect) {
    int best = -1;
    long best_growth = 0;
    for (int i = 0; i < count; i++) {
        long growth = area_of(unite(list[i], rect)) - area_of(list[i]);
        if (best < 0 || growth < best_growth) {
            best = i;
            best_growth = growth;
        }
    }
    if (best >= 0 && (count == limit || best_growth <= area_of(rect) + WINDOW_COST)) {
        list[best] = unite(list[best], rect);
        return count;
    }
    list[count] = rect;
    return count + 1;
}

int pixels_diff(const pixels_frame_t *now, const pixels_frame_t *then, pixels_rect_t *out,
                int limit) {
    int count = 0;
    size_t row_bytes = (size_t)now->width * 2;
    for (int y = 0; y < now->height; y++) {
        const uint8_t *a = pixel_at(now, 0, y), *b = pixel_at(then, 0, y);
        if (memcmp(a, b, row_bytes) == 0) {
            continue;
        }
        int start = -1, last = -1;
        for (int x = 0; x < now->width; x++) {
            if (a[2 * x] == b[2 * x] && a[2 * x + 1] == b[2 * x + 1]) {
                continue;
            }
            if (start >= 0 && x - last > WINDOW_COST) {
                count = add_rect(out, count, limit, (pixels_rect_t){start, y, last + 1 - start, 1});
                start = -1;
            }
            if (start < 0) {
                start = x;
            }
            last = x;
        }
        count = add_rect(out, count, limit, (pixels_rect_t){start, y, last + 1 - start, 1});
    }
    // What grew side by side may now be cheaper as one.
    for (int i = 0; i < count; i++) {
        for (int j = i + 1; j < count;) {
            if (area_of(unite(out[i], out[j])) <= area_of(out[i]) + area_of(out[j]) + WINDOW_COST) {
                out[i] = unite(out[i], out[j]);
                out[j] = out[--count];
                j = i + 1;
            } else {
                j++;
            }
        }
    }
    return count;
}

void pixels_take(const pixels_frame_t *frame, pixels_frame_t *copy, pixels_rect_t area,
                 uint8_t *out) {
    size_t row = (size_t)area.w * 2;
    for (int y = area.y; y < area.y + area.h; y++, out += row) {
        memcpy(out, pixel_at(frame, area.x, y), row);
        memcpy(pixel_at(copy, area.x, y), out, row);
    }
}
