/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "http/handlers.h"
#include "http/header.h"
#include "http/reply.h"
#include "inventory/budget.h"
#include "inventory/mgmtdev-json.h"
#include "util/clock.h"

void http_mgmtdev_list(HttpRequest *r, HttpInput *in) {
        Inventory *inventory = lifecycle_inventory(r->context->lifecycle);
        uint64_t now = clock_monotonic_usec();
        json_t *items;

        if (!http_input_end(in, r))
                return;

        items = json_array();
        for (Mgmtdev *m = inventory_first_mgmtdev(inventory); m; m = inventory_next_mgmtdev(m)) {
                mgmtdev_note_numbers(inventory, m, now);
                if (json_array_append_new(items, mgmtdev_encode(m, now)) < 0) {
                        json_decref(TAKE_PTR(items));
                        break;
                }
        }
        http_reply_tree(r, MHD_HTTP_OK, json_pack("{s:o}", "items", items), NULL);
}

void http_mgmtdev_get(HttpRequest *r, HttpInput *in) {
        Inventory *inventory = lifecycle_inventory(r->context->lifecycle);
        const char *handle = http_input_handle(in, r);
        uint64_t now = clock_monotonic_usec();
        Mgmtdev *mgmtdev;
        Failure f;

        if (!http_input_end(in, r))
                return;

        mgmtdev = inventory_find_mgmtdev(inventory, handle);
        if (!mgmtdev) {
                (void) failure_set(&f, ERROR_MGMTDEV_NOT_FOUND, ENOENT, "There is no management device %s", handle);
                http_reply_failure(r, &f, NULL);
                return;
        }
        mgmtdev_note_numbers(inventory, mgmtdev, now);
        if (!http_reply_unchanged(r, mgmtdev->revision))
                http_reply_revision(r, mgmtdev->revision, json_text_of(mgmtdev_encode(mgmtdev, now)));
}

static void on_changed(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;
        const Mgmtdev *m = outcome->mgmtdev;
        char etag[ETAG_MAX];
        HttpField fields[3] = { { MHD_HTTP_HEADER_ETAG, etag } };

        if (outcome->failure.code != ERROR_NONE) {
                http_reply_refusal(r, outcome);
                return;
        }
        (void) etag_format(m->revision, etag);
        if (outcome->replayed)
                fields[1] = http_replayed;
        http_reply_tree(r, MHD_HTTP_OK, mgmtdev_encode(m, clock_monotonic_usec()), fields);
}

void http_mgmtdev_patch(HttpRequest *r, HttpInput *in) {
        const char *handle = http_input_handle(in, r);
        Precondition precondition = {};

        http_input_precondition(in, r, &precondition);
        if (http_input_key(in, r, &precondition.key) < 0)
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
        else if (http_input_end(in, r))
                lifecycle_update_mgmtdev(r->context->lifecycle, handle, &precondition, in->body, on_changed,
                                         http_request_ref(r));
}
