/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "client/buffer.h"

/* Between two attempts to connect to a socket whose queue is full. */
#define CONNECT_PAUSE_NSEC 10000000

/* A stream in which nothing comes for so long is dead: the daemon says every 15 seconds that it is there. */
#define SILENCE_MAX_SEC 60L

typedef struct Transfer {
        const HsvClient *client;
        char *url;
        char *body;
        struct curl_slist *headers;
        bool is_conditional; /* 304 is an answer */
        const Sink *sink;

        Buffer answer;
        int answer_error; /* why the answer was not taken: EMSGSIZE, ENOMEM, or what the sink says */

        char message[CURL_ERROR_SIZE];
} Transfer;

static void transfer_done(Transfer *t) {
        free(t->url);
        free(t->body);
        curl_slist_free_all(t->headers);
        free(t->answer.text);
}

static size_t on_answer(char *data, size_t size, size_t n, void *userdata) {
        Transfer *t = userdata;
        long status = 0;

        (void) curl_easy_getinfo(t->client->curl, CURLINFO_RESPONSE_CODE, &status);
        if (t->sink && status == 200) {
                t->answer_error = -t->sink->take(t->sink->userdata, data, n);
                return t->answer_error ? 0 : n;
        }

        t->answer_error = -buffer_append(&t->answer, t->client->max_answer, data, n);
        return t->answer_error ? 0 : n;
}

/* Makes every socket, so that none leaks into a child of the caller's. */
static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address) {
        int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

        return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int add_header(Transfer *t, const char *header) {
        struct curl_slist *list = curl_slist_append(t->headers, header);

        if (!list)
                return -ENOMEM;
        t->headers = list;
        return 0;
}

/* A header field with an entity tag, if there is a revision to make it of. */
static int add_revision(Transfer *t, const char *field, uint64_t revision) {
        char header[48];

        if (revision == 0)
                return 0;
        (void) snprintf(header, sizeof header, "%s: \"%" PRIu64 "\"", field, revision);
        return add_header(t, header);
}

static int prepare(Transfer *t, const Request *request) {
        if (asprintf(&t->url, "%s%s", t->client->url.base, request->path) < 0) {
                t->url = NULL;
                return -ENOMEM;
        }
        if (add_header(t, request->sink ? "Accept: */*" : "Accept: application/json, application/problem+json") < 0)
                return -ENOMEM;
        if (request->body) {
                t->body = json_dumps(request->body, JSON_COMPACT);
                if (!t->body || add_header(t, "Content-Type: application/json") < 0)
                        return -ENOMEM;
        }
        t->sink = request->sink;
        t->is_conditional = request->not_revision > 0;
        if (add_revision(t, "If-Match", request->if_revision) < 0)
                return -ENOMEM;
        return add_revision(t, "If-None-Match", request->not_revision);
}

#define SET(option, value) (curl_easy_setopt(curl, option, value) == CURLE_OK)

/* What is the same for every request. False when out of memory. */
static bool set_policy(CURL *curl, const HsvClient *client) {
        curl_easy_reset(curl);

        /* No signals: we are a library. No proxy: the URL means what it says. Paths as they are: a device
         * that is called ".." is for the daemon to refuse, and must not turn into another path here. */
        return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PROXY, "") && SET(CURLOPT_PATH_AS_IS, 1L) &&
               SET(CURLOPT_PROTOCOLS_STR, "http") && SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) &&
               SET(CURLOPT_HTTP09_ALLOWED, 0L) && SET(CURLOPT_USERAGENT, "libhsvdpa/" PACKAGE_VERSION) &&
               SET(CURLOPT_MAXCONNECTS, 1L) && SET(CURLOPT_CONNECTTIMEOUT_MS, (long) client->connect_ms) &&
               SET(CURLOPT_UNIX_SOCKET_PATH, client->url.socket_path);
}

