/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/input.h"

#include "http/header.h"
#include "http/reply.h"

const char *http_input_name(HttpInput *in, const HttpRequest *r) {
        JsonDecoder d;

        if (device_name_is_valid(r->param))
                return r->param;

        json_decoder_init(&d, &in->faults);
        json_fault(&d, "name", "bad-name",
                   "must be 1 to %d of a-z, 0-9, '.', '_' and '-', with a letter or digit at both ends",
                   DEVICE_NAME_MAX - 1);
        return NULL;
}

const char *http_input_handle(HttpInput *in, const HttpRequest *r) {
        JsonDecoder d;

        if (handle_is_valid(r->param))
                return r->param;

        json_decoder_init(&d, &in->faults);
        json_fault(&d, "handle", "bad-handle", "must be \"bus/device\" or \"device\"");
        return NULL;
}

void http_input_precondition(HttpInput *in, const HttpRequest *r, Precondition *p) {
        const char *value = http_request_header(r, MHD_HTTP_HEADER_IF_MATCH);
        JsonDecoder document, d;
        bool any;

        if (!value)
                return;

        if (if_match_parse(value, &any, &p->revision) < 0) {
                json_decoder_init(&document, &in->faults);
                json_decoder_enter(&d, &document, "header");
                json_fault(&d, MHD_HTTP_HEADER_IF_MATCH, "bad-etag", "must be one revision in quotes, or *");
        } else
                p->has_revision = !any;
}

bool http_input_end(HttpInput *in, HttpRequest *r) {
        Failure f;

        http_query_end(&in->query);
        if (in->faults.n == 0)
                return true;

        (void) failure_set_faults(&f, &in->faults);
        http_reply_failure(r, &f, &in->faults);
        return false;
}
