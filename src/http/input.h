/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the handler of a request decodes. All that it finds wrong it adds to the faults, and asks http_input_end()
 * once before it acts, so that the client is told everything at a time.
 *
 * Pointers: into the body as RFC 6901 has it ("/spec/net/mac"); "/name" or "/handle" for the path's parameter;
 * "/query/PARAMETER"; "/header/FIELD". */

#include "http/query.h"
#include "http/request.h"

/* Gone when the handler returns, with all that is borrowed from it. */
struct HttpInput {
        JsonFaults faults;
        HttpQuery query;
        json_t *body; /* owned; an object if the route takes one, else NULL */
};

/* Reads the path parameter as the name of a device, of a pool, or as the handle of a management device. Borrowed
 * from r; NULL, with a fault, if it is none. */
const char *http_input_name(HttpInput *in, const HttpRequest *r);
const char *http_input_pool(HttpInput *in, const HttpRequest *r);
const char *http_input_handle(HttpInput *in, const HttpRequest *r);

/* Reads If-Match and If-None-Match, if they are there, into p; of devices, also what is in the query. */
void http_input_precondition(HttpInput *in, const HttpRequest *r, Precondition *p);
void http_input_device_precondition(HttpInput *in, const HttpRequest *r, Precondition *p);

/* True if the client is content with what is new to it ("Prefer: return=minimal", RFC 7240). */
bool http_input_prefers_minimal(const HttpRequest *r);

/* Reads the idempotency key, if there is one, and takes the digest of the request. Returns 0, or -ENOMEM. */
int http_input_key(HttpInput *in, const HttpRequest *r, IdempotencyKey *ret);

/* True if nothing was found wrong. Else the request has been answered. */
bool http_input_end(HttpInput *in, HttpRequest *r);