static bool set_patience(CURL *curl, const HsvClient *client, const Sink *sink) {
        if (!sink || !sink->is_stream)
                return SET(CURLOPT_TIMEOUT_MS, (long) client->total_ms);
        return SET(CURLOPT_TIMEOUT_MS, (long) sink->total_ms) && SET(CURLOPT_LOW_SPEED_LIMIT, 1L) &&
               SET(CURLOPT_LOW_SPEED_TIME, SILENCE_MAX_SEC);
}

static bool set_transfer(CURL *curl, Transfer *t, const Request *request) {
        bool ok = set_patience(curl, t->client, t->sink) && SET(CURLOPT_URL, t->url) &&
                  SET(CURLOPT_HTTPHEADER, t->headers) && SET(CURLOPT_ERRORBUFFER, t->message) &&
                  SET(CURLOPT_WRITEFUNCTION, on_answer) && SET(CURLOPT_WRITEDATA, t) &&
                  SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);

        if (t->body)
                ok = ok && SET(CURLOPT_POSTFIELDS, t->body) &&
                     SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) strlen(t->body));
        /* On a kept connection that turns out to be closed curl sends a request again by itself. */
        if (strcmp(request->method, "GET") != 0)
                ok = ok && SET(CURLOPT_CUSTOMREQUEST, request->method) && SET(CURLOPT_FRESH_CONNECT, 1L);
        return ok;
}

/* What connect(2) said. EAGAIN is that of a Unix socket whose queue is full: no reason to give up yet.
 * curl takes it for a connection under way, and then finds none, without an errno. */
static int connect_errno(const HsvClient *client) {
        long error = 0;

        (void) curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &error);
        if (error > 0)
                return (int) error;
        return client->url.socket_path ? EAGAIN : ECONNREFUSED;
}

/* What curl says, as an errno value. */
static int transfer_errno(const Transfer *t, CURLcode code) {
        static const struct {
                CURLcode code;
                int error;
        } table[] = {
                { CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH },
                { CURLE_OPERATION_TIMEDOUT, ETIMEDOUT },
                { CURLE_OUT_OF_MEMORY, ENOMEM },
                { CURLE_SEND_ERROR, ECONNRESET },
                { CURLE_RECV_ERROR, ECONNRESET },
                { CURLE_GOT_NOTHING, ECONNRESET },
                { CURLE_PARTIAL_FILE, ECONNRESET },
                { CURLE_WEIRD_SERVER_REPLY, EBADMSG },
                { CURLE_UNSUPPORTED_PROTOCOL, EBADMSG },
                { CURLE_BAD_CONTENT_ENCODING, EBADMSG },
        };
        int error;

        if (t->answer_error)
                return t->answer_error;
        if (code == CURLE_COULDNT_CONNECT) {
                error = connect_errno(t->client);
                return error == EAGAIN ? ETIMEDOUT : error;
        }
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].code == code)
                        return table[i].error;
        return EIO;
}

static int fail_transfer(HsvClient *client, const Transfer *t, CURLcode code) {
        const char *url = client->url_text, *message = t->message[0] ? t->message : curl_easy_strerror(code);
        HsvError *e = &client->error;
        int error = transfer_errno(t, code), r;
        long n_sent = 0;

        (void) curl_easy_getinfo(client->curl, CURLINFO_REQUEST_SIZE, &n_sent);
        errno = error;
        if (error == EMSGSIZE)
                r = error_set(e, error, "The answer is larger than %zu bytes", client->max_answer);
        else if (t->sink && t->answer_error)
                r = error_set(e, error, "Cannot write the answer: %m");
        else if (n_sent > 0)
                r = error_set(e, error, "No answer from %s: %s", url, message);
        else if (error == EHOSTUNREACH && code != CURLE_COULDNT_CONNECT)
                r = error_set(e, error, "Cannot connect to %s: %s", url, message);
        else
                r = error_set(e, error, "Cannot connect to %s: %m", url);
        e->was_sent = n_sent > 0;
        return r;
}

