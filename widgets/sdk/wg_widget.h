/*
 * wg_widget.h - all that a widget written in C needs.
 *
 * A widget is a WebAssembly component for the world `widget:widget/widget` (widgets/wit). The host
 * makes a fresh instance, calls `run`, shows the returned text and throws the instance away, so
 * nothing survives from run to run. There is no libc and nothing to free: memory comes from an
 * arena that is emptied when the host has copied the result.
 *
 *     #include "wg_widget.h"
 *
 *     WG_WIDGET("Hello", "1.0.0", 60, WG_SCHEMA);
 *
 *     void wg_run(const wg_context *context, wg_text *out)
 *     {
 *         wg_str name = wg_json_string(wg_json_find(context->config, "name"), WG_STR("world"));
 *         wg_put(out, "Hello ");
 *         wg_put_clean(out, name, 20);
 *     }
 *
 * `wg widget build` defines WG_SCHEMA from the file schema.json beside the source.
 *
 * Conventions. Strings are UTF-8 with a length, not ended by NUL. A function that can't do its
 * work says so by its result and never by a trap; only running out of memory traps. No input,
 * however malformed, is undefined behaviour.
 */
#ifndef WG_WIDGET_H
#define WG_WIDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- strings ------------------------------------------------------------------------------- */

typedef struct {
    const char *ptr;
    size_t len;
} wg_str;

/* A wg_str of a string literal. */
#define WG_STR(literal) ((wg_str){(literal), sizeof(literal) - 1})

/* A wg_str of a NUL-terminated string. */
wg_str wg_cstr(const char *text);
bool wg_str_equal(wg_str a, wg_str b);

/* ---- text: growing strings --------------------------------------------------------------------
 * Starts as {0}. Every wg_put function appends. */

typedef struct {
    char *ptr;
    size_t len;
    size_t size;
} wg_text;

void wg_put(wg_text *text, const char *literal);
void wg_put_char(wg_text *text, char c);
void wg_put_str(wg_text *text, wg_str str);
/* At most `columns` characters of a text that comes from outside, on one line: control characters
 * become spaces, malformed UTF-8 becomes U+FFFD, a longer text ends in "...". */
void wg_put_clean(wg_text *text, wg_str str, size_t columns);
void wg_put_int(wg_text *text, int64_t value);
void wg_put_uint(wg_text *text, uint64_t value);
/* With leading zeros up to `digits` digits. */
void wg_put_padded(wg_text *text, uint64_t value, unsigned digits);
/* `decimals` 0 to 9 digits after the point, rounded half away from zero; "--" if the value is not
 * finite or has more than 15 digits in all. */
void wg_put_fixed(wg_text *text, double value, unsigned decimals);
/* Percent-encoded as a component of a URL: all but A-Z a-z 0-9 - . _ ~ (RFC 3986, 2.3). */
void wg_put_url(wg_text *text, wg_str str);
/* As a JSON string with its quotes (RFC 8259); malformed UTF-8 becomes U+FFFD. */
void wg_put_json(wg_text *text, wg_str str);
/* A Unicode character as UTF-8; U+FFFD for a surrogate or a number past U+10FFFF. */
void wg_put_rune(wg_text *text, uint32_t rune);
/* What was put so far. Valid until the next put. */
wg_str wg_text_str(const wg_text *text);

/* ---- JSON -------------------------------------------------------------------------------------
 * A wg_json is a part of a document that wg_json_parse() has found well-formed. It is "nothing"
 * (WG_JSON_NOTHING) where the document is malformed or a member is missing, and every function
 * takes nothing for an answer: look up along a path first, give a fallback last. Nothing is
 * copied but strings with escapes. */

/* Deepest nesting of arrays and objects; deeper is malformed. */
#define WG_JSON_DEPTH 64

typedef enum {
    WG_JSON_NOTHING,
    WG_JSON_NULL,
    WG_JSON_FALSE,
    WG_JSON_TRUE,
    WG_JSON_NUMBER,
    WG_JSON_STRING,
    WG_JSON_ARRAY,
    WG_JSON_OBJECT,
} wg_json_kind;

typedef struct {
    const char *ptr;
    size_t len;
} wg_json;

/* The document, or nothing. Strict (RFC 8259), but a lone surrogate is read as U+FFFD. */
wg_json wg_json_parse(wg_str document);
wg_json_kind wg_json_type(wg_json value);
/* Member of an object (the first with that name) or nothing. */
wg_json wg_json_member(wg_json object, wg_str name);
/* Along a path of member names and array indices: "connections.0.from.departure". */
wg_json wg_json_find(wg_json value, const char *path);
/* The value's content, or the fallback if it is of another kind. */
wg_str wg_json_string(wg_json value, wg_str fallback);
/* A fraction is cut off, a number out of range becomes the nearest int64_t. */
int64_t wg_json_int(wg_json value, int64_t fallback);
/* Exact to 15 digits; out of range becomes the largest double. */
double wg_json_double(wg_json value, double fallback);
bool wg_json_bool(wg_json value, bool fallback);

/* for (wg_json_each e = wg_json_iterate(array); wg_json_next(&e);) use(e.value);
 * Over an object, e.name is each member's name. Over anything else: no turn. */
typedef struct {
    wg_json value;
    wg_json name;
    const char *next;
    const char *end;
} wg_json_each;

wg_json_each wg_json_iterate(wg_json container);
bool wg_json_next(wg_json_each *each);

/* ---- time ---------------------------------------------------------------------------------- */

/* Seconds since 1970-01-01T00:00:00Z and nanoseconds 0 to 999,999,999. */
typedef struct {
    uint64_t seconds;
    uint32_t nanoseconds;
} wg_datetime;

