/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libmicrohttpd has one instance per listening socket, each with an epoll of its own whose descriptor is a source
 * of the event loop. After each run the library says how long it may sleep: then a timer is set, or it is run
 * again at the loop's next turn. So it is after a connection was resumed: the answer to a verb is sent from the
 * loop, never from inside the verb. */
#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/reply.h"
#include "http/request.h"
#include "util/clock.h"
#include "util/log.h"

#define LISTENERS_MAX 16u

/* How often connections are looked at that may be overdue. */
#define DEADLINE_USEC (500 * USEC_PER_MSEC)

/* What one connection may take for its header, and for a piece of what it sends or gets. The library clears all of
 * it after each request, and half of it before: the less there is the better. */
#define CONNECTION_MEMORY (16u * 1024)

typedef struct HttpListener {
        HttpOrigin origin;
        struct MHD_Daemon *daemon;
        int epoll_fd;           /* the library's */
        unsigned n_connections; /* when it last ran */
        sd_event_source *io, *timer;
        sd_event_source *deadline; /* looks what is overdue, while there are connections */
} HttpListener;

struct HttpServer {
        sd_event *event;
        HttpContext context;
        size_t n_listeners;
        HttpListener *listener[LISTENERS_MAX];
};

static void on_message(void *userdata, const char *format, va_list ap) _printf_(2, 0);
static void on_message(void *userdata, const char *format, va_list ap) {
        char text[512];

        (void) vsnprintf(text, sizeof text, format, ap);
        text[strcspn(text, "\n")] = '\0';
        log_debug("libmicrohttpd: %s", text);
}

/* The path stays as it came: what is decoded before it is cut into segments can have other segments. */
static size_t on_unescape(void *userdata, struct MHD_Connection *connection, char *text) {
        return strlen(text);
}

/* Sets the timer to when the library wants to run, or has it run again at once. What is to run again is never
 * called off here: connections may have been resumed. */
static int listener_arm(HttpListener *l) {
        MHD_UNSIGNED_LONG_LONG msec;
        bool has_timeout = MHD_get_timeout(l->daemon, &msec) == MHD_YES, again = has_timeout && msec == 0;
        unsigned n = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
        int r;

        /* Once it was full, the library looks for clients that wait to be let in only at its next run. */
        if (again || n < l->n_connections) {
                r = sd_event_source_set_enabled(l->origin.again, SD_EVENT_ONESHOT);
                if (r < 0)
                        return r;
        }
        l->n_connections = n;
        if (!has_timeout || again)
                return sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);

        r = sd_event_source_set_time_relative(l->timer, msec * USEC_PER_MSEC);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

