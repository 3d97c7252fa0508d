/* wg_text.c - strings, growing texts, numbers, UTF-8, URL encoding. */
#include "wg_text.h"

#include "wg_memory.h"

wg_str wg_cstr(const char *text) {
    return (wg_str){text, strlen(text)};
}

bool wg_str_equal(wg_str a, wg_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

wg_str wg_text_str(const wg_text *text) {
    return (wg_str){text->ptr, text->len};
}

void wg_put_str(wg_text *text, wg_str str) {
    if (str.len == 0) {
        return;
    }
    if (str.len > text->size - text->len) {
        size_t size = text->size * 2;
        if (size < text->len + str.len) {
            size = text->len + str.len + 64;
        }
        text->ptr = wg_realloc(text->ptr, text->size, 8, size);
        text->size = size;
    }
    memcpy(text->ptr + text->len, str.ptr, str.len);
    text->len += str.len;
}

void wg_put(wg_text *text, const char *literal) {
    wg_put_str(text, wg_cstr(literal));
}

void wg_put_char(wg_text *text, char c) {
    wg_put_str(text, (wg_str){&c, 1});
}

/* ---- UTF-8 --------------------------------------------------------------------------------- */

#define REPLACEMENT 0xFFFDu

uint32_t wg_rune(wg_str str, size_t *len) {
    const unsigned char *s = (const unsigned char *)str.ptr;
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    uint32_t rune = s[0];
    size_t more;

    *len = 1;
    if (rune < 0x80) {
        return rune;
    } else if (rune >= 0xC2 && rune <= 0xDF) {
        more = 1;
        rune &= 0x1F;
    } else if (rune >= 0xE0 && rune <= 0xEF) {
        more = 2;
        rune &= 0x0F;
    } else if (rune >= 0xF0 && rune <= 0xF4) {
        more = 3;
        rune &= 0x07;
    } else {
        return REPLACEMENT;
    }
    if (str.len <= more) {
        return REPLACEMENT;
    }
    for (size_t i = 1; i <= more; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return REPLACEMENT;
        }
        rune = rune << 6 | (s[i] & 0x3F);
    }
    if (rune < smallest[more] || rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) {
        return REPLACEMENT;
    }
    *len = more + 1;
    return rune;
}

void wg_put_rune(wg_text *text, uint32_t rune) {
    char bytes[4];
    size_t len = 0;
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) {
        rune = REPLACEMENT;
    }
    if (rune < 0x80) {
        bytes[len++] = (char)rune;
    } else {
        if (rune < 0x800) {
            bytes[len++] = (char)(0xC0 | rune >> 6);
        } else {
            if (rune < 0x10000) {
                bytes[len++] = (char)(0xE0 | rune >> 12);
            } else {
                bytes[len++] = (char)(0xF0 | rune >> 18);
                bytes[len++] = (char)(0x80 | (rune >> 12 & 0x3F));
            }
            bytes[len++] = (char)(0x80 | (rune >> 6 & 0x3F));
        }
        bytes[len++] = (char)(0x80 | (rune & 0x3F));
    }
    wg_put_str(text, (wg_str){bytes, len});
}

wg_str wg_text_valid(wg_str str) {
    wg_text text = {0};
    size_t len;
    size_t at = 0;
    while (at < str.len &&
           (wg_rune((wg_str){str.ptr + at, str.len - at}, &len) != REPLACEMENT || len > 1)) {
        at += len;
    }
    if (at == str.len) {
        return str;
    }
    for (at = 0; at < str.len; at += len) {
        wg_put_rune(&text, wg_rune((wg_str){str.ptr + at, str.len - at}, &len));
    }
    return wg_text_str(&text);
}

void wg_put_clean(wg_text *text, wg_str str, size_t columns) {
    size_t len;
    size_t count = 0;
    for (size_t at = 0; at < str.len; at += len, count++) {
        wg_rune((wg_str){str.ptr + at, str.len - at}, &len);
    }
    bool cut = count > columns;
    if (cut) {
        count = columns > 3 ? columns - 3 : 0;
    }
    for (size_t at = 0; count > 0; at += len, count--) {
        uint32_t rune = wg_rune((wg_str){str.ptr + at, str.len - at}, &len);
        bool control =
            rune < 0x20 || (rune >= 0x7F && rune < 0xA0) || rune == 0x2028 || rune == 0x2029;
        wg_put_rune(text, control ? ' ' : rune);
    }
    if (cut) {
        wg_put_str(text, (wg_str){"...", columns < 3 ? columns : 3});
    }
}

/* ---- numbers ------------------------------------------------------------------------------- */

void wg_put_padded(wg_text *text, uint64_t value, unsigned digits) {
    char buffer[20];
    size_t at = sizeof(buffer);
    do {
        buffer[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t len = sizeof(buffer) - at; len < digits; len++) {
        wg_put_char(text, '0');
    }
    wg_put_str(text, (wg_str){buffer + at, sizeof(buffer) - at});
}

void wg_put_uint(wg_text *text, uint64_t value) {
    wg_put_padded(text, value, 1);
}

void wg_put_int(wg_text *text, int64_t value) {
    if (value < 0) {
        wg_put_char(text, '-');
    }
    wg_put_uint(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void wg_put_fixed(wg_text *text, double value, unsigned decimals) {
    uint64_t scale = 1;
    if (decimals > 9) {
        decimals = 9;
    }
    for (unsigned i = 0; i < decimals; i++) {
        scale *= 10;
    }
    double scaled = (value < 0 ? -value : value) * (double)scale;
    if (!(scaled < 1e15)) {
        wg_put(text, "--");
        return;
    }
    uint64_t rounded = (uint64_t)(scaled + 0.5);
    if (value < 0 && rounded != 0) {
        wg_put_char(text, '-');
    }
    wg_put_uint(text, rounded / scale);
    if (decimals > 0) {
        wg_put_char(text, '.');
        wg_put_padded(text, rounded % scale, decimals);
    }
}

/* ---- encodings ----------------------------------------------------------------------------- */

static const char hex[] = "0123456789ABCDEF";

void wg_put_url(wg_text *text, wg_str str) {
    for (size_t i = 0; i < str.len; i++) {
        unsigned char c = (unsigned char)str.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool digit = c >= '0' && c <= '9';
        if (letter || digit || c == '-' || c == '.' || c == '_' || c == '~') {
            wg_put_char(text, (char)c);
        } else {
            char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
            wg_put_str(text, (wg_str){escape, 3});
        }
    }
}

void wg_put_json(wg_text *text, wg_str str) {
    size_t len;
    wg_put_char(text, '"');
    for (size_t at = 0; at < str.len; at += len) {
        uint32_t rune = wg_rune((wg_str){str.ptr + at, str.len - at}, &len);
        if (rune == '"' || rune == '\\') {
            wg_put_char(text, '\\');
            wg_put_char(text, (char)rune);
        } else if (rune == '\n') {
            wg_put(text, "\\n");
        } else if (rune < 0x20 || rune == 0x7F) {
            char escape[6] = {'\\', 'u', '0', '0', hex[rune >> 4], hex[rune & 15]};
            wg_put_str(text, (wg_str){escape, 6});
        } else {
            wg_put_rune(text, rune);
        }
    }
    wg_put_char(text, '"');
}