/* Last instant that can be shown: 9999-12-31T23:59:59Z. Later is taken for this. */
#define WG_TIME_MAX INT64_C(253402300799)

/* A date and time of day in the proleptic Gregorian calendar. */
typedef struct {
    int32_t year;
    int32_t month;       /* 1 to 12 */
    int32_t day;         /* 1 to 31 */
    int32_t hour;        /* 0 to 23 */
    int32_t minute;      /* 0 to 59 */
    int32_t second;      /* 0 to 59 */
    int32_t weekday;     /* 0 = Sunday */
    int32_t day_of_year; /* 1 to 366 */
    int32_t offset;      /* seconds east of UTC */
    wg_str zone;         /* abbreviation, "CET"; may be empty */
} wg_date;

/* The date at `seconds` since 1970 for a clock `offset` seconds east of UTC. Years 0 to 9999;
 * instants outside are moved to the nearest one inside. */
wg_date wg_date_at(int64_t seconds, int32_t offset);
/* Days from 1970-01-01 to a date. */
int64_t wg_days_since_1970(int32_t year, int32_t month, int32_t day);

/* Reads "2026-11-23T08:02:00+0100" (ISO 8601: 'T' or space; seconds, fraction and offset optional;
 * Z, +hh, +hhmm or +hh:mm; date alone). Without an offset it is UTC. False, and nothing stored, if
 * it is not a real date. `date` keeps the text's own offset. Either pointer may be NULL. */
bool wg_iso_parse(wg_str text, int64_t *seconds, wg_date *date);

/* As strftime in English: %Y %m %d %H %M %S %y %e %j %I %p %a %A %b %B %u %F %T %R %Z %z %n %%.
 * Any other is copied as it stands. */
void wg_put_time(wg_text *text, wg_str format, const wg_date *date);

/* One change of the clocks in a POSIX TZ rule (IEEE Std 1003.1, 8.3; RFC 9636, 3.3.1). */
typedef struct {
    char kind;     /* 'M' month.week.day, 'J' day 1 to 365, 'D' day 0 to 365 */
    int32_t month; /* 1 to 12 */
    int32_t week;  /* 1 to 5, 5 is the last */
    int32_t day;   /* M: 0 = Sunday */
    int32_t time;  /* seconds after midnight, -167 h to 167 h */
} wg_change;

typedef struct {
    wg_str name[2];    /* standard, daylight saving */
    int32_t offset[2]; /* seconds east of UTC */
    wg_change start;   /* of daylight saving; kind 0: there is none */
    wg_change end;
} wg_zone;

/* From an IANA name ("Europe/Zurich", case and '_' or ' ' alike, "Zurich" is enough) or a POSIX TZ
 * rule ("CET-1CEST,M3.5.0,M10.5.0/3"). False if it is neither. The rules are today's: they are not
 * those of the past. Links the table of zones (6 KB) into the widget. */
bool wg_zone_find(wg_str name, wg_zone *zone);
/* From a POSIX TZ rule only. */
bool wg_zone_parse(wg_str rule, wg_zone *zone);
wg_date wg_zone_date(const wg_zone *zone, int64_t seconds);

/* ---- the host ------------------------------------------------------------------------------ */

typedef enum { WG_GET, WG_HEAD, WG_POST, WG_PUT, WG_DELETE } wg_method;
typedef enum { WG_DEBUG, WG_INFO, WG_WARN, WG_ERROR } wg_level;

typedef struct {
    bool ok;                 /* false: no answer (no network, no such host, too slow, too large) */
    uint16_t status;         /* HTTP status */
    bool has_content_length; /* the server said so: */
    uint64_t content_length;
    wg_str body;
} wg_response;

/* `body` NULL: none. Waits for the answer, up to 30 s. */
wg_response wg_http(wg_method method, wg_str url, const wg_str *body);
wg_response wg_http_get(wg_str url);
wg_datetime wg_now(void);
uint64_t wg_random(void);
void wg_log(wg_level level, wg_str context, wg_str message);

/* Writes for the owner why a response can't be used, in a few words, and returns true; false and
 * nothing written if its status is 200. */
bool wg_put_http_error(wg_text *text, const wg_response *response);

/* ---- memory -----------------------------------------------------------------------------------
 * Never fails: traps where the host gives no more. Aligned to 8, not zeroed. */

void *wg_alloc(size_t size);
size_t wg_mark(void);
/* Frees all that was allocated since the mark but `keep`, which moves down to the mark: the result
 * is where it is now. For loops over large responses. Texts that were put into since the mark are
 * gone. */
wg_str wg_release(size_t mark, wg_str keep);

/* ---- the widget ---------------------------------------------------------------------------- */

typedef struct {
    wg_datetime last_invocation; /* now, if this is the first */
    wg_json config;              /* an object with no members if it is empty or malformed */
} wg_context;

typedef struct {
    wg_str name;
    wg_str version;
    wg_str schema;
    uint32_t cycle;
} wg_info;

extern const wg_info wg_widget;
/* Written by the widget. What it puts into `out` is shown. */
void wg_run(const wg_context *context, wg_text *out);

/* Once per widget: name, semantic version, seconds from run to run, JSON schema. */
#define WG_WIDGET(name_, version_, cycle_, schema_)                                                \
    const wg_info wg_widget = {{(name_), sizeof(name_) - 1},                                       \
                               {(version_), sizeof(version_) - 1},                                 \
                               {(schema_), sizeof(schema_) - 1},                                   \
                               (cycle_)}

#endif
