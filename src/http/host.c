/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/body.h"
#include "http/handlers.h"
#include "http/reply.h"
#include "lifecycle/batch.h"
#include "lifecycle/host-json.h"

/* The limits that hold for REST only. */
static int add_limits(json_t *host, const HttpConfig *config) {
        _cleanup_json_ json_t *limits = NULL;

        /* clang-format off */
        limits = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i}",
                           "max_body_bytes", (json_int_t) config->max_body_bytes,
                           "max_batch_bytes", (json_int_t) config->max_batch_bytes,
                           "max_batch_items", (json_int_t) BATCH_ITEMS_MAX,
                           "max_connections", (json_int_t) config->max_connections,
                           "max_connections_per_user", (json_int_t) config->max_connections_per_user,
                           "idle_timeout_sec", (json_int_t) config->idle_timeout_sec,
                           "request_timeout_sec", (json_int_t) config->request_timeout_sec,
                           "max_json_depth", HTTP_BODY_DEPTH_MAX,
                           "max_json_values", HTTP_BODY_VALUES_MAX);
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
        http_reply_tree(r, MHD_HTTP_OK, host, NULL);
}
