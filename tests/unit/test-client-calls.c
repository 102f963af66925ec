/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The calls, against a server that answers what it is told and remembers what it was asked. */
#include <check.h>
#include <errno.h>
#include <hsvdpa/client.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/macro.h"

#define REQUESTS_MAX 8
#define REQUEST_SIZE 4096

typedef struct Answer {
        const char *status; /* NULL: the end, the server stops; "": the connection is dropped */
        const char *body;   /* NULL: status is all of the answer */
} Answer;

/* A server with one answer for each request. */
static struct {
        char dir[32];
        char url[64];
        int listener;
        pthread_t thread;
        const Answer *answers;
        char requests[REQUESTS_MAX][REQUEST_SIZE];
        size_t n_requests;
        size_t n_connections;
} server;

static HsvClient *client;

/* Waits for something to read; false if another connection comes first, which the client then waits for. */
static bool wait_request(int fd) {
        struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = server.listener, .events = POLLIN } };

        return poll(fds, ELEMENTSOF(fds), -1) > 0 && fds[0].revents;
}

/* Reads one request, header and body. Returns false at the connection's end. */
static bool read_request(int fd, char *buffer) {
        size_t n = 0, wanted = 0;

        while (wanted == 0 || n < wanted) {
                ssize_t k = wait_request(fd) ? recv(fd, buffer + n, REQUEST_SIZE - 1 - n, 0) : 0;
                const char *end, *length;

                if (k <= 0)
                        return false;
                n += (size_t) k;
                buffer[n] = '\0';
                end = strstr(buffer, "\r\n\r\n");
                length = strstr(buffer, "Content-Length: ");
                if (end)
                        wanted = (size_t) (end - buffer) + 4 + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
        return true;
}

static void send_answer(int fd, const Answer *answer) {
        char text[REQUEST_SIZE];
        int n;

        if (answer->body)
                n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", answer->status,
                             strlen(answer->body), answer->body);
        else
                n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\n\r\n", answer->status);
        (void) send(fd, text, (size_t) n, MSG_NOSIGNAL);
}

/* Answers one connection; false when there is no answer left. */
static bool serve_connection(int fd) {
        while (server.n_requests < REQUESTS_MAX && read_request(fd, server.requests[server.n_requests])) {
                const Answer *answer = &server.answers[server.n_requests++];

                if (!answer->status)
                        return false;
                if (!answer->status[0])
                        return true;
                send_answer(fd, answer);
        }
        return true;
}

static void *serve(void *unused) {
        for (;;) {
                _cleanup_close_ int fd = accept(server.listener, NULL, NULL);

                if (fd < 0)
                        return NULL;
                server.n_connections++;
                if (!serve_connection(fd))
                        return NULL;
        }
}

static void set_up(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        memset(&server, 0, sizeof server);
        strcpy(server.dir, "/tmp/test-client-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(server.dir));
        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s/s", server.dir);
        (void) snprintf(server.url, sizeof server.url, "unix:%s/s", server.dir);
        server.listener = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_ge(server.listener, 0);
        ck_assert_int_eq(bind(server.listener, (const struct sockaddr *) &address, sizeof address), 0);
        ck_assert_int_eq(hsv_client_new(server.url, &client), 0);
}

static void start(const Answer *answers) {
        server.answers = answers;
        ck_assert_int_eq(listen(server.listener, 8), 0);
        ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

/* The thread has answered, or waits for a connection: a shutdown ends that. */
static void stop(void) {
        client = hsv_client_free(client);
        (void) shutdown(server.listener, SHUT_RDWR);
        ck_assert_int_eq(pthread_join(server.thread, NULL), 0);
}

static void tear_down(void) {
        char path[64];

        hsv_client_free(client);
        close(server.listener);
        (void) snprintf(path, sizeof path, "%s/s", server.dir);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(server.dir), 0);
}

static bool asked(size_t i, const char *text) {
        return strstr(server.requests[i], text);
}

START_TEST(test_requests) {
        static const Answer answers[] = {
                { "200 OK", "{}" },      { "200 OK", "{}" }, { "201 Created", "{}" }, { "200 OK", "{}" },
                { "201 Created", "{}" }, { "200 OK", "{}" }, { "204 No Content" },    {},
        };
        HsvDocument *document = NULL;
        bool created = false;

        start(answers);
        ck_assert_int_eq(hsv_host_get(client, &document), 0);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_mgmtdev_get(client, "pci/0000:01:00.0", &document), 0);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_device_create(client, "vm 1", "{\"class\": \"net\"}", &document, &created), 0);
        ck_assert(created);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_device_create(client, "vm1", "{}", &document, &created), 0);
        ck_assert(!created);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_device_create(client, NULL, "{}", &document, NULL), 0);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_device_update(client, "vm1", "{\"owner\": null}", 17, &document), 0);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_device_delete(client, "..", "u&id", 0, HSV_DELETE_MISSING_OK), 0);
        stop();

        ck_assert(asked(0, "GET /v1/host HTTP/1.1\r\n"));
        ck_assert(!asked(0, "Content-Type"));
        ck_assert(asked(1, "GET /v1/mgmtdevs/pci/0000%3A01%3A00.0 HTTP/1.1\r\n"));
        ck_assert(asked(2, "PUT /v1/devices/vm%201 HTTP/1.1\r\n"));
        ck_assert(asked(2, "Content-Type: application/json\r\n"));
        ck_assert(asked(2, "\r\n\r\n{\"spec\":{\"class\":\"net\"}}"));
        ck_assert(asked(4, "POST /v1/devices HTTP/1.1\r\n"));
        ck_assert(asked(5, "PATCH /v1/devices/vm1 HTTP/1.1\r\n"));
        ck_assert(asked(5, "If-Match: \"17\"\r\n"));
        ck_assert(asked(5, "{\"spec\":{\"owner\":null}}"));
        ck_assert(asked(6, "DELETE /v1/devices/..?missing_ok=true&uid=u%26id HTTP/1.1\r\n"));
        ck_assert(!asked(6, "If-Match"));
}
END_TEST

