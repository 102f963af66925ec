/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What probes ask: is the process alive, and would it take work. */
#include <errno.h>

#include "http/handlers.h"
#include "http/reply.h"
#include "lifecycle/stuck.h"

void http_health_get(HttpRequest *r, HttpInput *in) {
        if (http_input_end(in, r))
                http_reply_tree(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"), NULL);
}

/* Ready is who has started, has a host that can be used and a disk that takes changes, now. */
void http_ready_get(HttpRequest *r, HttpInput *in) {
        Lifecycle *lifecycle = r->context->lifecycle;
        const BackendHost *host = lifecycle_host(lifecycle);
        bool is_stuck;
        char text[STUCK_TEXT_MAX];
        Stuck stuck;
        const StoreTrouble *trouble = lifecycle_trouble(lifecycle);
        Failure f;

        if (!http_input_end(in, r))
                return;
        is_stuck = lifecycle_get_stuck(lifecycle, &stuck);
        if (lifecycle_is_ready(lifecycle) && host->available && !trouble && !is_stuck) {
                http_reply_tree(r, MHD_HTTP_OK, json_pack("{s:s}", "status", "ready"), NULL);
                return;
        }

        if (r->context->closing)
                (void) failure_set(&f, ERROR_SHUTTING_DOWN, EAGAIN, "The daemon is stopping");
        else if (trouble)
                f = trouble->failure;
        else if (is_stuck)
                (void) failure_set(&f, ERROR_BACKEND_UNAVAILABLE, EAGAIN, "%s", stuck_format(&stuck, text));
        else
                (void) failure_set(&f, ERROR_BACKEND_UNAVAILABLE, EAGAIN, "%s",
                                   host->reason[0] ? host->reason : "The daemon is still starting");
        http_reply_failure(r, &f, NULL);
}
