/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libmicrohttpd calls for a request with its target, then with its header, then with each piece of its body, then
 * once more for the answer; and again after it was resumed.
 *
 * What is wrong with a header is known at once, but an answer before the body is read makes the library close the
 * socket under a client that is still writing, which then sees a broken pipe instead of the reason. So the body of
 * a refused request is read and dropped first, up to a limit, unless the client waits for "100 Continue". */
#include "http/request.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/body.h"
#include "http/input.h"
#include "http/refusal.h"
#include "http/reply.h"
#include "util/clock.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/random.h"

/* Bytes over the limit that are read and dropped. */
#define DISCARD_MAX (8u * 1024 * 1024)

#define BODY_CAPACITY_MIN 4096u

/* Memory for the bodies and for the answers of all connections together. What is small does not count: there are
 * only so many connections, and those who use no more shall not wait for the others. */
#define BODY_BYTES_MAX   (UINT64_C(64) * 1024 * 1024)
#define ANSWER_BYTES_MAX (UINT64_C(64) * 1024 * 1024)
#define ANSWER_SMALL     (16u * 1024)

HttpRequest *http_request_ref(HttpRequest *r) {
        r->n_ref++;
        return r;
}

HttpRequest *http_request_unref(HttpRequest *r) {
        if (--r->n_ref > 0)
                return NULL;

        assert(!r->connection);
        if (r->response)
                MHD_destroy_response(r->response);
        free(r->query);
        free(r->body);
        free(r);
        return NULL;
}

static int request_new(HttpOrigin *origin, struct MHD_Connection *connection, HttpRequest **ret) {
        HttpRequest *r = calloc(1, sizeof *r);

        if (!r)
                return -ENOMEM;

        r->n_ref = 1;
        r->context = origin->context;
        r->origin = origin;
        r->connection = connection;
        TAILQ_INSERT_TAIL(&r->context->requests, r, entry);

        *ret = r;
        return 0;
}

/* NULL: there was no memory to keep anything of it. */
static HttpConnection *connection_of(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection,
                                                                       MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void set_phase(HttpRequest *r, HttpPhase phase) {
        HttpConnection *connection = connection_of(r->connection);

        if (connection)
                http_connection_set_phase(&r->origin->connections, connection, phase);
}

static void drop_body(HttpRequest *r) {
        if (r->body_capacity > BODY_CAPACITY_MIN)
                r->context->n_body_bytes -= r->body_capacity;
        free(TAKE_PTR(r->body));
        r->body_size = r->body_capacity = 0;
}

/* The connection is through: the request stays for its verb only. */
void http_request_on_completed(void *origin, struct MHD_Connection *connection, void **con_cls,
                               enum MHD_RequestTerminationCode toe) {
        HttpRequest *r = TAKE_PTR(*con_cls);

        if (!r)
                return;

        TAILQ_REMOVE(&r->context->requests, r, entry);
        drop_body(r);
        r->context->n_answer_bytes -= r->n_answer_bytes;
        set_phase(r, HTTP_IDLE);
        r->context = NULL;
        r->origin = NULL;
        r->connection = NULL;
        /* What is streamed has a reference to the request. */
        if (r->response)
                MHD_destroy_response(TAKE_PTR(r->response));
        http_request_unref(r);
}

size_t http_request_max_body(const HttpRequest *r) {
        const HttpConfig *config = &r->context->config;

        return r->route && r->route->flags & HTTP_ROUTE_BATCH ? config->max_batch_bytes : config->max_body_bytes;
}

const char *http_request_header(const HttpRequest *r, const char *field) {
        return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, field);
}

void http_request_answer(HttpRequest *r, unsigned status, struct MHD_Response *response) {
        /* The connection has gone while the verb was under way. */
        if (!r->connection) {
                if (response)
                        MHD_destroy_response(response);
                return;
        }

        assert(r->status == 0);
        r->status = response ? status : MHD_HTTP_SERVICE_UNAVAILABLE;
        r->response = response;
        http_request_wake(r);
}

bool http_request_reserve_answer(HttpRequest *r, size_t size) {
        if (!r->context || size <= ANSWER_SMALL)
                return true;
        if (r->context->n_answer_bytes + size > ANSWER_BYTES_MAX)
                return false;

        r->n_answer_bytes += size;
        r->context->n_answer_bytes += size;
        return true;
}

