// MicroPython module `pixels`: the display's inner loops for framebuffers in bytearrays. See
// pixels.h.

#include <string.h>

#include "py/runtime.h"

#include "pixels.h"
#include "png.h"
#include "qr.h"

#define DIFF_LIMIT (24)

static pixels_frame_t frame_of(mp_obj_t buffer, mp_obj_t width, mp_uint_t flags) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buffer, &info, flags);
    mp_int_t w = mp_obj_get_int(width);
    if (w < 1 || w > 0x7fff || info.len == 0 || info.len % ((size_t)w * 2) != 0 ||
        info.len / ((size_t)w * 2) > 0x7fff) {
        mp_raise_ValueError(MP_ERROR_TEXT("buffer is not a whole number of rows"));
    }
    return (pixels_frame_t){info.buf, (int)w, (int)(info.len / ((size_t)w * 2))};
}

// Coordinates far outside are as good as just outside; held here so that sums of two stay in an
// int.
static int coordinate(mp_obj_t value) {
    mp_int_t n = mp_obj_get_int(value);
    return (int)(n < -0x100000 ? -0x100000 : n > 0x100000 ? 0x100000 : n);
}

static pixels_font_t font_of(mp_obj_t block) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(block, &info, MP_BUFFER_READ);
    pixels_font_t font;
    if (!pixels_font_open(&font, info.buf, info.len)) {
        mp_raise_ValueError(MP_ERROR_TEXT("not a font"));
    }
    return font;
}

static pixels_text_t text_of(mp_obj_t string) {
    size_t length;
    const char *data = mp_obj_str_get_data(string, &length);
    return (pixels_text_t){(const uint8_t *)data, (const uint8_t *)data + length};
}

