/* The time and date at a place. */
#include "wg_widget.h"

WG_WIDGET("Time", "1.1.0", 1, WG_SCHEMA);

/* Longest format: a few lines of the screen. */
#define MAX_FORMAT 160

void wg_run(const wg_context *context, wg_text *out) {
    wg_datetime now = wg_now();
    int64_t seconds = now.seconds > WG_TIME_MAX ? WG_TIME_MAX : (int64_t)now.seconds;
    wg_str name = wg_json_string(wg_json_find(context->config, "zone"), WG_STR("Europe/Zurich"));
    wg_str format = wg_json_string(wg_json_find(context->config, "format"), WG_STR(""));
    wg_zone zone;

    if (format.len == 0 || format.len > MAX_FORMAT) {
        format = WG_STR("%H:%M:%S %d.%m.%Y");
    }
    if (wg_zone_find(name, &zone)) {
        wg_date date = wg_zone_date(&zone, seconds);
        wg_put_time(out, format, &date);
    } else {
        wg_date date = wg_date_at(seconds, 0);
        date.zone = WG_STR("UTC");
        wg_put_time(out, WG_STR("%H:%M:%S %d.%m.%Y UTC\nUnknown zone "), &date);
        wg_put_clean(out, name, 22);
    }
}
