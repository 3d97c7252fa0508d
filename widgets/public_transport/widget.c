/*
 * The next departures between two stations, from transport.opendata.ch (/v1/connections).
 *
 *     Bern -> Thun
 *     08:02  in 4 min  Gl. 5  +3'
 */
#include "wg_widget.h"

WG_WIDGET("Public Transport", "1.1.0", 90, WG_SCHEMA);

#define BASE_URL "https://transport.opendata.ch"
#define MAX_CONNECTIONS 4
#define MAX_DEPARTURES 6
/* Departures asked for beyond those shown: some of the answer may have left already. The service
 * gives 16 at most. */
#define SPARE 3
#define NAME_COLUMNS 15
#define MAX_NAME_BYTES 120

typedef struct {
    wg_str base;
    wg_str from;
    wg_str to;
    int64_t departures;
    int64_t now;
} query;

static wg_str build_url(const query *q) {
    wg_text url = {0};
    wg_put_str(&url, q->base);
    wg_put(&url, "/v1/connections?from=");
    wg_put_url(&url, q->from);
    wg_put(&url, "&to=");
    wg_put_url(&url, q->to);
    wg_put(&url, "&limit=");
    wg_put_int(&url, q->departures + SPARE);
    return wg_text_str(&url);
}

static void put_header(wg_text *out, wg_str from, wg_str to) {
    wg_put_clean(out, from, NAME_COLUMNS);
    wg_put(out, " -> ");
    wg_put_clean(out, to, NAME_COLUMNS);
}

static void put_wait(wg_text *out, int64_t seconds) {
    if (seconds < 60) {
        wg_put(out, "now");
    } else if (seconds < 3600) {
        wg_put(out, "in ");
        wg_put_int(out, seconds / 60);
        wg_put(out, " min");
    } else if (seconds < 2 * 86400) {
        wg_put(out, "in ");
        wg_put_int(out, seconds / 3600);
        wg_put(out, " h");
    } else {
        wg_put(out, "in ");
        wg_put_int(out, seconds / 86400);
        wg_put(out, " days");
    }
}

/* One line; false if the train has left or can't be read. */
static bool put_departure(wg_text *out, wg_json connection, int64_t now) {
    wg_json from = wg_json_member(connection, WG_STR("from"));
    wg_str departure = wg_json_string(wg_json_find(from, "departure"), WG_STR(""));
    wg_str platform = wg_json_string(wg_json_find(from, "platform"), WG_STR(""));
    int64_t delay = wg_json_int(wg_json_find(from, "delay"), 0);
    int64_t planned;
    wg_date date;

    if (!wg_iso_parse(departure, &planned, &date)) {
        return false;
    }
    if (delay < 0 || delay > 999) {
        delay = 0;
    }
    if (planned + delay * 60 <= now) {
        return false;
    }
    wg_put_time(out, WG_STR("\n%H:%M  "), &date);
    put_wait(out, planned + delay * 60 - now);
    if (platform.len > 0) {
        wg_put(out, "  Gl. ");
        wg_put_clean(out, platform, 5);
    }
    if (delay > 0) {
        wg_put(out, "  +");
        wg_put_int(out, delay);
        wg_put_char(out, '\'');
    }
    return true;
}

static void put_answer(wg_text *out, const query *q, wg_str body) {
    wg_json answer = wg_json_parse(body);
    wg_json connections = wg_json_find(answer, "connections");
    wg_str from = wg_json_string(wg_json_find(answer, "from.name"), WG_STR(""));
    wg_str to = wg_json_string(wg_json_find(answer, "to.name"), WG_STR(""));
    int64_t shown = 0;

    put_header(out, from.len > 0 ? from : q->from, to.len > 0 ? to : q->to);
    if (wg_json_type(connections) != WG_JSON_ARRAY) {
        wg_put(out, "\nCan't read the answer");
        return;
    }
    if (from.len == 0 || to.len == 0) {
        wg_put(out, "\nUnknown station ");
        wg_put_clean(out, from.len == 0 ? q->from : q->to, 20);
        return;
    }
    for (wg_json_each each = wg_json_iterate(connections);
         shown < q->departures && wg_json_next(&each);) {
        shown += put_departure(out, each.value, q->now);
    }
    if (shown == 0) {
        wg_put(out, "\nNo departures");
    }
}

static void put_connection(wg_text *out, const query *q) {
    size_t mark = wg_mark();
    wg_text part = {0};
    wg_response response = wg_http_get(build_url(q));
    if (response.ok && response.status == 200) {
        put_answer(&part, q, response.body);
    } else {
        put_header(&part, q->from, q->to);
        wg_put_char(&part, '\n');
        wg_put_http_error(&part, &response);
    }
    wg_put_str(out, wg_release(mark, wg_text_str(&part)));
}

static int64_t clamp(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

void wg_run(const wg_context *context, wg_text *out) {
    wg_datetime now = wg_now();
    query q = {.now = now.seconds > WG_TIME_MAX ? WG_TIME_MAX : (int64_t)now.seconds};
    int count = 0;

    q.base = wg_json_string(wg_json_find(context->config, "base_url"), WG_STR(BASE_URL));
    wg_json_each each = wg_json_iterate(wg_json_find(context->config, "connections"));
    for (; count < MAX_CONNECTIONS && wg_json_next(&each); count++) {
        q.from = wg_json_string(wg_json_find(each.value, "from_station"), WG_STR(""));
        q.to = wg_json_string(wg_json_find(each.value, "to_station"), WG_STR(""));
        q.departures =
            clamp(wg_json_int(wg_json_find(each.value, "num_connections"), 3), 1, MAX_DEPARTURES);
        if (count > 0) {
            wg_put_char(out, '\n');
        }
        if (q.from.len == 0 || q.to.len == 0) {
            wg_put(out, "Set from_station and to_station");
        } else if (q.from.len > MAX_NAME_BYTES || q.to.len > MAX_NAME_BYTES) {
            wg_put(out, "Station name is too long");
        } else {
            put_connection(out, &q);
        }
    }
    if (count == 0) {
        wg_put(out, "No connection configured\nSet from_station and to_station");
    }
}
