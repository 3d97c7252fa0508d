/*
 * wg_json.c - reading JSON (RFC 8259) in place.
 *
 * wg_json_parse() checks the whole document once, without recursion. After that a value is just
 * the part of the text where it stands, and looking something up is a scan that may rely on
 * brackets and quotes being balanced. That costs no memory, which matters more here than the
 * second scan: a response may be as large as all the memory of the board's display.
 */
#include "wg_text.h"

#include "wg_memory.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *skip_space(const char *p, const char *end) {
    while (p < end && is_space(*p)) {
        p++;
    }
    return p;
}

static int hex_digit(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- checking: each returns where it ended, NULL where the text is malformed ---------------- */

static const char *check_string(const char *p, const char *end) {
    if (p == end || *p++ != '"') {
        return NULL;
    }
    while (p < end && *p != '"') {
        if ((unsigned char)*p < 0x20) {
            return NULL;
        }
        if (*p++ != '\\') {
            continue;
        }
        if (p == end) {
            return NULL;
        }
        switch (*p++) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            break;
        case 'u':
            for (int i = 0; i < 4; i++) {
                if (p == end || hex_digit(*p++) < 0) {
                    return NULL;
                }
            }
            break;
        default:
            return NULL;
        }
    }
    return p < end ? p + 1 : NULL;
}

static const char *check_digits(const char *p, const char *end) {
    if (p == end || !is_digit(*p)) {
        return NULL;
    }
    while (p < end && is_digit(*p)) {
        p++;
    }
    return p;
}

static const char *check_number(const char *p, const char *end) {
    if (p < end && *p == '-') {
        p++;
    }
    if (p < end && *p == '0') {
        p++;
    } else {
        p = check_digits(p, end);
    }
    if (p != NULL && p < end && *p == '.') {
        p = check_digits(p + 1, end);
    }
    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        p = check_digits(p, end);
    }
    return p;
}

static const char *check_word(const char *p, const char *end, wg_str word) {
    if ((size_t)(end - p) < word.len || memcmp(p, word.ptr, word.len) != 0) {
        return NULL;
    }
    return p + word.len;
}

static const char *check_scalar(const char *p, const char *end) {
    switch (*p) {
    case '"':
        return check_string(p, end);
    case 't':
        return check_word(p, end, WG_STR("true"));
    case 'f':
        return check_word(p, end, WG_STR("false"));
    case 'n':
        return check_word(p, end, WG_STR("null"));
    default:
        return check_number(p, end);
    }
}

static const char *check_name(const char *p, const char *end) {
    p = check_string(skip_space(p, end), end);
    if (p == NULL) {
        return NULL;
    }
    p = skip_space(p, end);
    return p < end && *p == ':' ? p + 1 : NULL;
}

static const char *check_value(const char *p, const char *end) {
    uint64_t objects = 0; /* bit n: the container at depth n + 1 is an object */
    int depth = 0;

    _Static_assert(WG_JSON_DEPTH <= 64, "one bit a level");
    for (;;) {
        /* a value starts here */
        p = skip_space(p, end);
        if (p == end) {
            return NULL;
        }
        if (*p == '{' || *p == '[') {
            bool object = *p == '{';
            if (depth == WG_JSON_DEPTH) {
                return NULL;
            }
            uint64_t bit = UINT64_C(1) << depth++;
            objects = object ? objects | bit : objects & ~bit;
            p = skip_space(p + 1, end);
            if (p == end) {
                return NULL;
            }
            if (*p != (object ? '}' : ']')) {
                if (object && (p = check_name(p, end)) == NULL) {
                    return NULL;
                }
                continue;
            }
        } else {
            p = check_scalar(p, end);
            if (p == NULL) {
                return NULL;
            }
            if (depth == 0) {
                return p;
            }
            p = skip_space(p, end);
            if (p == end) {
                return NULL;
            }
        }
        /* a value has ended: a comma, or brackets that close */
        for (;;) {
            bool object = (objects >> (depth - 1) & 1) != 0;
            if (*p == ',') {
                p++;
                if (object && (p = check_name(p, end)) == NULL) {
                    return NULL;
                }
                break;
            }
            if (*p != (object ? '}' : ']')) {
                return NULL;
            }
            p++;
            if (--depth == 0) {
                return p;
            }
            p = skip_space(p, end);
            if (p == end) {
                return NULL;
            }
        }
    }
}

