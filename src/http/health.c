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

/* Ready is who has started and has a host that can be used, now. */
void http_ready_get(HttpRequest *r, HttpInput *in) {
        const Lifecycle *lifecycle = r->context->lifecycle;
        const BackendHost *host = lifecycle_host(lifecycle);
        Failure f;

        if (!http_input_end(in, r))
                return;
        if (lifecycle_is_ready(lifecycle) && host->available) {
                http_reply_json(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ready"), NULL);
                return;
        }

        if (r->context->closing)
                (void) failure_set(&f, ERROR_SHUTTING_DOWN, EAGAIN, "The daemon is stopping");
        else
                (void) failure_set(&f, ERROR_BACKEND_UNAVAILABLE, EAGAIN, "%s",
                                   host->reason[0] ? host->reason : "The daemon is still starting");
        http_reply_failure(r, &f, NULL);
}
