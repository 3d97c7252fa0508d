/* wg_host.c - what is the same for every host. */
#include "wg_widget.h"

wg_response wg_http_get(wg_str url) {
    return wg_http(WG_GET, url, NULL);
}

bool wg_put_http_error(wg_text *text, const wg_response *response) {
    if (response->ok && response->status == 200) {
        return false;
    }
    if (!response->ok) {
        wg_put(text, "No network");
    } else if (response->status == 429) {
        wg_put(text, "Too many requests, try later");
    } else {
        wg_put(text, response->status >= 500 ? "Service is down (" : "Service refused (");
        wg_put_uint(text, response->status);
        wg_put(text, ")");
    }
    return true;
}
