/* A greeting: the template of `wg widget new`. */
#include "wg_widget.h"

/* name, version, seconds from run to run, JSON schema of the configuration (schema.json) */
WG_WIDGET("Hello", "0.1.0", 60, WG_SCHEMA);

void wg_run(const wg_context *context, wg_text *out) {
    wg_str name = wg_json_string(wg_json_find(context->config, "name"), WG_STR("world"));
    wg_date now = wg_date_at((int64_t)wg_now().seconds, 0);

    wg_put(out, now.hour < 12 ? "Good morning, " : "Good day, ");
    wg_put_clean(out, name, 20);
    wg_put_time(out, WG_STR("\nIt is %H:%M UTC on %A"), &now);
}