START_TEST(test_looking_and_planning) {
        static const Answer answers[] = {
                { "200 OK", "{\"revision\": 5}" },
                { "304 Not Modified" },
                { "200 OK", "{}" },
                { "200 OK", "{}" },
                { "304 Not Modified" },
                {},
        };
        HsvDocument *document = NULL;

        start(answers);
        ck_assert_int_eq(hsv_device_get_if_changed(client, "vm1", 0, &document), 0);
        ck_assert_ptr_nonnull(document);
        document = hsv_document_free(document);
        ck_assert_int_eq(hsv_device_get_if_changed(client, "vm1", 5, &document), 0);
        ck_assert_ptr_null(document);
        ck_assert_int_eq(hsv_device_plan(client, "vm1", "{}", &document), 0);
        document = hsv_document_free(document);
        ck_assert_int_eq(hsv_device_plan(client, NULL, "{}", &document), 0);
        document = hsv_document_free(document);
        ck_assert_int_eq(hsv_device_get(client, "vm1", &document), -EBADMSG);
        ck_assert_ptr_null(document);
        ck_assert_int_eq(hsv_device_plan(client, "", "{}", &document), -EINVAL);
        stop();

        ck_assert(!asked(0, "If-None-Match"));
        ck_assert(asked(1, "If-None-Match: \"5\"\r\n"));
        ck_assert(asked(2, "PUT /v1/devices/vm1?dry_run=true HTTP/1.1\r\n"));
        ck_assert(asked(3, "POST /v1/devices?dry_run=true HTTP/1.1\r\n"));
}
END_TEST

START_TEST(test_arguments) {
        HsvDocument *document = NULL;

        ck_assert_int_eq(hsv_device_get(client, "", &document), -EINVAL);
        ck_assert_int_eq(hsv_device_delete(client, "", NULL, 0, 0), -EINVAL);
        ck_assert_int_eq(hsv_device_delete(client, "vm1", NULL, 0, 2), -EINVAL);
        ck_assert_int_eq(hsv_mgmtdev_get(client, "pci/", &document), -EINVAL);
        ck_assert_int_eq(hsv_device_create(client, "vm1", "{", &document, NULL), -EINVAL);
        ck_assert_int_eq(hsv_device_create(client, "vm1", "[]", &document, NULL), -EINVAL);
        ck_assert_int_eq(hsv_device_update(client, "vm1", "{\"a\": 1, \"a\": 2}", 0, &document), -EINVAL);
        ck_assert(!hsv_error_was_sent(hsv_client_last_error(client)));
        ck_assert_str_ne(hsv_error_detail(hsv_client_last_error(client)), "");
        ck_assert_int_eq(hsv_client_set_timeouts(client, 0, 1), -EINVAL);
        ck_assert_int_eq(hsv_client_set_timeouts(client, 1, 0), -EINVAL);
        ck_assert_int_eq(hsv_client_set_max_answer(client, 0), -EINVAL);
        ck_assert_ptr_null(document);
}
END_TEST