wg_json wg_json_parse(wg_str document) {
    const char *end = document.ptr + document.len;
    const char *start = skip_space(document.ptr, end);
    const char *stop = check_value(start, end);
    if (stop == NULL || skip_space(stop, end) != end) {
        return (wg_json){NULL, 0};
    }
    return (wg_json){start, (size_t)(stop - start)};
}

/* ---- reading what was found well-formed ----------------------------------------------------- */

static const char *skip_value(const char *p, const char *end) {
    int depth = 0;
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            while (p < end && *p != '"') {
                p += *p == '\\' ? 2 : 1;
            }
            p++;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (depth == 0) {
            while (p < end && *p != ',' && *p != '}' && *p != ']' && !is_space(*p)) {
                p++;
            }
        }
        if (depth == 0) {
            break;
        }
    }
    return p < end ? p : end;
}

wg_json_kind wg_json_type(wg_json value) {
    if (value.len == 0) {
        return WG_JSON_NOTHING;
    }
    switch (*value.ptr) {
    case '{':
        return WG_JSON_OBJECT;
    case '[':
        return WG_JSON_ARRAY;
    case '"':
        return WG_JSON_STRING;
    case 't':
        return WG_JSON_TRUE;
    case 'f':
        return WG_JSON_FALSE;
    case 'n':
        return WG_JSON_NULL;
    default:
        return WG_JSON_NUMBER;
    }
}

wg_json_each wg_json_iterate(wg_json container) {
    wg_json_each each = {0};
    wg_json_kind kind = wg_json_type(container);
    if (kind == WG_JSON_OBJECT || kind == WG_JSON_ARRAY) {
        each.next = container.ptr + 1;
        each.end = container.ptr + container.len - 1;
        each.name.len = kind == WG_JSON_OBJECT;
    }
    return each;
}

static wg_json take_value(wg_json_each *each) {
    const char *start = skip_space(each->next, each->end);
    const char *stop = skip_value(start, each->end);
    each->next = skip_space(stop, each->end);
    return (wg_json){start, (size_t)(stop - start)};
}

bool wg_json_next(wg_json_each *each) {
    each->next = skip_space(each->next, each->end);
    if (each->next >= each->end) {
        return false;
    }
    if (each->name.len != 0) {
        each->name = take_value(each);
        each->next++; /* ':' */
    }
    each->value = take_value(each);
    each->next++; /* ',' or past the end */
    return true;
}

static uint32_t hex4(const char *p) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value = value << 4 | (uint32_t)hex_digit(p[i]);
    }
    return value;
}

/* Puts the character behind a backslash, returns where it ended. */
static const char *put_escape(wg_text *text, const char *p, const char *end) {
    static const char names[] = "bfnrt";
    static const char values[] = "\b\f\n\r\t";
    if (*p == 'u') {
        uint32_t rune = hex4(p + 1);
        p += 5;
        if (rune >= 0xD800 && rune <= 0xDBFF && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
            uint32_t low = hex4(p + 2);
            if (low >= 0xDC00 && low <= 0xDFFF) {
                rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
                p += 6;
            }
        }
        wg_put_rune(text, rune);
        return p;
    }
    char c = *p;
    for (int i = 0; names[i] != '\0'; i++) {
        if (c == names[i]) {
            c = values[i];
            break;
        }
    }
    wg_put_char(text, c);
    return p + 1;
}

wg_str wg_json_string(wg_json value, wg_str fallback) {
    if (wg_json_type(value) != WG_JSON_STRING) {
        return fallback;
    }
    const char *p = value.ptr + 1;
    const char *end = value.ptr + value.len - 1;
    const char *plain = p;
    while (plain < end && *plain != '\\') {
        plain++;
    }
    if (plain == end) {
        return (wg_str){p, (size_t)(end - p)};
    }
    wg_text text = {0};
    while (p < end) {
        plain = p;
        while (plain < end && *plain != '\\') {
            plain++;
        }
        wg_put_str(&text, (wg_str){p, (size_t)(plain - p)});
        p = plain < end ? put_escape(&text, plain + 1, end) : end;
    }
    return wg_text_str(&text);
}

wg_json wg_json_member(wg_json object, wg_str name) {
    if (wg_json_type(object) == WG_JSON_OBJECT) {
        for (wg_json_each each = wg_json_iterate(object); wg_json_next(&each);) {
            if (wg_str_equal(wg_json_string(each.name, WG_STR("")), name)) {
                return each.value;
            }
        }
    }
    return (wg_json){NULL, 0};
}

