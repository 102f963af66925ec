/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory of its own for each test of the simulation, and what has to be left out under valgrind. */

#include <check.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

static char test_dir[64];

static inline void test_dir_make(void) {
        (void) snprintf(test_dir, sizeof test_dir, "/tmp/hsvdpa-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(test_dir));
}

static inline int test_dir_visit(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static inline void test_dir_remove(void) {
        ck_assert_int_eq(nftw(test_dir, test_dir_visit, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline _unused_ bool test_under_valgrind(void) {
        const char *preload = getenv("LD_PRELOAD");

        return preload && strstr(preload, "valgrind");
}