START_TEST(test_pages) {
        static const Answer answers[] = {
                { "200 OK", "{\"items\":[1,2],\"continue\":\"a&\"}" },
                { "500 Oops", "" },
                { "200 OK", "{\"items\":[],\"continue\":\"b.c\"} " },
                { "200 OK", "{\"items\":[3]}" },
                {},
        };
        static const char *const filters[] = { "class=net", "label=a=b c", NULL };
        HsvList *list = NULL;
        HsvDocument *page = NULL;

        start(answers);
        ck_assert_int_eq(hsv_device_list_new(client, filters, &list), 0);
        for (unsigned i = 0; i < 4; i++) {
                ck_assert_int_eq(hsv_list_next(list, i == 0 ? 2 : 0, &page), i == 1 ? HSV_REFUSED : 0);
                if (i != 1)
                        page = hsv_document_free(page);
        }
        ck_assert_int_eq(hsv_list_next(list, 0, &page), 0);
        ck_assert_ptr_null(page);
        hsv_list_free(list);
        stop();

        ck_assert_uint_eq(server.n_requests, 4);
        ck_assert_uint_eq(server.n_connections, 1);
        ck_assert(asked(0, "GET /v1/devices?class=net&label=a%3Db%20c&limit=2 HTTP"));
        ck_assert(asked(1, "GET /v1/devices?class=net&label=a%3Db%20c&continue=a%26 HTTP"));
        ck_assert(asked(2, "GET /v1/devices?class=net&label=a%3Db%20c&continue=a%26 HTTP"));
        ck_assert(asked(3, "continue=b.c HTTP"));
}
END_TEST

START_TEST(test_pages_without_end) {
        static const Answer answers[] = {
                { "200 OK", "{\"items\":[],\"continue\":\"a\"}" },
                { "200 OK", "{\"items\":[],\"continue\":\"a\"}" },
                {},
        };
        static const char *const wrong[] = { "class", NULL }, *const empty[] = { "=net", NULL };
        HsvList *list = NULL;
        HsvDocument *page = NULL;

        ck_assert_int_eq(hsv_device_list_new(client, wrong, &list), -EINVAL);
        ck_assert_int_eq(hsv_device_list_new(client, empty, &list), -EINVAL);
        start(answers);
        ck_assert_int_eq(hsv_device_list_new(client, NULL, &list), 0);
        ck_assert_int_eq(hsv_list_next(list, 0, &page), 0);
        page = hsv_document_free(page);
        ck_assert_int_eq(hsv_list_next(list, 0, &page), -EBADMSG);
        ck_assert_ptr_null(page);
        hsv_list_free(list);
        stop();
}
END_TEST

START_TEST(test_drift_and_adoption) {
        static const Answer answers[] = {
                { "200 OK", "{\"items\":[]}" }, { "200 OK", "{}" }, { "200 OK", "{}" }, { "200 OK", "{}" }, {},
        };
        static const char *const filters[] = { "kind=missing", "kind=changed", "refresh=true", NULL };
        HsvDocument *document = NULL;
        HsvList *list = NULL;

        start(answers);
        ck_assert_int_eq(hsv_drift_list_new(client, filters, &list), 0);
        ck_assert_int_eq(hsv_list_next(list, 5, &document), 0);
        document = hsv_document_free(document);
        list = hsv_list_free(list);
        ck_assert_int_eq(hsv_drift_repair(client, "{\"kinds\": [\"extra\"]}", false, &document), 0);
        document = hsv_document_free(document);
        ck_assert_int_eq(hsv_drift_repair(client, "{}", true, &document), 0);
        document = hsv_document_free(document);
        ck_assert_int_eq(hsv_device_adopt(client, "vm 1", "{\"owner\": \"x\"}", &document), 0);
        document = hsv_document_free(document);
        ck_assert_int_eq(hsv_drift_repair(client, "[]", false, &document), -EINVAL);
        ck_assert_int_eq(hsv_device_adopt(client, "vm1", "x", &document), -EINVAL);
        ck_assert_int_eq(hsv_device_adopt(client, "", "{}", &document), -EINVAL);
        stop();

        ck_assert_uint_eq(server.n_requests, 4);
        ck_assert(asked(0, "GET /v1/drift?kind=missing&kind=changed&refresh=true&limit=5 HTTP"));
        ck_assert(asked(1, "POST /v1/drift:repair HTTP") && asked(1, "\r\n\r\n{\"kinds\":[\"extra\"]}"));
        ck_assert(asked(2, "POST /v1/drift:repair?dry_run=true HTTP") && asked(2, "\r\n\r\n{}"));
        ck_assert(asked(3, "POST /v1/devices/vm%201:adopt HTTP"));
        ck_assert(asked(3, "\r\n\r\n{\"spec\":{\"owner\":\"x\"}}"));
}
END_TEST