static wg_json item(wg_json array, wg_str index) {
    size_t number = 0;
    for (size_t i = 0; i < index.len; i++) {
        if (!is_digit(index.ptr[i]) || number > 100000000) {
            return (wg_json){NULL, 0};
        }
        number = number * 10 + (size_t)(index.ptr[i] - '0');
    }
    for (wg_json_each each = wg_json_iterate(array); wg_json_next(&each); number--) {
        if (number == 0) {
            return each.value;
        }
    }
    return (wg_json){NULL, 0};
}

wg_json wg_json_find(wg_json value, const char *path) {
    while (*path != '\0') {
        size_t len = 0;
        while (path[len] != '\0' && path[len] != '.') {
            len++;
        }
        wg_str step = {path, len};
        value =
            wg_json_type(value) == WG_JSON_ARRAY ? item(value, step) : wg_json_member(value, step);
        path += path[len] == '.' ? len + 1 : len;
    }
    return value;
}

bool wg_json_bool(wg_json value, bool fallback) {
    wg_json_kind kind = wg_json_type(value);
    return kind == WG_JSON_TRUE ? true : kind == WG_JSON_FALSE ? false : fallback;
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* A number as sign * digits * 10^exponent. Digits past the 19th only move the exponent. */
typedef struct {
    bool negative;
    uint64_t digits;
    int32_t exponent;
} decimal;

#define EXPONENT_LIMIT 100000000

static decimal read_number(wg_json value) {
    decimal number = {0};
    const char *p = value.ptr;
    const char *end = value.ptr + value.len;
    bool fraction = false;
    if (*p == '-') {
        number.negative = true;
        p++;
    }
    for (; p < end && (is_digit(*p) || *p == '.'); p++) {
        if (*p == '.') {
            fraction = true;
        } else if (number.digits < UINT64_C(1000000000000000000)) {
            number.digits = number.digits * 10 + (uint64_t)(*p - '0');
            number.exponent -= fraction;
        } else {
            number.exponent += !fraction && number.exponent < EXPONENT_LIMIT;
        }
    }
    if (p < end) {
        int32_t exponent = 0;
        p++; /* 'e' */
        bool negative = *p == '-';
        if (*p == '-' || *p == '+') {
            p++;
        }
        for (; p < end; p++) {
            if (exponent < EXPONENT_LIMIT) {
                exponent = exponent * 10 + (*p - '0');
            }
        }
        number.exponent += negative ? -exponent : exponent;
    }
    return number;
}

#define DOUBLE_MAX 1.7976931348623157e308

double wg_json_double(wg_json value, double fallback) {
    static const double powers[] = {1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256};
    if (wg_json_type(value) != WG_JSON_NUMBER) {
        return fallback;
    }
    decimal number = read_number(value);
    double result = (double)number.digits;
    uint32_t exponent = (uint32_t)(number.exponent < 0 ? -number.exponent : number.exponent);
    if (exponent > 400) {
        exponent = number.digits == 0 ? 0 : 400;
    }
    /* 10^-400 and 10^400 are out of range for any 19 digits; the largest factor first, so that a
     * number near the ends does not pass them on the way */
    for (int i = 8; i >= 0; i--) {
        if ((exponent & 1u << i) != 0) {
            result = number.exponent < 0 ? result / powers[i] : result * powers[i];
        }
    }
    if (result > DOUBLE_MAX) {
        result = DOUBLE_MAX;
    }
    return number.negative ? -result : result;
}

int64_t wg_json_int(wg_json value, int64_t fallback) {
    if (wg_json_type(value) != WG_JSON_NUMBER) {
        return fallback;
    }
    decimal number = read_number(value);
    uint64_t magnitude = number.digits;
    uint64_t limit = (uint64_t)INT64_MAX + number.negative;
    for (; number.exponent < 0 && magnitude != 0; number.exponent++) {
        magnitude /= 10;
    }
    for (; number.exponent > 0 && magnitude != 0 && magnitude <= limit; number.exponent--) {
        magnitude = magnitude > limit / 10 ? UINT64_MAX : magnitude * 10;
    }
    if (magnitude > limit) {
        magnitude = limit;
    }
    return number.negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
}
