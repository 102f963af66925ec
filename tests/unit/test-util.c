/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Logging, the clock, directories, digits. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "unit.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/log-rate.h"
#include "util/log.h"

static const struct {
        uint64_t usec;
        const char *text;
} times[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },
        { UINT64_C(999999), "1970-01-01T00:00:00.999999Z" },
        { UINT64_C(951782400000001), "2000-02-29T00:00:00.000001Z" },
        { UINT64_C(1795344691123456), "2026-11-22T10:51:31.123456Z" },
        { UINT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z" },
};

START_TEST(test_clock_format) {
        char buffer[RFC3339_MAX];

        ck_assert_ptr_eq(clock_format(times[_i].usec, buffer), buffer);
        ck_assert_str_eq(buffer, times[_i].text);
}
END_TEST

/* A time that no year of four digits has is wrong, but must stay in the buffer. */
START_TEST(test_clock_format_too_late) {
        char buffer[RFC3339_MAX];

        ck_assert_uint_lt(strlen(clock_format(UINT64_MAX, buffer)), RFC3339_MAX);
}
END_TEST

START_TEST(test_clocks) {
        uint64_t before = clock_monotonic_usec(), now = clock_realtime_usec();

        ck_assert_uint_le(now / USEC_PER_SEC - (uint64_t) time(NULL), 1);
        ck_assert_uint_le(before, clock_monotonic_usec());
}
END_TEST

START_TEST(test_log_line) {
        _cleanup_free_ char *text = NULL;

        log_open(LOG_INFO);
        unit_capture_begin();
        ck_assert_int_eq(log_info("plain %d", 1), 0);
        ck_assert_int_eq(log_error_errno(-ENOENT, "no: %m"), -ENOENT);
        ck_assert_int_eq(log_warning_errno(EPERM, "no: %m"), -EPERM);
        ck_assert_int_eq(log_device(LOG_NOTICE, 0, "vm0", "ready"), 0);
        ck_assert_int_eq(log_mgmtdev(LOG_ERR, EIO, "bus/dev", "%m"), -EIO);
        ck_assert_int_eq(log_oom(), -ENOMEM);
        text = unit_capture_end();
        ck_assert_str_eq(text, "plain 1\n"
                               "no: No such file or directory\n"
                               "no: Operation not permitted\n"
                               "vm0: ready\n"
                               "bus/dev: Input/output error\n"
                               "Out of memory\n");
}
END_TEST

/* What is not said returns all the same. */
START_TEST(test_log_level) {
        _cleanup_free_ char *text = NULL;

        log_open(LOG_WARNING);
        ck_assert_int_eq(log_get_max_level(), LOG_WARNING);
        unit_capture_begin();
        log_debug("debug");
        ck_assert_int_eq(log_full(LOG_NOTICE, EIO, NULL, NULL, "notice"), -EIO);
        log_warning("warning");
        text = unit_capture_end();
        ck_assert_str_eq(text, "warning\n");
}
END_TEST

/* A stream that is not stderr's own, or a variable that makes no sense, does not make it the journal. */
START_TEST(test_log_journal_stream) {
        static const char *const streams[] = { "1:2", "nonsense", "", "1:" };
        _cleanup_free_ char *text = NULL;

        unit_capture_begin();
        for (size_t i = 0; i < ELEMENTSOF(streams); i++) {
                setenv("JOURNAL_STREAM", streams[i], 1);
                log_open(LOG_INFO);
                log_info("%zu", i);
        }
        text = unit_capture_end();
        ck_assert_str_eq(text, "0\n1\n2\n3\n");
}
END_TEST

/* With fields, for which the right stream is enough: a journal that is not there swallows them. */
START_TEST(test_log_to_journal) {
        _cleanup_free_ char *text = NULL;
        char stream[64];
        struct stat st;

        unit_capture_begin();
        ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
        (void) snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long) st.st_dev,
                        (unsigned long long) st.st_ino);
        setenv("JOURNAL_STREAM", stream, 1);
        log_open(LOG_DEBUG);
        ck_assert_int_eq(log_device(LOG_DEBUG, EIO, "vm0", "%m"), -EIO);
        ck_assert_int_eq(log_debug("without a field"), 0);
        text = unit_capture_end();
        ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_log_too_long) {
        _cleanup_free_ char *text = NULL;
        char message[4096];

        memset(message, 'x', sizeof message - 1);
        message[sizeof message - 1] = '\0';
        log_open(LOG_INFO);
        unit_capture_begin();
        log_info("%s", message);
        text = unit_capture_end();
        ck_assert_uint_eq(strlen(text), 1024);
        ck_assert_str_eq(text + 1020, "xxx\n");
}
END_TEST

static void *log_much(void *userdata) {
        for (int i = 0; i < 100; i++)
                log_device(LOG_INFO, 0, userdata, "abcdefghijklmnopqrstuvwxyz");
        return NULL;
}

