/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "unit.h"
#include "util/log.h"

static void set_up(void) {
        log_open(LOG_EMERG);
}

static const char *unix_address(const char *name) {
        static char address[512];

        (void) snprintf(address, sizeof address, "unix:%s", unit_path(name));
        return address;
}

static const struct {
        const char *address;
        int r;
} addresses[] = {
        { "unix:/run/x.sock", 0 },
        { "tcp:127.0.0.1:80", 0 },
        { "tcp:localhost:65535", 0 },
        { "tcp:[::1]:80", 0 },
        { "tcp:::1:80", 0 },
        { "unix:", -EINVAL },
        { "unix:x.sock", -EINVAL },
        { "unix:@abstract", -EINVAL },
        { "tcp:", -EINVAL },
        { "tcp::80", -EINVAL },
        { "tcp:127.0.0.1", -EINVAL },
        { "tcp:127.0.0.1:", -EINVAL },
        { "tcp:[]:80", -EINVAL },
        { "tcp:127.0.0.1:65536", -EINVAL },
        { "tcp:127.0.0.1:70000", -EINVAL },
        { "tcp:127.0.0.1:http", -EINVAL },
        { "tcp:127.0.0.1:-1", -EINVAL },
        { "tcp:127.0.0.1: 1", -EINVAL },
        { "tcp:127.0.0.1:99999999", -EINVAL },
        { "http://127.0.0.1:80", -EINVAL },
        { "127.0.0.1:80", -EINVAL },
        { "", -EINVAL },
        { "tcp", -EINVAL },
        { "UNIX:/x", -EINVAL },
};

START_TEST(test_check) {
        ck_assert_int_eq(listen_check(addresses[_i].address), addresses[_i].r);
}
END_TEST

START_TEST(test_check_long) {
        char address[256];

        /* sun_path has 108 bytes, one of them for the NUL. */
        memset(address, 'x', sizeof address);
        memcpy(address, "unix:/", 6);
        address[5 + 107] = '\0';
        ck_assert_int_eq(listen_check(address), 0);
        address[5 + 107] = 'x';
        address[5 + 108] = '\0';
        ck_assert_int_eq(listen_check(address), -EINVAL);
        memcpy(address, "tcp:xx", 6);
        strcpy(address + 4 + 64, ":80");
        ck_assert_int_eq(listen_check(address), -EINVAL);
}
END_TEST

static int connect_to(const char *name) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        strcpy(sa.sun_path, unit_path(name));
        ck_assert_int_eq(connect(fd, (const struct sockaddr *) &sa, sizeof sa), 0);
        return fd;
}

START_TEST(test_unix) {
        _cleanup_close_ int fd = -1, client = -1, server = -1;
        struct stat st;

        ck_assert_int_eq(listen_open(unix_address("s"), &fd), 0);
        ck_assert_int_eq(stat(unit_path("s"), &st), 0);
        ck_assert(S_ISSOCK(st.st_mode));
        ck_assert_uint_eq(st.st_mode & 0117, 0);

        /* Nobody there yet: it does not wait. */
        ck_assert_int_lt(accept(fd, NULL, NULL), 0);
        ck_assert_int_eq(errno, EAGAIN);
        client = connect_to("s");
        server = accept(fd, NULL, NULL);
        ck_assert_int_ge(server, 0);
        listen_remove(unix_address("s"));
        ck_assert_int_lt(stat(unit_path("s"), &st), 0);
        listen_remove(unix_address("s"));
}
END_TEST

/* What a killed daemon left behind is in nobody's way; what a living one has is. */
START_TEST(test_stale) {
        _cleanup_close_ int second = -1, third = -1;
        int first = -1;

        ck_assert_int_eq(listen_open(unix_address("s"), &first), 0);
        ck_assert_int_eq(listen_open(unix_address("s"), &second), -EADDRINUSE);
        ck_assert_int_eq(second, -1);
        close(connect_to("s"));
        close(first);
        ck_assert_int_eq(listen_open(unix_address("s"), &third), 0);
        close(connect_to("s"));
}
END_TEST

