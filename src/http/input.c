/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "http/header.h"
#include "http/reply.h"
#include "inventory/spec-json.h"

const char *http_input_name(HttpInput *in, const HttpRequest *r) {
        JsonDecoder d;

        if (device_name_is_valid(r->param))
                return r->param;

        json_decoder_init(&d, &in->faults);
        json_fault_name(&d, DEVICE_NAME_MAX);
        return NULL;
}

const char *http_input_pool(HttpInput *in, const HttpRequest *r) {
        JsonDecoder d;

        if (pool_name_is_valid(r->param))
                return r->param;

        json_decoder_init(&d, &in->faults);
        json_fault_name(&d, POOL_NAME_MAX);
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

/* Adds a fault of a header field. */
static void fault_in_header(HttpInput *in, const char *field, const char *code, const char *detail) {
        JsonDecoder document, d;

        json_decoder_init(&document, &in->faults);
        json_decoder_enter(&d, &document, "header");
        json_fault(&d, field, code, "%s", detail);
}

static void take_if_match(HttpInput *in, const HttpRequest *r, Precondition *p) {
        const char *value = http_request_header(r, MHD_HTTP_HEADER_IF_MATCH);
        bool any;

        if (!value)
                return;
        if (if_match_parse(value, &any, &p->revision) < 0)
                fault_in_header(in, MHD_HTTP_HEADER_IF_MATCH, "bad-etag", "must be one revision in quotes, or *");
        else {
                p->has_revision = !any;
                p->must_exist = true;
        }
}

static void take_if_none_match(HttpInput *in, const HttpRequest *r, Precondition *p) {
        const char *value = http_request_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);

        if (!value)
                return;
        if (strcmp(value, "*") != 0)
                fault_in_header(in, MHD_HTTP_HEADER_IF_NONE_MATCH, "bad-etag", "must be *");
        p->must_not_exist = true;
}

bool http_input_prefers_minimal(const HttpRequest *r) {
        return list_names(http_request_header(r, MHD_HTTP_HEADER_PREFER), "return=minimal");
}

void http_input_precondition(HttpInput *in, const HttpRequest *r, Precondition *p) {
        take_if_match(in, r, p);
        take_if_none_match(in, r, p);
}

void http_input_device_precondition(HttpInput *in, const HttpRequest *r, Precondition *p) {
        const char *uid;
        int64_t n;

        http_input_precondition(in, r, p);
        if (http_query_take_string(&in->query, "uid", &uid)) {
                if (uid_parse(uid, p->uid) < 0)
                        http_query_fault(&in->query, "uid", "bad-uid", "must be a UUID");
        }
        p->has_generation = http_query_take_integer(&in->query, "generation", 1, UINT32_MAX, &n);
        if (p->has_generation)
                p->generation = (uint32_t) n;
}

/* Who asks, where that is known: a key is not another user's to use. */
static void add_caller(Digest *d, const HttpRequest *r) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection,
                                                                       MHD_CONNECTION_INFO_CONNECTION_FD);
        struct ucred peer;
        socklen_t size = sizeof peer;
        char text[32];

        if (r->origin->is_tcp || !info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
                digest_add_text(d, NULL);
                return;
        }
        (void) snprintf(text, sizeof text, "%lu", (unsigned long) peer.uid);
        digest_add_text(d, text);
}

static int digest_request(const HttpInput *in, const HttpRequest *r, char ret[static DIGEST_MAX]) {
        Digest d;

        digest_init(&d);
        add_caller(&d, r);
        digest_add_text(&d, r->route->method);
        digest_add_text(&d, r->route->path);
        digest_add_text(&d, r->param);
        for (size_t i = 0; i < in->query.n; i++) {
                digest_add_text(&d, in->query.item[i].key);
                digest_add_text(&d, in->query.item[i].value);
        }
        digest_add_text(&d, http_request_header(r, MHD_HTTP_HEADER_IF_MATCH));
        digest_add_text(&d, http_request_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH));
        if (digest_add_json(&d, in->body) < 0)
                return -ENOMEM;
        digest_finish(&d, ret);
        return 0;
}

int http_input_key(HttpInput *in, const HttpRequest *r, IdempotencyKey *ret) {
        const char *value = http_request_header(r, HTTP_HEADER_IDEMPOTENCY_KEY);

        if (!value)
                return 0;
        if (idempotency_key_parse(value, ret) < 0) {
                fault_in_header(in, HTTP_HEADER_IDEMPOTENCY_KEY, "bad-key",
                                "must be 1 to 128 visible characters of ASCII");
                return 0;
        }
        return digest_request(in, r, ret->request);
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
