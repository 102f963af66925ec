/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The REST front end: libmicrohttpd on the daemon's event loop, without a thread of its own.
 *
 * To stop without leaving a client alone: http_server_quiesce(), then lifecycle_stop(), which ends the verbs, then
 * http_server_drain(), which sends the answers, then http_server_free(). */

#include <systemd/sd-event.h>

#include "lifecycle/lifecycle.h"

typedef struct HttpServer HttpServer;

typedef struct HttpConfig {
        size_t max_body_bytes;    /* of a request; a larger one is refused */
        size_t max_batch_bytes;   /* the same for batches */
        unsigned max_connections; /* of each listening socket; see http/connection.h */
        unsigned max_connections_per_user;
        unsigned request_timeout_sec; /* for a request to come in once it has begun, and for its answer to be taken
                                       */
        unsigned idle_timeout_sec;    /* after which a silent connection is closed; not while a verb is under way */
} HttpConfig;

#define HTTP_CONFIG_DEFAULT                                                                                        \
        ((HttpConfig){ .max_body_bytes = 1024 * 1024,                                                              \
                       .max_batch_bytes = 16 * 1024 * 1024,                                                        \
                       .max_connections = 1024,                                                                    \
                       .idle_timeout_sec = 30,                                                                     \
                       .max_connections_per_user = 512,                                                            \
                       .request_timeout_sec = 20 })

/* event is referenced, config copied; l must outlive the server. Returns 0, or a negative errno. */
int http_server_new(sd_event *event, Lifecycle *l, const HttpConfig *config, HttpServer **ret);

/* Serves the clients of fd: a bound, listening stream socket, Unix or TCP. On TCP only requests that name this
 * machine as their Host are answered (see host_is_loopback()). Returns 0 and takes fd over, or a negative errno. */
int http_server_listen(HttpServer *s, int fd);

/* Changes limits from now on; but the numbers of connections stay. */
void http_server_configure(HttpServer *s, const HttpConfig *config);

/* Closes the listening sockets. Requests under way, and those that still come on open connections, are answered;
 * each answer then closes its connection. */
void http_server_quiesce(HttpServer *s);

/* No request is under way or half here, and no client has just connected and not yet asked. */
bool http_server_is_quiet(const HttpServer *s);

/* Waits at most timeout_usec until every request that has arrived whole has its answer sent. Returns true if so.
 * Not from inside a handler of the event loop; the loop may have ended. */
bool http_server_drain(HttpServer *s, uint64_t timeout_usec);

/* Answers each request under way with why it ends here, and sends that within timeout_usec. Afterwards the process
 * must be left: verbs that are under way must not come to their end. */
void http_server_abandon(HttpServer *s, uint64_t timeout_usec);

/* Drops all connections. A verb that is still under way may end later; its answer goes nowhere then. */
HttpServer *http_server_free(HttpServer *s);
DEFINE_CLEANUP(HttpServer *, http_server_free)
