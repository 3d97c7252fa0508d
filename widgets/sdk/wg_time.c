/* wg_time.c - calendar, ISO 8601, strftime, time zones by rule. */
#include "wg_text.h"

#include "wg_memory.h"

#define DAY 86400

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static bool is_leap(int32_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t days_in_month(int32_t year, int32_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Years are counted from March, so that the leap day is a year's last day, in cycles of 400 years
 * of 146,097 days. */
int64_t wg_days_since_1970(int32_t year, int32_t month, int32_t day) {
    int64_t y = (int64_t)year - (month <= 2);
    int64_t cycle = floor_div(y, 400);
    int64_t year_of_cycle = y - cycle * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_cycle =
        year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    return cycle * 146097 + day_of_cycle - 719468;
}

#define TIME_MIN INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */

static int64_t clamp_time(int64_t seconds) {
    return seconds < TIME_MIN ? TIME_MIN : seconds > WG_TIME_MAX ? WG_TIME_MAX : seconds;
}

wg_date wg_date_at(int64_t seconds, int32_t offset) {
    wg_date date = {.offset = offset};
    int64_t local = clamp_time(clamp_time(seconds) + offset);
    int64_t days = floor_div(local, DAY);
    int32_t second = (int32_t)(local - days * DAY);

    int64_t shifted = days + 719468;
    int64_t cycle = floor_div(shifted, 146097);
    int32_t day_of_cycle = (int32_t)(shifted - cycle * 146097);
    int32_t year =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
    int32_t day_of_year = day_of_cycle - (365 * year + year / 4 - year / 100);
    int32_t month = (5 * day_of_year + 2) / 153;
    date.day = day_of_year - (153 * month + 2) / 5 + 1;
    date.month = month < 10 ? month + 3 : month - 9;
    date.year = (int32_t)(cycle * 400) + year + (date.month <= 2);
    date.hour = second / 3600;
    date.minute = second / 60 % 60;
    date.second = second % 60;
    date.weekday = (int32_t)(days + 4 - floor_div(days + 4, 7) * 7);
    date.day_of_year = (int32_t)(days - wg_days_since_1970(date.year, 1, 1)) + 1;
    return date;
}

/* ---- ISO 8601 ------------------------------------------------------------------------------ */

/* A reader that stops at the first thing it does not expect. */
typedef struct {
    const char *p;
    const char *end;
    bool ok;
} reader;

static bool take(reader *r, char c) {
    if (r->p < r->end && *r->p == c) {
        r->p++;
        return true;
    }
    return false;
}

static bool at_digit(const reader *r) {
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

/* Exactly `digits` digits. */
static int32_t take_digits(reader *r, int digits) {
    int32_t value = 0;
    for (; digits > 0; digits--) {
        if (!at_digit(r)) {
            r->ok = false;
            return 0;
        }
        value = value * 10 + (*r->p++ - '0');
    }
    return value;
}

static int32_t take_offset(reader *r) {
    if (r->p == r->end || take(r, 'Z') || take(r, 'z')) {
        return 0;
    }
    bool west = take(r, '-');
    if (!west && !take(r, '+')) {
        r->ok = false;
        return 0;
    }
    int32_t hours = take_digits(r, 2);
    bool colon = take(r, ':');
    int32_t minutes = colon || at_digit(r) ? take_digits(r, 2) : 0;
    r->ok = r->ok && hours < 24 && minutes < 60;
    int32_t offset = hours * 3600 + minutes * 60;
    return west ? -offset : offset;
}

bool wg_iso_parse(wg_str text, int64_t *seconds, wg_date *date) {
    reader r = {text.ptr, text.ptr + text.len, true};
    int32_t hour = 0, minute = 0, second = 0, offset = 0;
    int32_t year = take_digits(&r, 4);
    r.ok = r.ok && take(&r, '-');
    int32_t month = take_digits(&r, 2);
    r.ok = r.ok && take(&r, '-');
    int32_t day = take_digits(&r, 2);
    if (r.p < r.end) {
        r.ok = r.ok && (take(&r, 'T') || take(&r, 't') || take(&r, ' '));
        hour = take_digits(&r, 2);
        r.ok = r.ok && take(&r, ':');
        minute = take_digits(&r, 2);
        if (take(&r, ':')) {
            second = take_digits(&r, 2);
            if (take(&r, '.') || take(&r, ',')) {
                take_digits(&r, 1);
                while (at_digit(&r)) {
                    r.p++;
                }
            }
        }
        offset = take_offset(&r);
    }
    if (!r.ok || r.p != r.end || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    second -= second == 60; /* a leap second is shown as the one before it */
    int64_t instant =
        wg_days_since_1970(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    if (seconds != NULL) {
        *seconds = instant;
    }
    if (date != NULL) {
        *date = wg_date_at(instant, offset);
    }
    return true;
}

/* ---- strftime ------------------------------------------------------------------------------ */

static const char day_names[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
static const char month_names[12][10] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};

static void put_offset(wg_text *text, int32_t offset) {
    int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    wg_put_char(text, offset < 0 ? '-' : '+');
    wg_put_padded(text, (uint64_t)(minutes / 60), 2);
    wg_put_padded(text, (uint64_t)(minutes % 60), 2);
}

/* What is a number with leading zeros, and what is short for something else. */
static const struct {
    char item;
    uint8_t field;
    uint8_t digits;
} numbers[] = {
    {'Y', offsetof(wg_date, year), 4},        {'m', offsetof(wg_date, month), 2},
    {'d', offsetof(wg_date, day), 2},         {'H', offsetof(wg_date, hour), 2},
    {'M', offsetof(wg_date, minute), 2},      {'S', offsetof(wg_date, second), 2},
    {'j', offsetof(wg_date, day_of_year), 3},
};
static const char shorts[] = "F%Y-%m-%d\0T%H:%M:%S\0R%H:%M\0n\n\0";

static void put_item(wg_text *text, char item, const wg_date *d) {
    bool whole = item == 'A' || item == 'B';
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].item == item) {
            const char *field = (const char *)d + numbers[i].field;
            wg_put_padded(text, (uint64_t)*(const int32_t *)field, numbers[i].digits);
            return;
        }
    }
    for (const char *p = shorts; *p != '\0'; p += strlen(p) + 1) {
        if (*p == item) {
            wg_put_time(text, wg_cstr(p + 1), d);
            return;
        }
    }
    switch (item) {
    case 'y':
        wg_put_padded(text, (uint64_t)(d->year % 100), 2);
        break;
    case 'e':
        wg_put(text, d->day < 10 ? " " : "");
        wg_put_int(text, d->day);
        break;
    case 'I':
        wg_put_padded(text, (uint64_t)((d->hour + 11) % 12 + 1), 2);
        break;
    case 'p':
        wg_put(text, d->hour < 12 ? "AM" : "PM");
        break;
    case 'a':
    case 'A':
    case 'b':
    case 'B': {
        bool day = (item | 0x20) == 'a';
        const char *name =
            day ? day_names[(uint32_t)d->weekday % 7] : month_names[(uint32_t)(d->month - 1) % 12];
        wg_put_str(text, (wg_str){name, whole ? strlen(name) : 3});
        break;
    }
    case 'u':
        wg_put_int(text, d->weekday == 0 ? 7 : d->weekday);
        break;
    case 'z':
        put_offset(text, d->offset);
        break;
    case 'Z':
        wg_put_str(text, d->zone);
        break;
    default:
        wg_put_char(text, '%');
        if (item != '%') {
            wg_put_char(text, item);
        }
    }
}

void wg_put_time(wg_text *text, wg_str format, const wg_date *date) {
    for (size_t i = 0; i < format.len; i++) {
        if (format.ptr[i] == '%' && i + 1 < format.len) {
            put_item(text, format.ptr[++i], date);
        } else {
            wg_put_char(text, format.ptr[i]);
        }
    }
}

/* ---- POSIX TZ rules ------------------------------------------------------------------------ */

/* 1 to `most` digits. */
static int32_t take_number(reader *r, int most) {
    int32_t value = take_digits(r, 1);
    for (; most > 1 && at_digit(r); most--) {
        value = value * 10 + (*r->p++ - '0');
    }
    return value;
}

static wg_str take_name(reader *r) {
    bool quoted = take(r, '<');
    const char *start = r->p;
    while (r->p < r->end) {
        char c = *r->p;
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(quoted && (at_digit(r) || c == '+' || c == '-'))) {
            break;
        }
        r->p++;
    }
    wg_str name = {start, (size_t)(r->p - start)};
    r->ok = r->ok && name.len >= 3 && (!quoted || take(r, '>'));
    return name;
}

/* [+-]hours[:minutes[:seconds]] in seconds. */
static int32_t take_time(reader *r, int hour_digits, int32_t most_hours) {
    bool negative = take(r, '-');
    if (!negative) {
        take(r, '+');
    }
    int32_t hours = take_number(r, hour_digits);
    int32_t minutes = take(r, ':') ? take_number(r, 2) : 0;
    int32_t seconds = minutes >= 0 && take(r, ':') ? take_number(r, 2) : 0;
    r->ok = r->ok && hours <= most_hours && minutes < 60 && seconds < 60;
    int32_t time = hours * 3600 + minutes * 60 + seconds;
    return negative ? -time : time;
}

static wg_change take_change(reader *r) {
    wg_change change = {.time = 2 * 3600};
    if (take(r, 'M')) {
        change.kind = 'M';
        change.month = take_number(r, 2);
        r->ok = r->ok && take(r, '.');
        change.week = take_number(r, 1);
        r->ok = r->ok && take(r, '.');
        change.day = take_number(r, 1);
        r->ok = r->ok && change.month >= 1 && change.month <= 12 && change.week >= 1 &&
                change.week <= 5 && change.day <= 6;
    } else {
        change.kind = take(r, 'J') ? 'J' : 'D';
        change.day = take_number(r, 3);
        r->ok = r->ok && change.day <= 365 && (change.kind == 'D' || change.day >= 1);
    }
    if (take(r, '/')) {
        change.time = take_time(r, 3, 167);
    }
    return change;
}

bool wg_zone_parse(wg_str rule, wg_zone *zone) {
    reader r = {rule.ptr, rule.ptr + rule.len, true};
    wg_zone z = {0};
    z.name[0] = take_name(&r);
    z.offset[0] = -take_time(&r, 2, 24);
    if (r.p < r.end) {
        z.name[1] = take_name(&r);
        z.offset[1] = z.offset[0] + 3600;
        if (r.p < r.end && *r.p != ',') {
            z.offset[1] = -take_time(&r, 2, 24);
        }
        r.ok = r.ok && take(&r, ',');
        z.start = take_change(&r);
        r.ok = r.ok && take(&r, ',');
        z.end = take_change(&r);
    }
    if (!r.ok || r.p != r.end) {
        return false;
    }
    *zone = z;
    return true;
}

/* When a change happens in a year, in seconds since 1970 by the clock that is changed. */
static int64_t change_time(const wg_change *change, int32_t year) {
    int64_t day;
    if (change->kind == 'M') {
        int64_t first = wg_days_since_1970(year, change->month, 1);
        int32_t weekday = (int32_t)(first + 4 - floor_div(first + 4, 7) * 7);
        int32_t date = (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
        if (date >= days_in_month(year, change->month)) {
            date -= 7;
        }
        day = first + date;
    } else {
        day = wg_days_since_1970(year, 1, 1) + change->day;
        if (change->kind == 'J') {
            day -= !(is_leap(year) && change->day >= 60); /* J60 is always the first of March */
        }
    }
    return day * DAY + change->time;
}

wg_date wg_zone_date(const wg_zone *zone, int64_t seconds) {
    int daylight = 0;
    if (zone->start.kind != 0) {
        int32_t year = wg_date_at(seconds, zone->offset[0]).year;
        int64_t start = change_time(&zone->start, year) - zone->offset[0];
        int64_t end = change_time(&zone->end, year) - zone->offset[1];
        daylight =
            start < end ? seconds >= start && seconds < end : seconds < end || seconds >= start;
    }
    wg_date date = wg_date_at(seconds, zone->offset[daylight]);
    date.zone = zone->name[daylight];
    return date;
}
