/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is wrong with a request that its header alone shows. */
#include "http/refusal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/header.h"

typedef struct Header {
        HttpRequest *request;
        bool is_tcp;
        const char *method;
        const char *path;
        bool has_body;
        bool is_ambiguous; /* nobody knows where the body ends */
        uint64_t length;   /* by Content-Length, or 0 */
} Header;

typedef struct Count {
        const char *field;
        unsigned n;
} Count;

static enum MHD_Result count_one(void *count, enum MHD_ValueKind kind, const char *key, const char *value) {
        Count *c = count;

        if (strcasecmp(key, c->field) == 0)
                c->n++;
        return MHD_YES;
}

/* How often the field is there. */
static unsigned count_field(const HttpRequest *r, const char *field) {
        Count count = { .field = field };

        (void) MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count_one, &count);
        return count.n;
}

static int refuse(Header *h, ErrorCode code, const char *detail) {
        return failure_set(&h->request->refusal, code, EINVAL, "%s", detail);
}

/* How long the body is must be beyond doubt: others who read the same bytes have to come to the same end. The
 * library has checked that a Content-Length is a number. */
static int check_framing(Header *h) {
        const HttpRequest *r = h->request;
        const char *encoding = http_request_header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING);
        const char *length = http_request_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);

        h->length = length ? strtoull(length, NULL, 10) : 0;
        h->has_body = encoding || h->length > 0;
        h->is_ambiguous = true;
        if (encoding && strcasecmp(encoding, "chunked") != 0)
                return refuse(h, ERROR_NOT_IMPLEMENTED, "Of transfer encodings, only chunked is understood");
        if (count_field(r, MHD_HTTP_HEADER_CONTENT_LENGTH) + count_field(r, MHD_HTTP_HEADER_TRANSFER_ENCODING) > 1)
                return refuse(h, ERROR_INVALID_REQUEST, "The header gives the length of the body twice");
        h->is_ambiguous = false;
        return 0;
}

static int check_host(Header *h) {
        const char *host = http_request_header(h->request, MHD_HTTP_HEADER_HOST);

        if (!h->is_tcp)
                return 0;
        if (count_field(h->request, MHD_HTTP_HEADER_HOST) != 1 || !host || !host_is_loopback(host))
                return refuse(h, ERROR_FORBIDDEN, "Over TCP, the Host must be localhost, 127.0.0.0/8 or [::1]");
        return 0;
}

static int check_route(Header *h) {
        HttpRequest *r = h->request;
        ErrorCode code = http_router_find(h->method, h->path, &r->route, r->param, r->allow);

        if (code == ERROR_METHOD_NOT_ALLOWED)
                return failure_set(&r->refusal, code, EINVAL, "The path has %s", r->allow);
        if (code != ERROR_NONE)
                return failure_set(&r->refusal, code, ENOENT, "There is no %.256s", h->path);
        return 0;
}

/* Fields that ask for something which would have to be done, or not done, must not be passed over. */
static int check_fields(Header *h) {
        static const struct {
                const char *name;
                unsigned flag; /* of routes that do it */
        } fields[] = {
                { HTTP_HEADER_IDEMPOTENCY_KEY, HTTP_ROUTE_KEY },
                { MHD_HTTP_HEADER_IF_NONE_MATCH, HTTP_ROUTE_CREATES },
                { MHD_HTTP_HEADER_IF_MATCH, HTTP_ROUTE_IF_MATCH },
                { MHD_HTTP_HEADER_IF_UNMODIFIED_SINCE, 0 },
        };
        const HttpRequest *r = h->request;

        if (strcmp(r->route->method, "GET") == 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                unsigned n = count_field(r, fields[i].name);

                if (n > 0 && !(r->route->flags & fields[i].flag))
                        return failure_set(&h->request->refusal, ERROR_NOT_IMPLEMENTED, EOPNOTSUPP,
                                           "%s is not implemented for this request", fields[i].name);
                if (n > 1)
                        return failure_set(&h->request->refusal, ERROR_INVALID_REQUEST, EINVAL,
                                           "The header has %s more than once", fields[i].name);
        }
        return 0;
}

static int check_type(Header *h) {
        const HttpRequest *r = h->request;
        const char *type = http_request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
        const char *coding = http_request_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING);

        if (!h->has_body)
                return 0;
        if (!(r->route->flags & HTTP_ROUTE_BODY))
                return refuse(h, ERROR_INVALID_REQUEST, "This request takes no body");
        if (coding && strcasecmp(coding, "identity") != 0)
                return refuse(h, ERROR_UNSUPPORTED_MEDIA_TYPE, "The body must not have a content encoding");
        if (type && media_type_is(type, "application/json"))
                return 0;
        if (type && r->route->flags & HTTP_ROUTE_MERGE_PATCH && media_type_is(type, "application/merge-patch+json"))
                return 0;
        return refuse(h, ERROR_UNSUPPORTED_MEDIA_TYPE,
                      type ? "The Content-Type is not application/json" : "There is no Content-Type");
}

static int check_length(Header *h) {
        size_t max = http_request_max_body(h->request);

        if (h->length > max)
                return failure_set(&h->request->refusal, ERROR_BODY_TOO_LARGE, EFBIG,
                                   "A body may have %zu bytes at the most", max);
        return 0;
}

bool http_refuse(HttpRequest *r, bool is_tcp, const char *method, const char *url, uint64_t discard_max) {
        static int (*const checks[])(Header * h) = {
                check_framing, check_host, check_route, check_fields, check_type, check_length,
        };
        Header h = { .request = r, .is_tcp = is_tcp, .method = method, .path = url };

        for (size_t i = 0; i < ELEMENTSOF(checks) && r->refusal.code == ERROR_NONE; i++)
                (void) checks[i](&h);

        if (r->refusal.code == ERROR_NONE)
                return false;
        return h.is_ambiguous || h.length > http_request_max_body(r) + discard_max ||
               (h.has_body && http_request_header(r, MHD_HTTP_HEADER_EXPECT));
}
