/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/clock.h"

#define TIMEOUT_SEC 60

/* Those of the program, and of the test that runs in it. */
static char program_directory[200], directory[256];
static int saved_stderr = -1;
static uint64_t random_state;

static bool make_program_directory(void) {
        const char *parent = getenv("TMPDIR");

        (void) snprintf(program_directory, sizeof program_directory, "%s/hsvdpa-unit-XXXXXX", parent ?: "/tmp");
        return mkdtemp(program_directory);
}

static void make_directory(void) {
        (void) snprintf(directory, sizeof directory, "%s/XXXXXX", program_directory);
        ck_assert_ptr_nonnull(mkdtemp(directory));
        random_state = 1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static void remove_directory(void) {
        ck_assert_int_eq(nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int unit_main(const char *name, void (*add)(TCase *tcase)) {
        Suite *suite = suite_create(name);
        TCase *tcase = tcase_create(name);
        SRunner *runner = srunner_create(suite);
        int n_failed;

        if (!make_program_directory()) {
                perror(program_directory);
                return 1;
        }
        tcase_set_timeout(tcase, unit_is_slow() ? 20 * TIMEOUT_SEC : 2 * TIMEOUT_SEC);
        tcase_add_checked_fixture(tcase, make_directory, remove_directory);
        add(tcase);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        /* A test that fails or dies leaves its own behind. */
        (void) nftw(program_directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        return n_failed > 0;
}

const char *unit_directory(void) {
        return directory;
}

const char *unit_path(const char *name) {
        static char paths[8][512];
        static unsigned next;
        char *path = paths[next++ % ELEMENTSOF(paths)];

        (void) snprintf(path, sizeof paths[0], "%s/%s", directory, name);
        return path;
}

char *unit_read_file(const char *path, size_t *ret_size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        char *data;

        ck_assert_msg(fd >= 0, "cannot open %s", path);
        ck_assert_int_eq(fstat(fd, &st), 0);
        data = malloc((size_t) st.st_size + 1);
        ck_assert_ptr_nonnull(data);
        ck_assert_int_eq(read(fd, data, (size_t) st.st_size), st.st_size);
        data[st.st_size] = '\0';
        if (ret_size)
                *ret_size = (size_t) st.st_size;
        return data;
}

void unit_write_file(const char *path, const void *data, size_t size) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_msg(fd >= 0, "cannot make %s", path);
        ck_assert_int_eq(write(fd, data, size), (ssize_t) size);
}

void unit_capture_begin(void) {
        _cleanup_close_ int fd = open(unit_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        saved_stderr = dup(STDERR_FILENO);
        ck_assert_int_ge(saved_stderr, 0);
        ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
}

char *unit_capture_end(void) {
        ck_assert_int_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
        close(saved_stderr);
        return unit_read_file(unit_path("stderr"), NULL);
}

void unit_run_until(sd_event *event, bool (*condition)(void *userdata), void *userdata) {
        uint64_t end = clock_monotonic_usec() + TIMEOUT_SEC * USEC_PER_SEC;

        while (!condition(userdata)) {
                ck_assert_msg(clock_monotonic_usec() < end, "what the test waits for does not happen");
                ck_assert_int_ge(sd_event_run(event, 10 * USEC_PER_MSEC), 0);
        }
}

/* The multiplier and the increment of Knuth's MMIX; the high bits are the good ones. */
uint32_t unit_random(uint32_t n) {
        random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t) ((random_state >> 32) % n);
}

bool unit_is_slow(void) {
        const char *preload = getenv("LD_PRELOAD");

        return preload && strstr(preload, "valgrind");
}

bool unit_is_long(void) {
        const char *value = getenv("HSVDPA_TEST_LONG");

        return value && value[0] && strcmp(value, "0") != 0;
}
