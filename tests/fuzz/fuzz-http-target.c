/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a request asks for: "METHOD /path?query". */
#include <string.h>

#include "fuzz.h"
#include "http/device-list.h"
#include "http/router.h"
#include "http/url.h"
#include "inventory/inventory.h"

static void check_route(const char *method, const char *path) {
        char param[HTTP_PARAM_MAX] = "", allow[HTTP_ALLOW_MAX] = "";
        const HttpRoute *route = NULL;
        ErrorCode code = http_router_find(method, path, &route, param, allow);

        fuzz_expect(code == ERROR_NONE || code == ERROR_NOT_FOUND || code == ERROR_METHOD_NOT_ALLOWED);
        fuzz_expect(memchr(param, '\0', sizeof param) && memchr(allow, '\0', sizeof allow));
        fuzz_expect((code == ERROR_NONE) == (route != NULL));
        if (code == ERROR_METHOD_NOT_ALLOWED)
                fuzz_expect(allow[0]);
}

static void check_query(char *text) {
        _cleanup_free_ char *page = NULL;
        DeviceListing listing;
        Inventory inventory;
        JsonFaults faults = {};
        HttpQuery query;
        bool flag;

        inventory_init(&inventory, 1);
        http_query_init(&query, &faults);
        http_query_parse(&query, text);
        http_device_listing_decode(&query, 7, DEVICE_LISTING_DEFAULT, &listing);
        (void) http_query_take_bool(&query, "dry_run", &flag);
        http_query_end(&query);
        if (faults.n == 0) {
                page = http_device_listing_page(&listing, &inventory);
                fuzz_expect(page && listing.limit >= 1 && listing.limit <= DEVICE_LISTING_MAX);
        }
        inventory_done(&inventory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        _cleanup_free_ char *text = fuzz_take_text(&in), *copy = strdup(text);
        char *rest = text, *method = strsep(&rest, " "), *path = strsep(&rest, "?");

        if (path)
                check_route(method, path);
        if (rest)
                check_query(rest);
        fuzz_expect(copy && url_unescape(copy) <= strlen(text) + size);
        return 0;
}
