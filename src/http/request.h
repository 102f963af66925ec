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

#include "http/router.h"
#include "http/server.h"
#include "inventory/error.h"
#include "util/log.h"

TAILQ_HEAD(HttpRequestList, HttpRequest);

/* What all requests of a server share. */
typedef struct HttpContext {
        Lifecycle *lifecycle;
        HttpConfig config;
        bool closing;                       /* each answer closes its connection */
        struct MHD_Response *out_of_memory; /* the answer that needs no memory */
        struct HttpRequestList requests;    /* with a connection */
        size_t n_fresh;                     /* connections whose first request has not begun to come */
} HttpContext;

/* Where requests come from: the closure of libmicrohttpd's callbacks. */
typedef struct HttpOrigin {
        HttpContext *context;
        sd_event_source *again; /* when enabled, runs the library at the loop's next turn */
        bool is_tcp;
        unsigned idle_timeout_sec; /* that the library gives each connection */
} HttpOrigin;

struct HttpRequest {
        TAILQ_ENTRY(HttpRequest) entry;
        unsigned n_ref;

        HttpContext *context;              /* weak; valid while connection is */
        const HttpOrigin *origin;          /* weak; likewise */
        struct MHD_Connection *connection; /* weak; NULL when it is through */
        bool has_begun;                    /* the header is there */
        bool suspended;

        const HttpRoute *route;
        char id[LOG_REQUEST_ID_MAX]; /* the client's X-Request-ID, or one of ours */
        char param[HTTP_PARAM_MAX];  /* the route's path parameter, or "" */

        Failure refusal; /* code != ERROR_NONE: what is wrong with the header, or the size */
        char allow[HTTP_ALLOW_MAX];

        char *query; /* of the target, as it came; NULL: there is none */
        char *body;
        size_t body_size, body_capacity;
        uint64_t n_received; /* bytes of body, kept or not */

        unsigned status;               /* of the answer; 0: there is none yet */
        struct MHD_Response *response; /* owned; NULL: the one that needs no memory */
};

HttpRequest *http_request_ref(HttpRequest *r);
HttpRequest *http_request_unref(HttpRequest *r);
DEFINE_CLEANUP(HttpRequest *, http_request_unref)

/* The value of a header field, or NULL. Only while the handler runs. */
const char *http_request_header(const HttpRequest *r, const char *field);

/* Gives the request its answer; for http/reply.c. response is taken over; NULL: there was no memory for it. */
void http_request_answer(HttpRequest *r, unsigned status, struct MHD_Response *response);

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
