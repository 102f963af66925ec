/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/handlers.h"
#include "http/reply.h"
#include "lifecycle/host-json.h"

/* The limits that hold for REST only. */
static int add_limits(json_t *host, const HttpConfig *config) {
        _cleanup_json_ json_t *limits = NULL;

        /* clang-format off */
        limits = json_pack("{s:I, s:I}",
                           "max_body_bytes", (json_int_t) config->max_body_bytes,
                           "max_connections", (json_int_t) config->max_connections);
        /* clang-format on */
        return json_object_update(json_object_get(host, "limits"), limits);
}

void http_host_get(HttpRequest *r, HttpInput *in) {
        json_t *host;

        if (!http_input_end(in, r))
                return;

        host = host_encode(r->context->lifecycle);
        if (host && add_limits(host, &r->context->config) < 0)
                json_decref(TAKE_PTR(host));
        http_reply_json(r, MHD_HTTP_OK, host, NULL);
}
