/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request, from its header to its answer.
 *
 * The handler of its route is called when the whole body is there. It answers (http/reply.h), or starts a verb
 * with http_request_ref() as userdata; the connection is suspended meanwhile, and the verb's done() answers and
 * calls http_request_unref(). So a request lives until both the connection and the verb are through with it, and
 * is answered exactly once. */

#include <microhttpd.h>
#include <sys/queue.h>

#include "http/connection.h"
#include "http/counters.h"
#include "http/events.h"
#include "http/router.h"
#include "http/server.h"
#include "inventory/error.h"
#include "util/log.h"

TAILQ_HEAD(HttpRequestList, HttpRequest);

/* What all requests of a server share. */
typedef struct HttpContext {
        Lifecycle *lifecycle;
        HttpConfig config;
        HttpEvents *events;
        bool closing;                       /* each answer closes its connection */
        struct MHD_Response *out_of_memory; /* the answer that needs no memory */
        struct HttpRequestList requests;    /* with a connection */
        size_t n_fresh;                     /* connections whose first request has not begun to come */
        size_t n_body_bytes;                /* of bodies that are gathered, but for the small ones */
        size_t n_answer_bytes;              /* of answers that are not sent yet, but for the small ones */
        HttpCounters counters;
} HttpContext;

/* Where requests come from: the closure of libmicrohttpd's callbacks. */
typedef struct HttpOrigin {
        HttpContext *context;
        HttpConnections connections;
        sd_event_source *again; /* when enabled, runs the library at the loop's next turn */
        bool is_tcp;
        unsigned idle_timeout_sec; /* that the library gives each connection */
} HttpOrigin;

struct HttpRequest {
        TAILQ_ENTRY(HttpRequest) entry;
        unsigned n_ref;

        HttpContext *context;              /* weak; valid while connection is */
        HttpOrigin *origin;                /* weak; likewise */
        struct MHD_Connection *connection; /* weak; NULL when it is through */
        bool has_begun;                    /* the header is there */
        bool suspended;

        const HttpRoute *route;
        uint64_t begun_usec;         /* monotonic: when the header was there */
        char id[LOG_REQUEST_ID_MAX]; /* the client's X-Request-ID, or one of ours */
        char param[HTTP_PARAM_MAX];  /* the route's path parameter, or "" */

        Failure refusal; /* code != ERROR_NONE: what is wrong with the header, or the size */
        char allow[HTTP_ALLOW_MAX];

        char *query; /* of the target, as it came; NULL: there is none */
        char *body;
        size_t body_size, body_capacity;
        size_t n_answer_bytes; /* of its answer that count for all */
        bool is_stream;
        bool is_minimal;     /* the client wants no more than what is new to it, and gets that */
        uint64_t n_received; /* bytes of body, kept or not */

        unsigned status;               /* of the answer; 0: there is none yet */
        struct MHD_Response *response; /* owned; NULL: the one that needs no memory */
        bool is_cut;                   /* of a stream: it ends before its end */
};

HttpRequest *http_request_ref(HttpRequest *r);
HttpRequest *http_request_unref(HttpRequest *r);
DEFINE_CLEANUP(HttpRequest *, http_request_unref)

#define HTTP_HEADER_IDEMPOTENCY_KEY "Idempotency-Key"

/* The value of a header field, or NULL. Only while the handler runs. */
const char *http_request_header(const HttpRequest *r, const char *field);

/* The bytes that its body may have, by its route. */
size_t http_request_max_body(const HttpRequest *r);

/* Gives the request its answer; for http/reply.c. response is taken over; NULL: there was no memory for it. */
void http_request_answer(HttpRequest *r, unsigned status, struct MHD_Response *response);

/* Whether there is memory for an answer of that size beside those that are not sent yet; then it counts as one. */
bool http_request_reserve_answer(HttpRequest *r, size_t size);

/* For http/stream.c: nothing is to be sent until it is woken; and something may be to be sent. */
void http_request_suspend(HttpRequest *r);
void http_request_wake(HttpRequest *r);

/* MHD_NotifyConnectionCallback. */
void http_request_on_connection(void *origin, struct MHD_Connection *connection, void **socket_context,
                                enum MHD_ConnectionNotificationCode toe);

/* The callback of MHD_OPTION_URI_LOG_CALLBACK, MHD_AccessHandlerCallback and MHD_RequestCompletedCallback; origin
 * is a HttpOrigin. */
void *http_request_on_target(void *origin, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_request_on_access(void *origin, struct MHD_Connection *connection, const char *url,
                                       const char *method, const char *version, const char *upload_data,
                                       size_t *upload_data_size, void **con_cls);
void http_request_on_completed(void *origin, struct MHD_Connection *connection, void **con_cls,
                               enum MHD_RequestTerminationCode toe);
