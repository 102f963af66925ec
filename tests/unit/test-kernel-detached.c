/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * System calls that may not come back. A FIFO that nobody reads stands for a file of sysfs that hangs: to open it
 * for writing waits for a reader. */
#include "kernel/detached.h"

#include <errno.h>
#include <pthread.h>

#include "test-kernel.h"
#include "util/clock.h"

#define SOON (20 * USEC_PER_MSEC)
#define LATE (30 * USEC_PER_SEC)

static Detached detached;

static uint64_t in(uint64_t usec) {
        return clock_monotonic_usec() + usec;
}

static WriteStep step(const char *file, const char *text, bool maybe_absent) {
        WriteStep s = { .maybe_absent = maybe_absent };

        tree_path(s.path, "%s", file);
        (void) snprintf(s.text, sizeof s.text, "%s", text);
        return s;
}

static void make_fifo(const char *file) {
        char path[512];

        ck_assert_int_eq(mkfifo(tree_path(path, "%s", file), 0600), 0);
}

/* Lets whoever hangs on the FIFO go on, and returns the other end of it. */
static int open_fifo(const char *file) {
        char path[512];
        int fd = open(tree_path(path, "%s", file), O_RDONLY | O_NONBLOCK | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

static int write_one(const char *device, WriteStep s, uint64_t timeout_usec) {
        DetachedJob *job;
        int r = detached_start_writes(&detached, device, &s, 1, &job);

        return r < 0 ? r : detached_finish(&detached, job, in(timeout_usec));
}

static unsigned count_jobs(void) {
        unsigned n = 0;

        for (size_t i = 0; i < DETACHED_MAX; i++)
                n += detached.jobs[i] != NULL;
        return n;
}

START_TEST(test_writes) {
        WriteStep steps[] = { step("one", "1", false), step("two", "2", false), step("three", "3", false) };
        DetachedJob *job;

        tree_file("one", "");
        tree_file("two", "");
        tree_file("three", "");
        ck_assert_int_eq(detached_start_writes(&detached, "a", steps, 3, &job), 0);
        ck_assert_int_eq(detached_finish(&detached, job, in(LATE)), 0);
        tree_check_file("one", "1");
        tree_check_file("two", "2");
        tree_check_file("three", "3");
        ck_assert_uint_eq(count_jobs(), 0);
}
END_TEST

/* The first failure is the last step. */
START_TEST(test_writes_fail) {
        WriteStep steps[] = { step("one", "1", false), step("nothing", "2", true), step("three", "3", false) };
        DetachedJob *job;

        tree_file("one", "");
        tree_file("three", "");
        ck_assert_int_eq(detached_start_writes(&detached, "a", steps, 3, &job), 0);
        ck_assert_int_eq(detached_finish(&detached, job, in(LATE)), -ENOENT);
        tree_check_file("one", "1");
        tree_check_file("three", "");
        ck_assert_uint_eq(count_jobs(), 0);
}
END_TEST

START_TEST(test_limits) {
        WriteStep steps[DETACHED_STEPS_MAX + 1] = {};
        char name[DEVICE_NAME_MAX + 1];
        DetachedJob *job;

        memset(name, 'a', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        ck_assert_int_eq(detached_start_writes(&detached, "a", steps, ELEMENTSOF(steps), &job), -EINVAL);
        ck_assert_int_eq(detached_start_writes(&detached, name, steps, 1, &job), -EINVAL);
        ck_assert_uint_eq(count_jobs(), 0);
}
END_TEST

START_TEST(test_hang) {
        uint64_t before = clock_realtime_usec();
        int fd;

        make_fifo("fifo");
        tree_file("file", "");
        ck_assert_int_eq(write_one("a", step("fifo", "x", false), SOON), -EINPROGRESS);
        ck_assert_uint_ge(detached.hangs_since_usec, before);
        ck_assert_uint_le(detached.hangs_since_usec, clock_realtime_usec());
        before = detached.hangs_since_usec;

        /* Nothing more for this device; others go on. */
        detached.hangs_since_usec = 0;
        ck_assert_int_eq(write_one("a", step("file", "a", false), LATE), -EALREADY);
        ck_assert_uint_eq(detached.hangs_since_usec, before);
        tree_check_file("file", "");
        ck_assert_int_eq(write_one("b", step("file", "b", false), LATE), 0);
        tree_check_file("file", "b");
        ck_assert_uint_eq(count_jobs(), 1);

        fd = open_fifo("fifo");
        while (write_one("a", step("file", "c", false), LATE) == -EALREADY)
                usleep(1000);
        tree_check_file("file", "c");
        ck_assert_uint_eq(count_jobs(), 0);
        close(fd);
}
END_TEST

START_TEST(test_too_many) {
        char name[16];
        int fd;

        make_fifo("fifo");
        for (unsigned i = 0; i < DETACHED_MAX; i++) {
                (void) snprintf(name, sizeof name, "a%u", i);
                ck_assert_int_eq(write_one(name, step("fifo", "x", false), 0), -EINPROGRESS);
        }
        ck_assert_int_eq(write_one("b", step("fifo", "x", false), 0), -EAGAIN);
        ck_assert_int_eq(write_one("a0", step("fifo", "x", false), 0), -EALREADY);

        fd = open_fifo("fifo");
        while (write_one("b", step("fifo", "x", false), LATE) == -EAGAIN)
                usleep(1000);
        close(fd);
}
END_TEST

START_TEST(test_open) {
        char path[512];
        int fd;

        tree_file("file", "");
        fd = detached_open(&detached, "a", tree_path(path, "file"), O_RDONLY, in(LATE));
        ck_assert_int_ge(fd, 0);
        ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
        ck_assert_int_eq(detached_open(&detached, "a", tree_path(path, "nothing"), O_RDONLY, in(LATE)), -ENOENT);
        tree_link("link", "file");
        ck_assert_int_eq(detached_open(&detached, "a", tree_path(path, "link"), O_RDONLY, in(LATE)), -ELOOP);
        ck_assert_uint_eq(count_jobs(), 0);
}
END_TEST

/* What was opened too late is closed at once: nobody else could have the device. A reader of the FIFO sees its end
 * when the last writer has closed it. */
START_TEST(test_open_hang) {
        char path[512], byte;
        ssize_t n;
        int fd;

        make_fifo("fifo");
        ck_assert_int_eq(detached_open(&detached, "a", tree_path(path, "fifo"), O_WRONLY, in(SOON)), -EINPROGRESS);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        n = read(fd, &byte, 1);
        ck_assert_int_eq(n, 0);
        close(fd);
}
END_TEST

/* The threads need nothing of what is forgotten. */
START_TEST(test_done) {
        int fd;

        make_fifo("fifo");
        tree_file("file", "");
        ck_assert_int_eq(write_one("a", step("fifo", "x", false), 0), -EINPROGRESS);
        ck_assert_int_eq(write_one("b", step("fifo", "x", false), 0), -EINPROGRESS);
        detached_done(&detached);
        ck_assert_uint_eq(count_jobs(), 0);

        fd = open_fifo("fifo");
        ck_assert_int_eq(write_one("a", step("file", "a", false), LATE), 0);
        usleep(20000);
        close(fd);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_writes);
        tcase_add_test(tcase, test_writes_fail);
        tcase_add_test(tcase, test_limits);
        tcase_add_test(tcase, test_hang);
        tcase_add_test(tcase, test_too_many);
        tcase_add_test(tcase, test_open);
        tcase_add_test(tcase, test_open_hang);
        tcase_add_test(tcase, test_done);
}

int main(void) {
        return unit_main("kernel-detached", add);
}
