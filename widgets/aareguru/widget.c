/*
 * Temperature and flow of the river Aare, from aareguru.existenz.ch (/v2018/current).
 *
 *     Bern: 17.5°C (geit scho)
 *     139 m³/s, in 2 h 17.6°C
 */
#include "wg_widget.h"

WG_WIDGET("Aareguru", "1.1.0", 300, WG_SCHEMA);

#define BASE_URL "https://aareguru.existenz.ch"
#define MAX_CITY_BYTES 60

static void put_current(wg_text *out, wg_str city, wg_str body) {
    wg_json aare = wg_json_find(wg_json_parse(body), "aare");
    wg_json temperature = wg_json_find(aare, "temperature");
    wg_json flow = wg_json_find(aare, "flow");
    wg_json forecast = wg_json_find(aare, "forecast2h");
    wg_str place = wg_json_string(wg_json_find(aare, "location"), city);
    wg_str text = wg_json_string(wg_json_find(aare, "temperature_text_short"), WG_STR(""));
    bool has_flow = wg_json_type(flow) == WG_JSON_NUMBER;

    if (wg_json_type(temperature) != WG_JSON_NUMBER) {
        wg_put_clean(out, city, 20);
        wg_put(out, wg_json_type(aare) == WG_JSON_OBJECT ? ": no measurement now"
                                                         : ": can't read the answer");
        return;
    }
    wg_put_clean(out, place, 20);
    wg_put(out, ": ");
    wg_put_fixed(out, wg_json_double(temperature, 0), 1);
    wg_put(out, "°C");
    if (text.len > 0) {
        wg_put(out, " (");
        wg_put_clean(out, text, 20);
        wg_put_char(out, ')');
    }
    if (has_flow) {
        wg_put_char(out, '\n');
        wg_put_fixed(out, wg_json_double(flow, 0), 0);
        wg_put(out, " m³/s");
    }
    if (wg_json_type(forecast) == WG_JSON_NUMBER) {
        wg_put(out, has_flow ? ", in 2 h " : "\nIn 2 h ");
        wg_put_fixed(out, wg_json_double(forecast, 0), 1);
        wg_put(out, "°C");
    }
}

void wg_run(const wg_context *context, wg_text *out) {
    wg_str base = wg_json_string(wg_json_find(context->config, "base_url"), WG_STR(BASE_URL));
    wg_str city = wg_json_string(wg_json_find(context->config, "city"), WG_STR("bern"));
    wg_text url = {0};

    if (city.len == 0 || city.len > MAX_CITY_BYTES) {
        wg_put(out, "Set a city, for instance bern");
        return;
    }
    wg_put_str(&url, base);
    wg_put(&url, "/v2018/current?city=");
    wg_put_url(&url, city);
    wg_put(&url, "&app=wg-display&version=1"); /* the service asks who asks */

    wg_response response = wg_http_get(wg_text_str(&url));
    if (response.ok && response.status == 200) {
        put_current(out, city, response.body);
    } else if (response.ok && (response.status == 400 || response.status == 404)) {
        wg_put(out, "Unknown city ");
        wg_put_clean(out, city, 20);
    } else {
        wg_put_clean(out, city, 20);
        wg_put(out, ": ");
        wg_put_http_error(out, &response);
    }
}
