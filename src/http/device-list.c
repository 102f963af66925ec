/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/device-list.h"

#include <string.h>

static void take_label(HttpQuery *q, DeviceListing *l, const char *text) {
        const char *equals = strchr(text, '=');
        FilterFault fault;

        if (!equals || equals == text)
                http_query_fault(q, "label", "bad-label", "must be KEY=VALUE");
        else if (device_listing_filter_label(l, text, (size_t) (equals - text), equals + 1, &fault) < 0)
                http_query_fault(q, "label", fault.code, fault.detail);
}

void http_device_listing_decode(HttpQuery *q, uint64_t now_revision, DeviceListing *ret) {
        const char *value;

        device_listing_init(ret, now_revision);
        (void) http_query_take_integer(q, "limit", 1, DEVICE_LISTING_MAX, &ret->limit);
        for (const char *const *name = device_listing_filters; *name; name++) {
                FilterFault fault;

                if (http_query_take_string(q, *name, &value) &&
                    device_listing_filter(ret, *name, value, &fault) < 0)
                        http_query_fault(q, *name, fault.code, fault.detail);
        }
        while (http_query_take_next(q, "label", &value))
                take_label(q, ret, value);
}

json_t *http_device_listing_page(const DeviceListing *l, Inventory *inventory) {
        char token[LISTING_TOKEN_MAX];
        json_t *items = device_listing_page(l, inventory, token);

        return json_pack("{s:o, s:s*, s:I}", "items", items, "continue", token[0] ? token : NULL, "revision",
                         (json_int_t) l->revision);
}
