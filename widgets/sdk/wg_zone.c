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

/* The byte before each entry of the table. */
#define KIND 0xc0
#define RULE 0x80
#define AREA 0xc0

bool wg_zone_find(wg_str name, wg_zone *zone) {
    wg_str area, place, rule = WG_STR("");
    bool here = false;
    split(name, &area, &place);
    for (const char *p = wg_zones; *p != '\0';) {
        unsigned head = (unsigned char)*p;
        wg_str entry = {p + 1, head & ~(unsigned)KIND};
        if ((head & KIND) == RULE) {
            rule = entry;
        } else if ((head & KIND) == AREA) {
            here = area.len == 0 || same(entry, area);
        } else if (here && same(entry, place)) {
            return wg_zone_parse(rule, zone);
        }
        p += 1 + entry.len;
    }
    return wg_zone_parse(name, zone);
}
