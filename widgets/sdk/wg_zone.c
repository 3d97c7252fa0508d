/* wg_zone.c - IANA names of time zones. A file of its own: only widgets that ask pay for the table.
 */
#include "wg_text.h"

#include "wg_memory.h"
#include "wg_zones.h"

static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c == ' ' ? '_' : c;
}

static bool same(wg_str a, wg_str b) {
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.ptr[i]) != fold(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

/* "America/Argentina/Salta" into "America/Argentina/" and "Salta". */
static void split(wg_str name, wg_str *area, wg_str *place) {
    size_t at = name.len;
    while (at > 0 && name.ptr[at - 1] != '/') {
        at--;
    }
    *area = (wg_str){name.ptr, at};
    *place = (wg_str){name.ptr + at, name.len - at};
}

bool wg_zone_find(wg_str name, wg_zone *zone) {
    wg_str area, place, table_area = WG_STR(""), rule = WG_STR("");
    split(name, &area, &place);
    for (const char *p = wg_zones; *p != '\0';) {
        size_t len = 0;
        while (p[len] != ' ' && p[len] != '\n') {
            len++;
        }
        wg_str word = {p, len};
        if (p == wg_zones || p[-1] == '\n') {
            rule = word;
        } else {
            wg_str word_area, word_place;
            split(word, &word_area, &word_place);
            if (word_area.len != 0) {
                table_area = word_area;
            }
            if (same(word_place, place) && (area.len == 0 || same(table_area, area))) {
                return wg_zone_parse(rule, zone);
            }
        }
        p += len + 1;
    }
    return wg_zone_parse(name, zone);
}
