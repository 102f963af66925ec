/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/device-list.h"

#include <errno.h>
#include <string.h>

#include "inventory/device-json.h"

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

static int write_device(void *userdata, const Device *device) {
        JsonWriter *w = userdata;

        device_write(w, NULL, device);
        return w->has_failed ? -ENOMEM : 0;
}

char *http_device_listing_page(const DeviceListing *l, Inventory *inventory) {
        _cleanup_json_writer_ JsonWriter w = {};
        char token[LISTING_TOKEN_MAX] = "";

        json_write_open(&w, NULL, '{');
        json_write_open(&w, "items", '[');
        if (device_listing_page(l, inventory, write_device, &w, token) < 0)
                return NULL;
        json_write_close(&w, ']');
        if (token[0])
                json_write_string(&w, "continue", token);
        json_write_integer(&w, "revision", (int64_t) l->revision);
        json_write_close(&w, '}');
        return json_writer_take(&w);
}
