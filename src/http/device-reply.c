/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/device-reply.h"

#include <stdio.h>

#include "http/header.h"
#include "http/reply.h"
#include "inventory/device-json.h"

#define LOCATION_MAX (DEVICE_NAME_MAX + 16)

void http_device_on_changed(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;
        char etag[ETAG_MAX], location[LOCATION_MAX];
        HttpField fields[5] = {};
        size_t n = 0;

        if (outcome->failure.code != ERROR_NONE) {
                http_reply_refusal(r, outcome);
                return;
        }

        fields[n++] = (HttpField){ MHD_HTTP_HEADER_ETAG, etag_format(outcome->device->revision, etag) };
        if (outcome->created) {
                (void) snprintf(location, sizeof location, "/v1/devices/%s", outcome->device->name);
                fields[n++] = (HttpField){ MHD_HTTP_HEADER_LOCATION, location };
        }
        if (outcome->replayed)
                fields[n++] = http_replayed;
        if (r->is_minimal) {
                fields[n++] = http_minimal;
                http_reply_empty(r, outcome->created ? MHD_HTTP_CREATED : MHD_HTTP_OK, fields);
        } else
                http_reply_json(r, outcome->created ? MHD_HTTP_CREATED : MHD_HTTP_OK,
                                device_format(outcome->device), fields);
}

void http_device_on_deleted(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;

        if (outcome->failure.code != ERROR_NONE)
                http_reply_refusal(r, outcome);
        else
                http_reply_empty(r, MHD_HTTP_NO_CONTENT,
                                 outcome->replayed ? (const HttpField[]){ http_replayed, {} } : NULL);
}
