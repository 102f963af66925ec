/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What probes ask: is the process alive, and would it take work. */
#include <errno.h>

#include "http/handlers.h"
#include "http/reply.h"

void http_health_get(HttpRequest *r, HttpInput *in) {
        if (http_input_end(in, r))
                http_reply_json(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"), NULL);
}

void http_ready_get(HttpRequest *r, HttpInput *in) {
        Failure f;

        if (!http_input_end(in, r))
                return;
        if (lifecycle_is_ready(r->context->lifecycle)) {
                http_reply_json(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ready"), NULL);
                return;
        }

        (void) failure_set(&f, r->context->closing ? ERROR_SHUTTING_DOWN : ERROR_BACKEND_UNAVAILABLE, EAGAIN,
                           r->context->closing ? "The daemon is stopping" : "The daemon is still starting");
        http_reply_failure(r, &f, NULL);
}
