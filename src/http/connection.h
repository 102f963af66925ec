/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The connections of one listening socket: whose they are, and for how long their clients have been owing us
 * something.
 *
 * The library closes a connection on which nothing moves. That is not enough: a byte now and then is a move, and
 * who opens all connections that there are keeps everyone else out by just not using them. So a request has a time
 * to come in and its answer one to be taken, however busy the client looks; and when there are about to be no more
 * connections, or when one user is about to have too many, the one whose client has been owing us the rest of a
 * request, or the next one, for the longest time is closed for the new one. A client that asks when it connects is
 * always served.
 *
 * What is closed here is shut down only: the library finds that out by itself. */

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

typedef enum HttpPhase {
        HTTP_IDLE,      /* no request has begun to come since it was opened, or since the last answer */
        HTTP_RECEIVING, /* one has, and it is not there whole */
        HTTP_WORKING,   /* ours to do something; or a stream, which lasts as long as its client likes */
        HTTP_SENDING,   /* its answer is the client's to take */
        _HTTP_PHASE_MAX,
} HttpPhase;

typedef struct HttpCaller HttpCaller;

typedef struct HttpConnection {
        TAILQ_ENTRY(HttpConnection) entry; /* in order of since_usec */
        HttpPhase phase;
        uint64_t since_usec;
        int fd;             /* the library's */
        HttpCaller *caller; /* NULL: out of memory, so it is nobody's */
        bool is_shut;
        bool is_fresh; /* its first request has not begun to come */
} HttpConnection;

TAILQ_HEAD(HttpConnectionList, HttpConnection);

/* A user: of a Unix socket one is told from the other; all clients of a TCP socket are one. */
struct HttpCaller {
        LIST_ENTRY(HttpCaller) entry;
        uid_t uid;
        unsigned n_connections; /* that refer to it */
        unsigned n_open;        /* of which are not shut down */
};

LIST_HEAD(HttpCallerList, HttpCaller);

typedef struct HttpConnections {
        struct HttpConnectionList phases[_HTTP_PHASE_MAX];
        struct HttpCallerList callers;
        unsigned n; /* that are not shut down */
        unsigned max;
        unsigned max_per_user;
} HttpConnections;

void http_connections_init(HttpConnections *all, unsigned max, unsigned max_per_user);

/* A client has connected. Others may be shut down for it; or it is, with the answer 503, if its user has so many
 * connections and is being answered on all of them. NULL: out of memory. */
HttpConnection *http_connection_open(HttpConnections *all, int fd);

/* It is over, and freed. */
void http_connection_close(HttpConnections *all, HttpConnection *connection);

void http_connection_set_phase(HttpConnections *all, HttpConnection *connection, HttpPhase phase);

/* Shuts down what is overdue: idle for too long, or too long at sending a request or at taking an answer. */
void http_connections_expire(HttpConnections *all, uint64_t idle_usec, uint64_t request_usec);
