/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/connection.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define MAX_PER_USER 4

static HttpConnections all;
static HttpConnection *connections[16];
static int clients[ELEMENTSOF(connections)];
static size_t n_connections;

static void setup(void) {
        http_connections_init(&all, ELEMENTSOF(connections), MAX_PER_USER);
        n_connections = 0;
}

static HttpConnection *connect_client(HttpPhase phase) {
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        connections[n_connections] = http_connection_open(&all, fds[0]);
        ck_assert_ptr_nonnull(connections[n_connections]);
        clients[n_connections] = fds[1];
        http_connection_set_phase(&all, connections[n_connections], phase);
        return connections[n_connections++];
}

static void end(size_t i) {
        int fd = connections[i]->fd;

        http_connection_close(&all, connections[i]);
        connections[i] = NULL;
        (void) close(fd);
        (void) close(clients[i]);
}

static void teardown(void) {
        for (size_t i = 0; i < n_connections; i++)
                if (connections[i])
                        end(i);
        ck_assert_uint_eq(all.n, 0);
        ck_assert(LIST_EMPTY(&all.callers));
}

static void assert_shut(const char *expected) {
        for (size_t i = 0; i < n_connections; i++)
                if (connections[i])
                        ck_assert_msg(connections[i]->is_shut == (expected[i] == 'x'), "%zu of %s", i, expected);
}

START_TEST(test_idle_longest_goes_first) {
        for (int i = 0; i < MAX_PER_USER + 2; i++)
                (void) connect_client(HTTP_IDLE);
        assert_shut("xx....");
        ck_assert_uint_eq(all.n, MAX_PER_USER);
}
END_TEST

START_TEST(test_one_that_waits_for_an_answer_stays) {
        (void) connect_client(HTTP_WORKING);
        (void) connect_client(HTTP_SENDING);
        (void) connect_client(HTTP_RECEIVING);
        (void) connect_client(HTTP_IDLE);
        (void) connect_client(HTTP_WORKING);
        assert_shut("..x..");
        (void) connect_client(HTTP_WORKING);
        assert_shut("..xx..");
}
END_TEST

/* The library may take its time to find out that a connection was shut down: it must not cost another one. */
START_TEST(test_one_that_was_shut_down_counts_no_more) {
        (void) connect_client(HTTP_SENDING);
        for (int i = 0; i < MAX_PER_USER; i++)
                (void) connect_client(HTTP_IDLE);
        assert_shut(".x...");
        end(0);
        (void) connect_client(HTTP_IDLE);
        assert_shut(".x....");
        end(1);
        (void) connect_client(HTTP_IDLE);
        assert_shut("..x....");
}
END_TEST

/* All of a burst may be taken in before the first request of it is read. */
START_TEST(test_one_whose_request_is_there_stays) {
        for (int i = 0; i < MAX_PER_USER; i++) {
                (void) connect_client(HTTP_IDLE);
                ck_assert_int_eq(write(clients[i], "G", 1), 1);
        }
        (void) connect_client(HTTP_IDLE);
        assert_shut("....x");
        end(2);
        (void) connect_client(HTTP_IDLE);
        (void) connect_client(HTTP_IDLE);
        assert_shut("....xx.");
}
END_TEST

START_TEST(test_one_too_many_is_answered) {
        char text[512] = "";

        for (int i = 0; i < MAX_PER_USER; i++)
                (void) connect_client(HTTP_WORKING);
        (void) connect_client(HTTP_IDLE);
        assert_shut("....x");
        ck_assert_int_gt(read(clients[MAX_PER_USER], text, sizeof text - 1), 0);
        ck_assert_ptr_nonnull(strstr(text, "HTTP/1.1 503 "));
        end(0);
        (void) connect_client(HTTP_IDLE);
        assert_shut("....x.");
}
END_TEST

/* A part of all is kept for those that come. */
START_TEST(test_all_of_all_users) {
        all.max_per_user = ELEMENTSOF(connections);
        for (size_t i = 0; i < ELEMENTSOF(connections); i++)
                (void) connect_client(HTTP_IDLE);
        assert_shut("xx..............");
}
END_TEST

START_TEST(test_what_is_overdue) {
        (void) connect_client(HTTP_IDLE);
        (void) connect_client(HTTP_RECEIVING);
        (void) connect_client(HTTP_WORKING);
        (void) connect_client(HTTP_SENDING);
        http_connections_expire(&all, UINT64_MAX, UINT64_MAX);
        assert_shut("....");
        http_connections_expire(&all, 0, UINT64_MAX);
        assert_shut("x...");
        http_connections_expire(&all, UINT64_MAX, 0);
        assert_shut("xx.x");
        http_connections_expire(&all, 0, 0);
        ck_assert_uint_eq(all.n, 1);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_idle_longest_goes_first);
        tcase_add_test(tcase, test_one_that_waits_for_an_answer_stays);
        tcase_add_test(tcase, test_one_that_was_shut_down_counts_no_more);
        tcase_add_test(tcase, test_one_whose_request_is_there_stays);
        tcase_add_test(tcase, test_one_too_many_is_answered);
        tcase_add_test(tcase, test_all_of_all_users);
        tcase_add_test(tcase, test_what_is_overdue);
}

int main(void) {
        return unit_main("http-connection", add);
}
