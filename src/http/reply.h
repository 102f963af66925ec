/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The answers: JSON, problem+json (RFC 9457), nothing. Each function answers the request, once and for all; out of
 * memory, they answer that. */

#include "http/request.h"

#define HTTP_JSON_TYPE "application/json"

typedef struct HttpField {
        const char *name; /* NULL ends a list of fields */
        const char *value;
} HttpField;

/* Tells that the answer is one that was given before. */
extern const HttpField http_replayed;

/* Tells that the answer has no more than what is new to the client. */
extern const HttpField http_minimal;

/* text is JSON; it is taken over, and freed with free(). NULL: there was no memory for it. fields: further header
 * fields, or NULL. */
void http_reply_json(HttpRequest *r, unsigned status, char *text, const HttpField *fields);

/* The same of a tree. */
void http_reply_tree(HttpRequest *r, unsigned status, json_t *body, const HttpField *fields);

/* 200 with text (as above, of any type), compressed if the client takes that. Only from a handler: it looks at the
 * request's header. */
void http_reply_page(HttpRequest *r, const char *type, char *text);

/* True: the client has that revision already, and was answered so (304). Only from a handler, as above. */
bool http_reply_unchanged(HttpRequest *r, uint64_t revision);

/* 200 with text (as above) and its entity tag. */
void http_reply_revision(HttpRequest *r, uint64_t revision, char *text);

/* An answer without a body. */
void http_reply_empty(HttpRequest *r, unsigned status, const HttpField *fields);

/* Static text. */
void http_reply_text(HttpRequest *r, const char *type, const void *text, size_t size);

/* A copy of the database, which is taken over. */
void http_reply_image(HttpRequest *r, StoreImage *image);

/* faults: NULL if there are none. */
void http_reply_failure(HttpRequest *r, const Failure *failure, const JsonFaults *faults);

/* The same for a verb that has failed: with what it has found wrong, and the candidates that do not fit. */
void http_reply_refusal(HttpRequest *r, const Outcome *outcome);

/* The body of a failure, and of a verb that has failed: a new reference, or NULL. */
json_t *http_problem_encode(const Failure *failure, const JsonFaults *faults);
json_t *http_refusal_encode(const Outcome *outcome);