START_TEST(test_log_from_threads) {
        _cleanup_free_ char *text = NULL;
        char a[] = "a", b[] = "b";
        pthread_t thread;
        size_t n = 0;

        log_open(LOG_INFO);
        unit_capture_begin();
        ck_assert_int_eq(pthread_create(&thread, NULL, log_much, a), 0);
        log_much(b);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        text = unit_capture_end();
        for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                ck_assert_str_eq(line + 1, ": abcdefghijklmnopqrstuvwxyz");
                n++;
        }
        ck_assert_uint_eq(n, 200);
}
END_TEST

static unsigned count_lines(const char *text) {
        unsigned n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/* What is wrong for everyone is not said to the log as often as they ask. */
START_TEST(test_log_rate) {
        _cleanup_free_ char *text = NULL;

        log_open(LOG_INFO);
        unit_capture_begin();
        for (unsigned i = 0; i < 100000; i++)
                log_warning("the same %u", i);
        log_warning("another");
        for (unsigned i = 0; i < 1000; i++)
                log_notice("a change");
        text = unit_capture_end();
        ck_assert_uint_eq(count_lines(text), LOG_RATE_BURST + 1 + 1000);
        ck_assert_ptr_nonnull(strstr(text, "the same 99\nanother\n"));
}
END_TEST

START_TEST(test_log_rate_says_what_it_omits) {
        static const char format[] = "x";
        uint64_t now = 5;
        unsigned n;

        for (unsigned span = 0; span < 3; span++) {
                for (unsigned i = 0; i < LOG_RATE_BURST; i++) {
                        ck_assert(log_rate_allows(format, now, &n));
                        ck_assert_uint_eq(n, span > 0 && i == 0 ? 7 : 0);
                }
                for (unsigned i = 0; i < 7; i++)
                        ck_assert(!log_rate_allows(format, now + LOG_RATE_SPAN_USEC - 1, &n));
                now += LOG_RATE_SPAN_USEC;
        }
}
END_TEST

static mode_t mode_of(const char *name) {
        struct stat st;

        ck_assert_int_eq(stat(unit_path(name), &st), 0);
        return st.st_mode & 07777;
}

START_TEST(test_hex_digit) {
        static const char digits[] = "0123456789abcdef";

        for (int c = CHAR_MIN; c <= CHAR_MAX; c++) {
                const char *digit = c ? strchr(digits, tolower((unsigned char) c)) : NULL;

                ck_assert_int_eq(hex_digit((char) c), digit ? (int) (digit - digits) : -EINVAL);
        }
}
END_TEST

START_TEST(test_make_directory) {
        ck_assert_int_eq(fs_make_directory(unit_path("a/b//c/"), 0700), 0);
        ck_assert_int_eq(fs_make_directory(unit_path("a/b/c"), 0700), 0);
        ck_assert_int_eq(fs_make_directory(unit_path("d"), 0700), 0);
        ck_assert_uint_eq(mode_of("a"), 0755);
        ck_assert_uint_eq(mode_of("a/b"), 0755);
        ck_assert_uint_eq(mode_of("d"), 0700);
        ck_assert_int_eq(fs_make_directory("/", 0700), 0);
}
END_TEST

/* The mode is that of the last directory, also when a slash follows it. */
START_TEST(test_make_directory_slash) {
        ck_assert_int_eq(fs_make_directory(unit_path("e/"), 0700), 0);
        ck_assert_uint_eq(mode_of("e"), 0700);
}
END_TEST

START_TEST(test_make_directory_in_the_way) {
        unit_write_file(unit_path("file"), "", 0);
        ck_assert_int_eq(fs_make_directory(unit_path("file"), 0755), -ENOTDIR);
        ck_assert_int_eq(fs_make_directory(unit_path("file/below"), 0755), -ENOTDIR);
        ck_assert_int_eq(symlink("nowhere", unit_path("link")), 0);
        ck_assert_int_lt(fs_make_directory(unit_path("link"), 0755), 0);
        ck_assert_int_eq(symlink(unit_directory(), unit_path("good")), 0);
        ck_assert_int_eq(fs_make_directory(unit_path("good/new"), 0755), 0);
}
END_TEST

START_TEST(test_join) {
        _cleanup_free_ char *path = fs_join("/a/b", "c");

        ck_assert_str_eq(path, "/a/b/c");
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_clock_format, 0, (int) ELEMENTSOF(times));
        tcase_add_test(tcase, test_clock_format_too_late);
        tcase_add_test(tcase, test_clocks);
        tcase_add_test(tcase, test_log_line);
        tcase_add_test(tcase, test_log_level);
        tcase_add_test(tcase, test_log_journal_stream);
        tcase_add_test(tcase, test_log_to_journal);
        tcase_add_test(tcase, test_log_too_long);
        tcase_add_test(tcase, test_log_from_threads);
        tcase_add_test(tcase, test_log_rate);
        tcase_add_test(tcase, test_log_rate_says_what_it_omits);
        tcase_add_test(tcase, test_hex_digit);
        tcase_add_test(tcase, test_join);
        tcase_add_test(tcase, test_make_directory);
        tcase_add_test(tcase, test_make_directory_slash);
        tcase_add_test(tcase, test_make_directory_in_the_way);
}

int main(void) {
        return unit_main("util", add);
}
