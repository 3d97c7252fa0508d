// Inner loops of the display: fill, text, comparison and copying of RGB565 framebuffers. Plain C,
// no MicroPython.
//
// A framebuffer is `width * height` pixels of two bytes, rows from the top, each pixel as the panel
// wants it on the wire: most significant byte first. Colours are passed as ordinary RGB565 numbers.
// Every function clips to the framebuffer; coordinates may be anything that fits an int.
//
// A font is one read-only block of bytes, made by `python -m wg.fonts`, all numbers little endian:
//
//     0  "WGF2"
//     4  u8 line height   5  u8 ascent   6  u16 number of ranges
//     8  u16 number of glyphs   10  u16 number of compositions   12  u32 offset of the bitmaps
//    16  ranges: u32 first code point, u16 count, u16 first glyph; ascending
//     .  glyphs: u24 offset in the bitmaps, u8 advance, u8 width, u8 height, i8 left, i8 top (from
//        the line's top)
//     .  compositions: u16 base, u16 mark, u16 composed; ascending by base, then mark
//     .  bitmaps: nibbles, the high one first; a glyph starts on a byte. 1 to 14: a pixel of such
//        coverage; 0 or 15: as many pixels of none or of all as the next nibble says, and one more.
//        Runs go on from row to row.
//
// Glyph 0 is the replacement glyph, shown for what the font lacks. A glyph of zero advance and size
// is invisible. Combining marks without a composition are drawn over the base before them. A few
// emoji whose colour is their meaning (lamps, hearts) have that colour, unless the ground has it.

#ifndef WG_DISPLAY_PIXELS_H
#define WG_DISPLAY_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *pixels;
    int width;
    int height;
} pixels_frame_t;

typedef struct {
    int x, y, w, h;
} pixels_rect_t;

typedef struct {
    const uint8_t *data;
    const uint8_t *glyphs;
    const uint8_t *compositions;
    const uint8_t *bitmaps;
    const uint8_t *end;
    int line_height, ascent;
    int ranges, glyph_count, composition_count;
} pixels_font_t;

// A position in UTF-8 text. `next` points behind the code point last read and the marks that belong
// to it.
typedef struct {
    const uint8_t *next;
    const uint8_t *end;
} pixels_text_t;

// False if the block is no font of this format or shorter than its tables say.
bool pixels_font_open(pixels_font_t *font, const uint8_t *data, size_t size);

void pixels_fill(pixels_frame_t *frame, pixels_rect_t area, uint16_t colour);

// Draws text with its line's top left corner at (x, y), blended over what is there; returns x
// behind its last advance.
int pixels_draw_text(pixels_frame_t *frame, const pixels_font_t *font, pixels_text_t text, int x,
                     int y, uint16_t colour);

// Width of the text in pixels.
int pixels_measure(const pixels_font_t *font, pixels_text_t text);

// Number of code points at the start of the text that fit into `width` pixels; marks stay with
// their base.
size_t pixels_fit(const pixels_font_t *font, pixels_text_t text, int width);

// Whether the font has a glyph of its own for the code point.
bool pixels_has(const pixels_font_t *font, uint32_t code);

// Whether the text has a letter of a script that is written from right to left.
bool pixels_is_rtl(pixels_text_t text);

// Finds rectangles that together cover every pixel in which the frames differ, at most `limit` (>=
// 1) of them, so that the bytes to send, counting a window's commands, are few. Returns their
// number. They may overlap.
int pixels_diff(const pixels_frame_t *now, const pixels_frame_t *then, pixels_rect_t *out,
                int limit);

// Copies an area that lies inside the frame to `out`, rows without gaps, and to the same place in
// `copy`.
void pixels_take(const pixels_frame_t *frame, pixels_frame_t *copy, pixels_rect_t area,
                 uint8_t *out);

#endif