/* What came, and how much more is wanted. */
typedef struct Heard {
        char text[256];
        unsigned n_wanted;
} Heard;

static bool hear(void *userdata, const HsvDocument *event) {
        Heard *heard = userdata;

        (void) strcat(heard->text, hsv_document_text(event));
        return --heard->n_wanted > 0;
}

START_TEST(test_events) {
        static const char two[] = ":\n\nid: 5\nevent: device\ndata: {\"revision\":5}\n\n"
                                  "event: other\ndata: {\"no\":1}\n\n"
                                  "data:{\"revision\":6}\r\n\n";
        static const Answer answers[] = {
                { "200 OK", two },
                { "200 OK", two },
                { "410 Gone", "{\"code\": \"events-gone\"}" },
                { "200 OK", "data: x\n\n" },
                { "200 OK", "data: {\"it\": \"does not end\"}" },
                {},
        };
        uint64_t since = 4;
        Heard heard = { .n_wanted = 9 };

        start(answers);
        ck_assert_int_eq(hsv_events_watch(client, &since, 0, hear, &heard), 0);
        ck_assert_str_eq(heard.text, "{\"revision\":5}{\"revision\":6}");
        heard = (Heard){ .n_wanted = 1 };
        ck_assert_int_eq(hsv_events_watch(client, NULL, 1000, hear, &heard), 0);
        ck_assert_str_eq(heard.text, "{\"revision\":5}");
        ck_assert_int_eq(hsv_events_watch(client, &since, 0, hear, &heard), HSV_REFUSED);
        ck_assert_str_eq(hsv_error_code(hsv_client_last_error(client)), "events-gone");
        ck_assert_int_eq(hsv_events_watch(client, &since, 0, hear, &heard), -EBADMSG);
        heard = (Heard){ .n_wanted = 1 };
        ck_assert_int_eq(hsv_events_watch(client, &since, 0, hear, &heard), 0);
        ck_assert_str_eq(heard.text, "");
        stop();

        ck_assert(asked(0, "GET /v1/events?since=4 HTTP"));
        ck_assert(asked(1, "GET /v1/events HTTP"));
}
END_TEST

/* An answer that says that more will come, which does not. */
START_TEST(test_events_in_time) {
        static const Answer answers[] = { { "200 OK\r\nContent-Length: 99", NULL }, {} };
        Heard heard = { .n_wanted = 1 };

        start(answers);
        ck_assert_int_eq(hsv_events_watch(client, NULL, 50, hear, &heard), -ETIMEDOUT);
        stop();
}
END_TEST

static const struct {
        Answer answer;
        int r;
        unsigned http_status;
        const char *code;
} bad_answers[] = {
        { { "" }, -ECONNRESET, 0, "" },
        { { "200 OK\r\nContent-Length: 9\r\n\r\n{}" }, -ETIMEDOUT, 0, "" },
        { { "200 OK", "" }, -EBADMSG, 200, "" },
        { { "200 OK", "<html>" }, -EBADMSG, 200, "" },
        { { "302 Found", "{}" }, -EBADMSG, 302, "" },
        { { "404 Not Found", "{\"code\":\"device-not-found\"}" }, HSV_REFUSED, 404, "device-not-found" },
        { { "503 Busy", "<html>" }, HSV_REFUSED, 503, "" },
        { { "200 OK", "{\"more\": \"than the forty bytes that are read\"}" }, -EMSGSIZE, 0, "" },
};

START_TEST(test_bad_answer) {
        const Answer answers[] = { bad_answers[_i].answer, {} };
        HsvDocument *document = NULL;
        const HsvError *e;

        ck_assert_int_eq(hsv_client_set_max_answer(client, 40), 0);
        if (bad_answers[_i].r == -ETIMEDOUT)
                ck_assert_int_eq(hsv_client_set_timeouts(client, 500, 500), 0);
        start(answers);
        ck_assert_int_eq(hsv_device_get(client, "vm1", &document), bad_answers[_i].r);
        ck_assert_ptr_null(document);
        e = hsv_client_last_error(client);
        ck_assert_uint_eq(hsv_error_http_status(e), bad_answers[_i].http_status);
        ck_assert_str_eq(hsv_error_code(e), bad_answers[_i].code);
        ck_assert_str_ne(hsv_error_detail(e), "");
        ck_assert(hsv_error_was_sent(e));
        stop();
}
END_TEST