// fill(frame, frame_width, x, y, w, h, colour)
static mp_obj_t mod_fill(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    pixels_frame_t frame = frame_of(args[0], args[1], MP_BUFFER_WRITE);
    pixels_rect_t area = {coordinate(args[2]), coordinate(args[3]), coordinate(args[4]),
                          coordinate(args[5])};
    pixels_fill(&frame, area, (uint16_t)mp_obj_get_int(args[6]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_fill_obj, 7, 7, mod_fill);

// text(frame, frame_width, font, string, x, y, colour) -> x behind the text
static mp_obj_t mod_text(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    pixels_frame_t frame = frame_of(args[0], args[1], MP_BUFFER_WRITE);
    pixels_font_t font = font_of(args[2]);
    int x = pixels_draw_text(&frame, &font, text_of(args[3]), coordinate(args[4]),
                             coordinate(args[5]), (uint16_t)mp_obj_get_int(args[6]));
    return MP_OBJ_NEW_SMALL_INT(x);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_text_obj, 7, 7, mod_text);

// measure(font, string) -> width in pixels
static mp_obj_t mod_measure(mp_obj_t block, mp_obj_t string) {
    pixels_font_t font = font_of(block);
    return MP_OBJ_NEW_SMALL_INT(pixels_measure(&font, text_of(string)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_measure_obj, mod_measure);

// fit(font, string, width) -> number of characters that fit
static mp_obj_t mod_fit(mp_obj_t block, mp_obj_t string, mp_obj_t width) {
    pixels_font_t font = font_of(block);
    return MP_OBJ_NEW_SMALL_INT(pixels_fit(&font, text_of(string), coordinate(width)));
}
static MP_DEFINE_CONST_FUN_OBJ_3(mod_fit_obj, mod_fit);

// has(font, code) -> whether the font can show the code point
static mp_obj_t mod_has(mp_obj_t block, mp_obj_t code) {
    pixels_font_t font = font_of(block);
    return mp_obj_new_bool(pixels_has(&font, (uint32_t)mp_obj_get_int(code)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_has_obj, mod_has);

// is_rtl(string) -> whether it has a letter that is written from right to left
static mp_obj_t mod_is_rtl(mp_obj_t string) {
    return mp_obj_new_bool(pixels_is_rtl(text_of(string)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_is_rtl_obj, mod_is_rtl);

// line_height(font) -> pixels from one line's top to the next one's
static mp_obj_t mod_line_height(mp_obj_t block) {
    return MP_OBJ_NEW_SMALL_INT(font_of(block).line_height);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_line_height_obj, mod_line_height);

// diff(now, then, frame_width, out) -> count; out, a writable buffer, gets x, y, w, h as native
// 16-bit numbers
static mp_obj_t mod_diff(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    pixels_frame_t now = frame_of(args[0], args[2], MP_BUFFER_READ);
    pixels_frame_t then = frame_of(args[1], args[2], MP_BUFFER_READ);
    mp_buffer_info_t out;
    mp_get_buffer_raise(args[3], &out, MP_BUFFER_WRITE);
    size_t limit = out.len / 8;
    if (now.height != then.height || limit == 0 || ((uintptr_t)out.buf & 1) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("buffers don't match"));
    }
    pixels_rect_t rects[DIFF_LIMIT];
    int count = pixels_diff(&now, &then, rects, limit < DIFF_LIMIT ? (int)limit : DIFF_LIMIT);
    uint16_t *numbers = out.buf;
    for (int i = 0; i < count; i++) {
        *numbers++ = (uint16_t)rects[i].x;
        *numbers++ = (uint16_t)rects[i].y;
        *numbers++ = (uint16_t)rects[i].w;
        *numbers++ = (uint16_t)rects[i].h;
    }
    return MP_OBJ_NEW_SMALL_INT(count);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_diff_obj, 4, 4, mod_diff);

// take(frame, copy, frame_width, x, y, w, h, out): the area's pixels to out and to the same place
// in copy
static mp_obj_t mod_take(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    pixels_frame_t frame = frame_of(args[0], args[2], MP_BUFFER_READ);
    pixels_frame_t copy = frame_of(args[1], args[2], MP_BUFFER_WRITE);
    pixels_rect_t area = {coordinate(args[3]), coordinate(args[4]), coordinate(args[5]),
                          coordinate(args[6])};
    mp_buffer_info_t out;
    mp_get_buffer_raise(args[7], &out, MP_BUFFER_WRITE);
    if (copy.height != frame.height || area.x < 0 || area.y < 0 || area.w < 0 || area.h < 0 ||
        area.x + area.w > frame.width || area.y + area.h > frame.height ||
        out.len < (size_t)area.w * (size_t)area.h * 2) {
        mp_raise_ValueError(MP_ERROR_TEXT("area outside the frame or buffer too small"));
    }
    pixels_take(&frame, &copy, area, out.buf);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_take_obj, 8, 8, mod_take);

// png(frame, frame_width, y, state, out) -> number of bytes: row y of a PNG's compressed data. y -1
// starts the stream, the height ends it. state: 16 writable bytes, kept between the calls.
static mp_obj_t mod_png(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    pixels_frame_t frame = frame_of(args[0], args[1], MP_BUFFER_READ);
    int y = coordinate(args[2]);
    mp_buffer_info_t state, out;
    mp_get_buffer_raise(args[3], &state, MP_BUFFER_WRITE);
    mp_get_buffer_raise(args[4], &out, MP_BUFFER_WRITE);
    if (y < -1 || y > frame.height || state.len < sizeof(png_stream_t) ||
        out.len < PNG_ROW_BOUND(frame.width)) {
        mp_raise_ValueError(MP_ERROR_TEXT("row outside the frame or buffer too small"));
    }
    png_stream_t stream;
    memcpy(&stream, state.buf, sizeof(stream));
    stream.bit_count &= 7;
    size_t size = y < 0              ? png_start(&stream, out.buf)
                  : y < frame.height ? png_row(&stream, &frame, y, out.buf)
                                     : png_end(&stream, out.buf);
    memcpy(state.buf, &stream, sizeof(stream));
    return MP_OBJ_NEW_SMALL_INT(size);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_png_obj, 5, 5, mod_png);

// qr(string, out) -> modules a side, 0 if the string is too long: a QR code, one byte a module in
// out, rows from the top, 1 dark
static mp_obj_t mod_qr(mp_obj_t string, mp_obj_t buffer) {
    mp_buffer_info_t out;
    mp_get_buffer_raise(buffer, &out, MP_BUFFER_WRITE);
    if (out.len < QR_MODULES_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("buffer too small"));
    }
    pixels_text_t text = text_of(string);
    return MP_OBJ_NEW_SMALL_INT(qr_encode(text.next, (size_t)(text.end - text.next), out.buf));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_qr_obj, mod_qr);

static const mp_rom_map_elem_t pixels_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_pixels)},
    {MP_ROM_QSTR(MP_QSTR_fill), MP_ROM_PTR(&mod_fill_obj)},
    {MP_ROM_QSTR(MP_QSTR_text), MP_ROM_PTR(&mod_text_obj)},
    {MP_ROM_QSTR(MP_QSTR_measure), MP_ROM_PTR(&mod_measure_obj)},
    {MP_ROM_QSTR(MP_QSTR_fit), MP_ROM_PTR(&mod_fit_obj)},
    {MP_ROM_QSTR(MP_QSTR_has), MP_ROM_PTR(&mod_has_obj)},
    {MP_ROM_QSTR(MP_QSTR_is_rtl), MP_ROM_PTR(&mod_is_rtl_obj)},
    {MP_ROM_QSTR(MP_QSTR_line_height), MP_ROM_PTR(&mod_line_height_obj)},
    {MP_ROM_QSTR(MP_QSTR_diff), MP_ROM_PTR(&mod_diff_obj)},
    {MP_ROM_QSTR(MP_QSTR_png), MP_ROM_PTR(&mod_png_obj)},
    {MP_ROM_QSTR(MP_QSTR_qr), MP_ROM_PTR(&mod_qr_obj)},
    {MP_ROM_QSTR(MP_QSTR_QR_MODULES), MP_ROM_INT(QR_MODULES_MAX)},
    {MP_ROM_QSTR(MP_QSTR_take), MP_ROM_PTR(&mod_take_obj)},
};
static MP_DEFINE_CONST_DICT(pixels_globals, pixels_globals_table);

const mp_obj_module_t pixels_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&pixels_globals,
};

MP_REGISTER_MODULE(MP_QSTR_pixels, pixels_module);
