/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The runner of the tests: what they leave behind. */
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(test_passes) {
        unit_write_file(unit_path("file"), "x", 1);
}
END_TEST

START_TEST(test_fails) {
        unit_write_file(unit_path("file"), "x", 1);
        ck_assert_msg(unit_path("file")[0] == '\0', "as it shall");
}
END_TEST

START_TEST(test_dies) {
        unit_write_file(unit_path("file"), "x", 1);
        (void) raise(SIGKILL);
}
END_TEST

static void add_bad(TCase *tcase) {
        const char *fork_mode = getenv("CK_FORK");

        tcase_add_test(tcase, test_passes);
        tcase_add_test(tcase, test_fails);
        if (!fork_mode || strcmp(fork_mode, "no") != 0)
                tcase_add_test(tcase, test_dies);
}

static size_t count_entries(const char *path) {
        DIR *dir = opendir(path);
        size_t n = 0;

        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

START_TEST(test_leaves_nothing) {
        size_t before = count_entries(unit_directory());
        int status;
        pid_t pid;

        ck_assert_int_eq(setenv("TMPDIR", unit_directory(), true), 0);
        (void) fflush(stdout);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                /* Its failures are none of this program's. */
                if (!freopen("/dev/null", "w", stdout))
                        _exit(EXIT_FAILURE + 1);
                _exit(unit_main("bad", add_bad));
        }

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 1);
        ck_assert_uint_eq(count_entries(unit_directory()), before);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_leaves_nothing);
}

int main(void) {
        return unit_main("unit", add);
}
