/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "util/clock.h"

/* One part in so many of all connections is kept for those that come: the library takes in several at a time. */
#define RESERVE_SHARE 8u

#define TOO_MANY                                                                                                   \
        "{\"title\":\"Overloaded\",\"status\":503,\"code\":\"overloaded\","                                        \
        "\"detail\":\"This user has as many connections as one may have, and waits for answers on all of them\"}"

void http_connections_init(HttpConnections *all, unsigned max, unsigned max_per_user) {
        *all = (HttpConnections){ .max = max, .max_per_user = max_per_user };
        LIST_INIT(&all->callers);
        for (HttpPhase phase = 0; phase < _HTTP_PHASE_MAX; phase++)
                TAILQ_INIT(&all->phases[phase]);
}

static uid_t get_uid(int fd) {
        struct ucred peer;
        socklen_t size = sizeof peer;

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? (uid_t) -1 : peer.uid;
}

static HttpCaller *ensure_caller(HttpConnections *all, uid_t uid) {
        HttpCaller *caller;

        LIST_FOREACH(caller, &all->callers, entry)
                if (caller->uid == uid)
                        return caller;

        caller = calloc(1, sizeof *caller);
        if (!caller)
                return NULL;
        caller->uid = uid;
        LIST_INSERT_HEAD(&all->callers, caller, entry);
        return caller;
}

/* From here on it counts no more: the library may need a while to find out. */
static void shut(HttpConnections *all, HttpConnection *c) {
        c->is_shut = true;
        all->n--;
        if (c->caller)
                c->caller->n_open--;
        (void) shutdown(c->fd, SHUT_RDWR);
}

/* What it sends is there already, and the library has not come to read it. */
static bool is_to_be_read(const HttpConnection *c) {
        char byte;

        return recv(c->fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Of all, or of one caller: the one whose client has been owing us something for the longest time. */
static HttpConnection *find_oldest(HttpConnections *all, HttpPhase phase, const HttpCaller *caller) {
        HttpConnection *c;

        TAILQ_FOREACH(c, &all->phases[phase], entry)
                if (!c->is_shut && (!caller || c->caller == caller) && !is_to_be_read(c))
                        return c;

        return NULL;
}

/* One that has not begun to ask loses less; but it may be new, and about to. */
static bool make_room(HttpConnections *all, const HttpCaller *caller) {
        HttpConnection *c = find_oldest(all, HTTP_IDLE, caller),
                       *receiving = find_oldest(all, HTTP_RECEIVING, caller);

        if (!c || (receiving && receiving->since_usec < c->since_usec))
                c = receiving;
        if (c)
                shut(all, c);
        return c;
}

static void insert(HttpConnections *all, HttpConnection *c, HttpPhase phase) {
        c->phase = phase;
        c->since_usec = clock_monotonic_usec();
        TAILQ_INSERT_TAIL(&all->phases[phase], c, entry);
}

static void refuse(HttpConnections *all, HttpConnection *c) {
        char text[512];
        int n = snprintf(text, sizeof text,
                         "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
                         "Content-Length: %zu\r\nRetry-After: 1\r\nConnection: close\r\n\r\n" TOO_MANY,
                         sizeof TOO_MANY - 1);

        (void) send(c->fd, text, (size_t) n, MSG_DONTWAIT | MSG_NOSIGNAL);
        shut(all, c);
}

HttpConnection *http_connection_open(HttpConnections *all, int fd) {
        HttpConnection *c = calloc(1, sizeof *c);

        if (!c)
                return NULL;
        c->fd = fd;
        c->is_fresh = true;
        c->caller = ensure_caller(all, get_uid(fd));
        all->n++;
        if (c->caller) {
                c->caller->n_connections++;
                c->caller->n_open++;
        }

        /* Before it is in a list itself. */
        if (c->caller && c->caller->n_open > all->max_per_user) {
                if (!make_room(all, c->caller))
                        refuse(all, c);
        } else if (all->n > all->max - all->max / RESERVE_SHARE)
                (void) make_room(all, NULL);
        insert(all, c, HTTP_IDLE);
        return c;
}

void http_connection_close(HttpConnections *all, HttpConnection *c) {
        HttpCaller *caller = c->caller;

        TAILQ_REMOVE(&all->phases[c->phase], c, entry);
        if (!c->is_shut) {
                all->n--;
                if (caller)
                        caller->n_open--;
        }
        if (caller && --caller->n_connections == 0) {
                LIST_REMOVE(caller, entry);
                free(caller);
        }
        free(c);
}

void http_connection_set_phase(HttpConnections *all, HttpConnection *c, HttpPhase phase) {
        TAILQ_REMOVE(&all->phases[c->phase], c, entry);
        insert(all, c, phase);
}

static void expire(HttpConnections *all, HttpPhase phase, uint64_t now, uint64_t usec) {
        HttpConnection *c;

        TAILQ_FOREACH(c, &all->phases[phase], entry) {
                if (now - c->since_usec < usec)
                        break;
                if (!c->is_shut)
                        shut(all, c);
        }
}

void http_connections_expire(HttpConnections *all, uint64_t idle_usec, uint64_t request_usec) {
        uint64_t now = clock_monotonic_usec();

        expire(all, HTTP_IDLE, now, idle_usec);
        expire(all, HTTP_RECEIVING, now, request_usec);
        expire(all, HTTP_SENDING, now, request_usec);
}