void http_request_suspend(HttpRequest *r) {
        r->suspended = true;
        MHD_suspend_connection(r->connection);
}

void http_request_wake(HttpRequest *r) {
        int k;

        if (!r->connection || !r->suspended)
                return;

        /* With an event loop that is not its own, the library does not wake up by itself. When the loop has ended
         * (-ESTALE), http_server_drain() runs it. */
        r->suspended = false;
        MHD_resume_connection(r->connection);
        k = sd_event_source_set_enabled(r->origin->again, SD_EVENT_ONESHOT);
        if (k < 0 && k != -ESTALE)
                (void) log_error_errno(k, "Failed to resume a connection: %m");
}

#define REQUEST_ID_HEADER "X-Request-ID"

/* What goes into the log and back to the client is nothing but a plain word. */
static bool request_id_is_valid(const char *id) {
        static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
        size_t n = strlen(id);

        return n > 0 && n < LOG_REQUEST_ID_MAX && strspn(id, allowed) == n;
}

static void set_request_id(HttpRequest *r) {
        const char *given = http_request_header(r, REQUEST_ID_HEADER);
        uint8_t id[8];

        if (given && request_id_is_valid(given)) {
                strcpy(r->id, given);
                return;
        }
        random_fill(id, sizeof id);
        hex_format(id, sizeof id, r->id);
}

/* Hands the answer over to the library. */
static enum MHD_Result send_answer(HttpRequest *r) {
        struct MHD_Response *response = r->response ?: r->context->out_of_memory;

        set_phase(r, r->is_stream ? HTTP_WORKING : HTTP_SENDING);
        http_counters_note(&r->context->counters, r->route, r->status, clock_monotonic_usec() - r->begun_usec);
        /* Without memory for this field the client only learns later that the connection closes. */
        if (r->context->closing && r->response)
                (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        if (r->id[0] && r->response)
                (void) MHD_add_response_header(response, REQUEST_ID_HEADER, r->id);
        return MHD_queue_response(r->connection, r->status, response);
}

/* Makes room for size more bytes; they are within the limit. Returns 0, -ENOMEM, or -ENOBUFS: there is none now. */
static int reserve_body(HttpRequest *r, size_t size) {
        size_t capacity = r->body_capacity ?: BODY_CAPACITY_MIN;
        char *body;

        while (capacity < r->body_size + size)
                capacity *= 2;
        if (capacity == r->body_capacity)
                return 0;
        if (capacity > BODY_CAPACITY_MIN && r->context->n_body_bytes + capacity > BODY_BYTES_MAX)
                return -ENOBUFS;

        body = realloc(r->body, capacity);
        if (!body)
                return -ENOMEM;
        if (r->body_capacity > BODY_CAPACITY_MIN)
                r->context->n_body_bytes -= r->body_capacity;
        if (capacity > BODY_CAPACITY_MIN)
                r->context->n_body_bytes += capacity;
        r->body = body;
        r->body_capacity = capacity;
        return 0;
}

/* Takes in one piece of the body. Returns MHD_NO to cut the connection: no answer can be given half-way. */
static enum MHD_Result gather(HttpRequest *r, const char *data, size_t size) {
        size_t max = http_request_max_body(r);
        int k = 0;

        r->n_received += size;
        if (r->n_received > (uint64_t) max + DISCARD_MAX)
                return MHD_NO;

        if (r->refusal.code == ERROR_NONE) {
                if (r->n_received > max)
                        (void) failure_set(&r->refusal, ERROR_BODY_TOO_LARGE, EFBIG,
                                           "A body may have %zu bytes at the most", max);
                else
                        k = reserve_body(r, size);
                if (k == -ENOBUFS)
                        (void) failure_set(&r->refusal, ERROR_OVERLOADED, ENOBUFS,
                                           "Large bodies of other requests are on their way");
                else if (k < 0)
                        (void) failure_set(&r->refusal, ERROR_OUT_OF_MEMORY, ENOMEM, "The body could not be kept");
        }
        if (r->refusal.code != ERROR_NONE) {
                drop_body(r);
                return MHD_YES;
        }