static int listener_arm_deadline(HttpListener *l) {
        int enabled, r;

        r = sd_event_source_get_enabled(l->deadline, &enabled);
        if (r < 0 || enabled != SD_EVENT_OFF || l->origin.connections.n == 0)
                return r;
        r = sd_event_source_set_time_relative(l->deadline, DEADLINE_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(l->deadline, SD_EVENT_ONESHOT);
}

static void listener_run(HttpListener *l) {
        int r;

        (void) MHD_run(l->daemon);
        r = listener_arm(l);
        if (r >= 0)
                r = listener_arm_deadline(l);
        if (r < 0)
                (void) log_error_errno(r, "Failed to arm the timer of a listening socket: %m");
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *listener) {
        listener_run(listener);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *listener) {
        listener_run(listener);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *listener) {
        HttpListener *l = listener;
        const HttpConfig *config = &l->origin.context->config;

        http_connections_expire(&l->origin.connections, config->idle_timeout_sec * USEC_PER_SEC,
                                config->request_timeout_sec * USEC_PER_SEC);
        return listener_arm_deadline(l);
}

static int on_again(sd_event_source *source, void *listener) {
        listener_run(listener);
        return 0;
}

static HttpListener *listener_free(HttpListener *l) {
        sd_event_source_disable_unref(l->io);
        sd_event_source_disable_unref(l->timer);
        sd_event_source_disable_unref(l->deadline);
        sd_event_source_disable_unref(l->origin.again);
        if (l->daemon)
                MHD_stop_daemon(l->daemon);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(HttpListener *, listener_free)

/* Starts the library on a duplicate of fd, as it does not always say whether it has closed what it was given. */
static int listener_start(HttpListener *l, int fd) {
        const HttpConfig *config = &l->origin.context->config;
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        if (copy < 0)
                return -errno;

        /* clang-format off */
        l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
                                     http_request_on_access, &l->origin,
                                     MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
                                     MHD_OPTION_LISTEN_SOCKET, copy,
                                     MHD_OPTION_NOTIFY_CONNECTION, http_request_on_connection, &l->origin,
                                     MHD_OPTION_NOTIFY_COMPLETED, http_request_on_completed, &l->origin,
                                     MHD_OPTION_URI_LOG_CALLBACK, http_request_on_target, &l->origin,
                                     MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
                                     MHD_OPTION_CONNECTION_LIMIT, config->max_connections,
                                     MHD_OPTION_CONNECTION_TIMEOUT, config->idle_timeout_sec,
                                     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
                                     MHD_OPTION_END);
        /* clang-format on */
        return l->daemon ? 0 : -EIO;
}

static int listener_attach(HttpListener *l, sd_event *event) {
        int r;

        l->epoll_fd = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        r = sd_event_add_io(event, &l->io, l->epoll_fd, EPOLLIN, on_io, l);
        if (r >= 0)
                r = sd_event_add_time(event, &l->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, l);
        if (r >= 0)
                r = sd_event_add_time(event, &l->deadline, CLOCK_MONOTONIC, UINT64_MAX, 0, on_deadline, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->deadline, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &l->origin.again, on_again, l);
        return r < 0 ? r : 0;
}

int http_server_listen(HttpServer *s, int fd) {
        _cleanup_(listener_freep) HttpListener *l = NULL;
        socklen_t size = sizeof(int);
        int domain, r;

        if (s->n_listeners == LISTENERS_MAX)
                return -E2BIG;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
                return -errno;

        l = calloc(1, sizeof *l);
        if (!l)
                return -ENOMEM;
        l->origin = (HttpOrigin){
                .context = &s->context,
                .is_tcp = domain != AF_UNIX,
                .idle_timeout_sec = s->context.config.idle_timeout_sec,
        };
        http_connections_init(&l->origin.connections, s->context.config.max_connections,
                              s->context.config.max_connections_per_user);
        r = listener_start(l, fd);
        if (r < 0)
                return r;
        r = listener_attach(l, s->event);
        if (r < 0)
                return r;

        close(fd);
        s->listener[s->n_listeners++] = TAKE_PTR(l);
        return 0;
}

/* The answer that is kept ready for when there is no memory to make one. */
static int make_out_of_memory(struct MHD_Response **ret) {
        _cleanup_json_ json_t *problem = NULL;
        _cleanup_free_ char *text = NULL;
        struct MHD_Response *response;
        Failure f;

        (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "There was no memory for the answer");
        problem = http_problem_encode(&f, NULL);
        text = problem ? json_dumps(problem, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;

        response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
        if (!response)
                return -ENOMEM;
        if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/problem+json") !=
                    MHD_YES ||
            MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1") != MHD_YES) {
                MHD_destroy_response(response);
                return -ENOMEM;
        }

        *ret = response;
        return 0;
}

int http_server_new(sd_event *event, Lifecycle *l, const HttpConfig *config, HttpServer **ret) {
        _cleanup_(http_server_freep) HttpServer *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return -ENOMEM;

        s->event = sd_event_ref(event);
        s->context.lifecycle = l;
        s->context.config = *config;
        TAILQ_INIT(&s->context.requests);
        r = http_events_new(event, lifecycle_inventory(l), &s->context.events);
        if (r < 0)
                return r;
        r = make_out_of_memory(&s->context.out_of_memory);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

void http_server_configure(HttpServer *s, const HttpConfig *config) {
        HttpConfig before = s->context.config;

        s->context.config = *config;
        s->context.config.max_connections = before.max_connections;
        s->context.config.max_connections_per_user = before.max_connections_per_user;
}

void http_server_quiesce(HttpServer *s) {
        /* A second time, the library would name descriptors that are closed. */
        if (s->context.closing)
                return;

        s->context.closing = true;
        http_events_quiesce(s->context.events);
        for (size_t i = 0; i < s->n_listeners; i++) {
                int fd = MHD_quiesce_daemon(s->listener[i]->daemon);

                if (fd >= 0)
                        close(fd);
        }
}

bool http_server_is_quiet(const HttpServer *s) {
        return TAILQ_EMPTY(&s->context.requests) && s->context.n_fresh == 0;
}

/* True if a client waits for an answer, or is being sent one. */
static bool is_answering(const HttpContext *context) {
        const HttpRequest *r;

        TAILQ_FOREACH(r, &context->requests, entry)
                if (r->suspended || r->status != 0)
                        return true;

        return false;
}

/* Waits until the library of any listener has something to do, at most usec. */
static void wait_for_listeners(const HttpServer *s, uint64_t usec) {
        uint64_t msec = (usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        struct pollfd fds[LISTENERS_MAX];

        if (msec > INT_MAX)
                msec = INT_MAX;
        for (size_t i = 0; i < s->n_listeners; i++) {
                MHD_UNSIGNED_LONG_LONG wanted;

                fds[i] = (struct pollfd){ .fd = s->listener[i]->epoll_fd, .events = POLLIN };
                if (MHD_get_timeout(s->listener[i]->daemon, &wanted) == MHD_YES && wanted < msec)
                        msec = wanted;
        }
        (void) poll(fds, s->n_listeners, (int) msec);
}

bool http_server_drain(HttpServer *s, uint64_t timeout_usec) {
        uint64_t now = clock_monotonic_usec(), end = now + timeout_usec;

        for (;; now = clock_monotonic_usec()) {
                for (size_t i = 0; i < s->n_listeners; i++)
                        (void) MHD_run(s->listener[i]->daemon);
                if (!is_answering(&s->context))
                        return true;
                if (now >= end)
                        return false;
                wait_for_listeners(s, end - now);
        }
}

/* The library must not be stopped while connections are suspended; their requests are answered first. */
static void answer_suspended(HttpContext *context) {
        HttpRequest *r;
        Failure f;

        (void) failure_set(&f, ERROR_SHUTTING_DOWN, ESHUTDOWN, "The daemon stopped before the request was through");
        TAILQ_FOREACH(r, &context->requests, entry)
                if (r->suspended && r->status == 0)
                        http_reply_failure(r, &f, NULL);
                else if (r->suspended) {
                        r->is_cut = true;
                        http_request_wake(r);
                }
}

void http_server_abandon(HttpServer *s, uint64_t timeout_usec) {
        http_server_quiesce(s);
        answer_suspended(&s->context);
        (void) http_server_drain(s, timeout_usec);
}

HttpServer *http_server_free(HttpServer *s) {
        if (!s)
                return NULL;

        answer_suspended(&s->context);
        for (size_t i = 0; i < s->n_listeners; i++)
                listener_free(s->listener[i]);
        http_events_free(s->context.events);
        if (s->context.out_of_memory)
                MHD_destroy_response(s->context.out_of_memory);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}