static int take_answer(HsvClient *client, Transfer *t, unsigned *ret_status, HsvDocument **ret) {
        long status = 0;
        int r;

        (void) curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 400)
                return error_set_answer(&client->error, (unsigned) status, t->answer.text ?: "", t->answer.n);

        r = status < 200 || status >= 300 ? -EBADMSG : 0;
        if (status == 304 && t->is_conditional) {
                *ret = NULL;
                return 0;
        }
        if (r == 0 && ret)
                r = t->answer.text ? document_new(t->answer.text, t->answer.n, ret) : -EBADMSG;
        if (r < 0) {
                error_set(&client->error, r, "The answer of %s is not that of hsvdpad", client->url_text);
                client->error.http_status = (unsigned) status;
                client->error.was_sent = true;
                return r;
        }
        if (ret)
                t->answer.text = NULL;
        if (ret_status)
                *ret_status = (unsigned) status;
        return 0;
}

static uint64_t now_ms(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}

/* A blocking connect(2) would wait in a full queue; curl's does not. */
static CURLcode perform(const HsvClient *client) {
        const struct timespec pause = { .tv_nsec = CONNECT_PAUSE_NSEC };
        uint64_t end = now_ms() + client->connect_ms;

        for (;;) {
                CURLcode code = curl_easy_perform(client->curl);

                if (code != CURLE_COULDNT_CONNECT || connect_errno(client) != EAGAIN || now_ms() >= end)
                        return code;
                (void) nanosleep(&pause, NULL);
        }
}

int client_call(HsvClient *client, const Request *request, unsigned *ret_status, HsvDocument **ret) {
        _cleanup_(transfer_done) Transfer t = { .client = client };
        CURLcode code;
        int r;

        error_done(&client->error);
        r = prepare(&t, request);
        if (r < 0 || !set_policy(client->curl, client) || !set_transfer(client->curl, &t, request))
                return error_set(&client->error, ENOMEM, "Out of memory");

        code = perform(client);
        if (code != CURLE_OK)
                return fail_transfer(client, &t, code);
        return take_answer(client, &t, ret_status, ret);
}

int client_parse_object(HsvClient *client, const char *what, const char *text, json_t **ret) {
        _cleanup_json_ json_t *object = NULL;
        json_error_t error;

        object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        if (!object && json_error_code(&error) == json_error_out_of_memory)
                return error_set(&client->error, ENOMEM, "Out of memory");
        if (!object)
                return error_set(&client->error, EINVAL, "The %s is not JSON: %s (line %d)", what, error.text,
                                 error.line);
        if (!json_is_object(object))
                return error_set(&client->error, EINVAL, "The %s is not a JSON object", what);

        *ret = TAKE_PTR(object);
        return 0;
}

int client_spec_body(HsvClient *client, const char *spec, json_t **ret) {
        _cleanup_json_ json_t *object = NULL, *body = json_object();
        int r;

        r = client_parse_object(client, "spec", spec, &object);
        if (r < 0)
                return r;
        if (json_object_set(body, "spec", object) < 0)
                return error_set(&client->error, ENOMEM, "Out of memory");

        *ret = TAKE_PTR(body);
        return 0;
}

int client_verb_path(HsvClient *client, const char *path, const char *verb, char **ret) {
        if (asprintf(ret, "%s:%s", path, verb) >= 0)
                return 0;
        *ret = NULL;
        return error_set(&client->error, ENOMEM, "Out of memory");
}

int client_fail_argument(HsvClient *client, int r, const char *sentence) {
        return error_set(&client->error, r, "%s", r == -ENOMEM ? "Out of memory" : sentence);
}

int client_get(HsvClient *client, const char *path, HsvDocument **ret) {
        return client_call(client, &(Request){ .method = "GET", .path = path }, NULL, ret);
}