        memcpy(r->body + r->body_size, data, size);
        r->body_size += size;
        return MHD_YES;
}

/* Parses the body into in, and frees its text. False: it has been answered. */
static bool parse_body(HttpRequest *r, HttpInput *in) {
        Failure f = FAILURE_INIT;
        int k;

        if (!(r->route->flags & HTTP_ROUTE_BODY) ||
            (r->route->flags & HTTP_ROUTE_OPTIONAL_BODY && r->body_size == 0))
                return true;

        k = http_body_parse(r->body, r->body_size, &in->faults, &f, &in->body);
        drop_body(r);
        if (k < 0)
                http_reply_failure(r, &f, &in->faults);
        return k >= 0;
}

static void call_handler(HttpRequest *r) {
        _uninitialized_ HttpInput in;

        in.faults.n = in.faults.n_omitted = 0;
        in.body = NULL;
        http_query_init(&in.query, &in.faults);
        http_query_parse(&in.query, r->query);

        log_set_context(NULL, NULL, r->id);
        if (parse_body(r, &in))
                r->route->handler(r, &in);
        log_clear_context();
        json_decref(in.body);
}

/* Everything has been read: answers, or waits for the verb that the handler has started. */
static enum MHD_Result finish(HttpRequest *r) {
        if (r->status == 0) {
                if (r->refusal.code != ERROR_NONE)
                        http_reply_failure(r, &r->refusal, NULL);
                else
                        call_handler(r);
        }
        if (r->status != 0)
                return send_answer(r);

        set_phase(r, HTTP_WORKING);
        http_request_suspend(r);
        return MHD_YES;
}

/* The header is there. */
static enum MHD_Result begin(HttpRequest *r, const char *method, const char *url) {
        r->has_begun = true;
        r->begun_usec = clock_monotonic_usec();
        set_request_id(r);
        /* The library's own is what it was when the listening socket was made. */
        if (r->origin->idle_timeout_sec != r->context->config.idle_timeout_sec)
                (void) MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                                 r->context->config.idle_timeout_sec);
        return http_refuse(r, r->origin->is_tcp, method, url, DISCARD_MAX) ? finish(r) : MHD_YES;
}

void http_request_on_connection(void *userdata, struct MHD_Connection *connection, void **socket_context,
                                enum MHD_ConnectionNotificationCode toe) {
        const union MHD_ConnectionInfo *info;
        HttpConnection *c = *socket_context;
        HttpOrigin *origin = userdata;

        if (toe == MHD_CONNECTION_NOTIFY_STARTED) {
                info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
                *socket_context = c = info ? http_connection_open(&origin->connections, info->connect_fd) : NULL;
                origin->context->n_fresh += c != NULL;
        } else if (c) {
                origin->context->n_fresh -= c->is_fresh;
                http_connection_close(&origin->connections, c);
                *socket_context = NULL;
        }
}

/* Its next request has begun to come. */
static void begin_to_receive(HttpOrigin *origin, struct MHD_Connection *connection) {
        HttpConnection *c = connection_of(connection);

        if (!c)
                return;
        origin->context->n_fresh -= c->is_fresh;
        c->is_fresh = false;
        http_connection_set_phase(&origin->connections, c, HTTP_RECEIVING);
}

/* The library would make a record of each parameter in the memory of the connection, and if there is no more of
 * that it waits until the connection is idle for too long, without an answer (0.9.75). So it gets no query to see:
 * it looks at this text, which is its own and not constant, after this call. */
void *http_request_on_target(void *origin, const char *target, struct MHD_Connection *connection) {
        char *query = target ? strchr(target, '?') : NULL;
        HttpRequest *r = NULL;

        begin_to_receive(origin, connection);
        if (request_new(origin, connection, &r) == 0 && query) {
                r->query = strdup(query + 1);
                if (!r->query)
                        (void) failure_set(&r->refusal, ERROR_OUT_OF_MEMORY, ENOMEM, "The query could not be kept");
        }
        if (query)
                query[1] = '\0';
        return r;
}

enum MHD_Result http_request_on_access(void *origin, struct MHD_Connection *connection, const char *url,
                                       const char *method, const char *version, const char *upload_data,
                                       size_t *upload_data_size, void **con_cls) {
        const HttpContext *context = ((const HttpOrigin *) origin)->context;
        HttpRequest *r = *con_cls;
        size_t size = *upload_data_size;

        if (!r)
                return MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, context->out_of_memory);
        if (!r->has_begun)
                return begin(r, method, url);
        if (size == 0)
                return finish(r);

        *upload_data_size = 0;
        return gather(r, upload_data, size);
}
