/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "http/handlers.h"
#include "http/reply.h"
#include "lifecycle/drift-listing.h"
#include "lifecycle/repair-batch.h"

/* A listing that waits until the host was looked at. */
typedef struct PendingListing {
        HttpRequest *request; /* a reference */
        Lifecycle *lifecycle; /* weak: it answers, so it is there */
        DriftListing listing;
} PendingListing;

static void take_kinds(HttpQuery *q, DriftListing *listing) {
        const char *text;
        DriftKind kind;

        while (http_query_take_next(q, "kind", &text))
                if (drift_kind_parse(text, &kind) < 0)
                        http_query_fault(q, "kind", "unknown-kind", "must be missing, extra, changed or foreign");
                else
                        listing->kinds |= 1u << kind;
}

static void take_listing(HttpQuery *q, DriftListing *ret) {
        const char *text;

        *ret = (DriftListing){ .limit = DRIFT_LISTING_DEFAULT };
        (void) http_query_take_integer(q, "limit", 1, DRIFT_LISTING_MAX, &ret->limit);
        take_kinds(q, ret);
        if (http_query_take_string(q, "mgmtdev", &text)) {
                if (handle_is_valid(text))
                        strcpy(ret->mgmtdev, text);
                else
                        http_query_fault(q, "mgmtdev", "bad-handle", "must be \"bus/device\" or \"device\"");
        }
        if (http_query_take_string(q, "continue", &text) && drift_listing_continue(ret, text) < 0)
                http_query_fault(q, "continue", "bad-token", "must be what the page before has");
}

static void on_refreshed(void *userdata, const Outcome *outcome) {
        _cleanup_free_ PendingListing *p = userdata;
        _cleanup_(http_request_unrefp) HttpRequest *r = p->request;

        if (outcome->failure.code != ERROR_NONE)
                http_reply_refusal(r, outcome);
        else
                http_reply_tree(r, MHD_HTTP_OK, drift_listing_page(&p->listing, p->lifecycle), NULL);
}

void http_drift_list(HttpRequest *r, HttpInput *in) {
        Lifecycle *l = r->context->lifecycle;
        DriftListing listing;
        PendingListing *p;
        bool refresh = false;

        take_listing(&in->query, &listing);
        (void) http_query_take_bool(&in->query, "refresh", &refresh);
        if (!http_input_end(in, r))
                return;
        if (!refresh) {
                http_reply_tree(r, MHD_HTTP_OK, drift_listing_page(&listing, l), NULL);
                return;
        }

        p = malloc(sizeof *p);
        if (!p) {
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return;
        }
        *p = (PendingListing){ .request = http_request_ref(r), .lifecycle = l, .listing = listing };
        lifecycle_refresh(l, on_refreshed, p);
}

static void on_repaired(void *request, json_t *report) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;

        http_reply_tree(r, MHD_HTTP_OK, json_incref(report), NULL);
}

void http_drift_repair(HttpRequest *r, HttpInput *in) {
        RepairRequest request = {};
        JsonDecoder d;

        json_decoder_init(&d, &in->faults);
        (void) http_query_take_bool(&in->query, "dry_run", &request.is_plan);
        repair_request_decode(&d, in->body, &request);
        json_end(&d, in->body);
        if (http_input_end(in, r))
                lifecycle_repair_drift(r->context->lifecycle, &request, on_repaired, http_request_ref(r));
}