/* A kept connection that the daemon has closed: what only looks may be asked again, by curl; what changes
 * may not.
 * */
START_TEST(test_nothing_twice) {
        static const Answer answers[] = { { "200 OK", "{}" },   { "" }, { "200 OK", "{}" }, { "" },
                                          { "204 No Content" }, {} };
        HsvDocument *document = NULL;

        start(answers);
        ck_assert_int_eq(hsv_host_get(client, &document), 0);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_host_get(client, &document), 0);
        hsv_document_free(document);
        ck_assert_int_eq(hsv_device_delete(client, "vm1", NULL, 0, 0), -ECONNRESET);
        ck_assert(hsv_error_was_sent(hsv_client_last_error(client)));
        ck_assert_int_eq(hsv_device_delete(client, "vm1", NULL, 0, 0), 0);
        stop();
        ck_assert_uint_eq(server.n_requests, 5);
}
END_TEST

START_TEST(test_nobody_there) {
        HsvDocument *document = NULL;
        HsvClient *other = NULL;

        /* Bound, but nobody listens. */
        ck_assert_int_eq(hsv_host_get(client, &document), -ECONNREFUSED);
        ck_assert(!hsv_error_was_sent(hsv_client_last_error(client)));
        ck_assert_int_eq(hsv_client_new("unix:/nonexistent/socket", &other), 0);
        ck_assert_int_eq(hsv_host_get(other, &document), -ENOENT);
        ck_assert_ptr_nonnull(strstr(hsv_error_detail(hsv_client_last_error(other)), "unix:/nonexistent/socket"));
        hsv_client_free(other);
        ck_assert_ptr_null(document);
}
END_TEST

/* Nobody accepts: the first connection fills the queue, and the next one waits. */
START_TEST(test_full_queue) {
        HsvDocument *document = NULL;
        HsvClient *other = NULL;

        ck_assert_int_eq(listen(server.listener, 0), 0);
        ck_assert_int_eq(hsv_client_set_timeouts(client, 500, 500), 0);
        ck_assert_int_eq(hsv_host_get(client, &document), -ETIMEDOUT);
        ck_assert(hsv_error_was_sent(hsv_client_last_error(client)));

        ck_assert_int_eq(hsv_client_new(server.url, &other), 0);
        ck_assert_int_eq(hsv_client_set_timeouts(other, 50, 5000), 0);
        ck_assert_int_eq(hsv_host_get(other, &document), -ETIMEDOUT);
        ck_assert(!hsv_error_was_sent(hsv_client_last_error(other)));
        hsv_client_free(other);
}
END_TEST

START_TEST(test_environment) {
        HsvClient *other = NULL;

        ck_assert_int_eq(setenv("HSVDPA_URL", "http://[::1]:80", 1), 0);
        ck_assert_int_eq(hsv_client_new(NULL, &other), 0);
        ck_assert_str_eq(hsv_client_get_url(other), "http://[::1]:80");
        other = hsv_client_free(other);
        ck_assert_int_eq(unsetenv("HSVDPA_URL"), 0);
        ck_assert_int_eq(hsv_client_new(NULL, &other), 0);
        ck_assert_str_eq(hsv_client_get_url(other), HSV_DEFAULT_URL);
        other = hsv_client_free(other);
        ck_assert_int_eq(hsv_client_new("nowhere", &other), -EINVAL);
        ck_assert_ptr_null(other);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("client-calls");
        TCase *tcase = tcase_create("calls");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_set_timeout(tcase, 30);
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_requests);
        tcase_add_test(tcase, test_looking_and_planning);
        tcase_add_test(tcase, test_arguments);
        tcase_add_test(tcase, test_pages);
        tcase_add_test(tcase, test_pages_without_end);
        tcase_add_test(tcase, test_drift_and_adoption);
        tcase_add_test(tcase, test_events);
        tcase_add_test(tcase, test_events_in_time);
        tcase_add_loop_test(tcase, test_bad_answer, 0, (int) ELEMENTSOF(bad_answers));
        tcase_add_test(tcase, test_nothing_twice);
        tcase_add_test(tcase, test_nobody_there);
        tcase_add_test(tcase, test_full_queue);
        tcase_add_test(tcase, test_environment);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