/* A living one that is too busy to answer is a living one, and asking it does not wait. */
START_TEST(test_busy) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), second = -1, client = -1;

        strcpy(sa.sun_path, unit_path("s"));
        ck_assert_int_eq(bind(fd, (const struct sockaddr *) &sa, sizeof sa), 0);
        ck_assert_int_eq(listen(fd, 0), 0);
        client = connect_to("s");
        ck_assert_int_eq(listen_open(unix_address("s"), &second), -EADDRINUSE);
}
END_TEST

START_TEST(test_in_the_way) {
        _cleanup_close_ int fd = -1;

        unit_write_file(unit_path("file"), "precious", 8);
        ck_assert_int_eq(listen_open(unix_address("file"), &fd), -EEXIST);
        ck_assert_int_eq(symlink(unit_path("file"), unit_path("link")), 0);
        ck_assert_int_eq(listen_open(unix_address("link"), &fd), -EEXIST);
        ck_assert_int_eq(mkdir(unit_path("directory"), 0700), 0);
        ck_assert_int_eq(listen_open(unix_address("directory"), &fd), -EEXIST);
        ck_assert_int_eq(listen_open(unix_address("none/s"), &fd), -ENOENT);
        ck_assert_int_eq(fd, -1);
        free(unit_read_file(unit_path("file"), NULL));
}
END_TEST

/* The process's own mask is as before. */
START_TEST(test_umask) {
        _cleanup_close_ int fd = -1;

        umask(027);
        ck_assert_int_eq(listen_open(unix_address("s"), &fd), 0);
        ck_assert_uint_eq(umask(0), 027);
}
END_TEST

static const struct {
        const char *address;
        int r;
} remotes[] = {
        { "tcp:0.0.0.0:0", -EPERM },
        { "tcp:192.0.2.1:0", -EPERM },
        { "tcp:126.255.255.255:0", -EPERM },
        { "tcp:128.0.0.1:0", -EPERM },
        { "tcp:[::]:0", -EPERM },
        { "tcp:[2001:db8::1]:0", -EPERM },
        { "tcp:[::ffff:8.8.8.8]:0", -EPERM },
        { "tcp:example.org:0", -EINVAL },
        { "tcp:127.0.0.1.example.org:0", -EINVAL },
};

START_TEST(test_remote) {
        int fd = -1;

        ck_assert_int_eq(listen_open(remotes[_i].address, &fd), remotes[_i].r);
        ck_assert_int_eq(fd, -1);
}
END_TEST

static in_port_t port_of(int fd) {
        struct sockaddr_in sa = {};
        socklen_t size = sizeof sa;

        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &sa, &size), 0);
        ck_assert_uint_eq(ntohl(sa.sin_addr.s_addr), INADDR_LOOPBACK);
        return ntohs(sa.sin_port);
}

START_TEST(test_tcp) {
        _cleanup_close_ int fd = -1, second = -1;
        char address[64];

        ck_assert_int_eq(listen_open("tcp:localhost:0", &fd), 0);
        (void) snprintf(address, sizeof address, "tcp:127.0.0.1:%u", port_of(fd));
        ck_assert_int_eq(listen_open(address, &second), -EADDRINUSE);
        ck_assert_int_eq(second, -1);
        listen_remove(address);
        close(TAKE_FD(fd));
        ck_assert_int_eq(listen_open(address, &second), 0);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, test_check, 0, (int) ELEMENTSOF(addresses));
        tcase_add_test(tcase, test_check_long);
        tcase_add_test(tcase, test_unix);
        tcase_add_test(tcase, test_stale);
        tcase_add_test(tcase, test_busy);
        tcase_add_test(tcase, test_in_the_way);
        tcase_add_test(tcase, test_umask);
        tcase_add_loop_test(tcase, test_remote, 0, (int) ELEMENTSOF(remotes));
        tcase_add_test(tcase, test_tcp);
}

int main(void) {
        return unit_main("listen", add);
}
