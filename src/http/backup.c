/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The whole inventory, to whoever may have it. It goes out over the connection, so that nobody can make the daemon
 * write to a path of theirs; and how fast they take it holds up no one. */
#include <errno.h>
#include <string.h>

#include "http/handlers.h"
#include "http/reply.h"

static void on_backup(void *userdata, StoreImage *image, const Failure *failure) {
        HttpRequest *r = userdata;

        if (image)
                http_reply_image(r, image);
        else
                http_reply_failure(r, failure, NULL);
        http_request_unref(r);
}

void http_backup_get(HttpRequest *r, HttpInput *in) {
        Failure f;
        int k;

        if (!http_input_end(in, r))
                return;
        k = lifecycle_backup(r->context->lifecycle, on_backup, http_request_ref(r));
        if (k == 0)
                return;

        if (k == -EAGAIN)
                (void) failure_set(&f, ERROR_OVERLOADED, EAGAIN, "Other backups are under way");
        else
                (void) failure_set(&f, ERROR_OUT_OF_MEMORY, k, "Cannot make a backup: %s", strerror(-k));
        http_reply_failure(r, &f, NULL);
        http_request_unref(r);
}
