/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Changes that the database refuses, or cannot take now because another program has it. */
#include <errno.h>
#include <string.h>

#include "store-rig.h"
#include "unit.h"

/* One that cannot be done does not take its neighbours along, and what it did itself is undone. The lock that
 * another program holds gathers them in one batch. */
START_TEST(test_bad_neighbour) {
        Done first = {}, good = {}, bad = {}, removal = {}, last = {};
        sqlite3 *db;

        disk_open();
        ck_assert_int_eq(disk_put("r", 1, DEVICE_READY, NULL), 0);
        disk_drain();
        db = disk_open_beside("CREATE TRIGGER refuse BEFORE INSERT ON device WHEN NEW.name = 'bad' "
                              "BEGIN SELECT RAISE(ABORT, 'refused by the test'); END; BEGIN IMMEDIATE;");
        ck_assert_int_eq(disk_put("a", 2, DEVICE_READY, &first), 0);
        usleep(50000);
        ck_assert_int_eq(disk_put("b", 3, DEVICE_READY, &good), 0);
        ck_assert_int_eq(disk_put("bad", 4, DEVICE_READY, &bad), 0);
        ck_assert_int_eq(store_remove_device(disk.store, disk_put_device("r", 0, DEVICE_DELETING), 5, NULL, NULL,
                                             disk_on_done, &removal),
                         0);
        ck_assert_int_eq(disk_put("c", 6, DEVICE_READY, &last), 0);
        ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        disk_drain();
        ck_assert(!first.failed && !good.failed && !removal.failed && !last.failed);
        ck_assert_uint_eq(first.n + good.n + bad.n + removal.n + last.n, 5);
        ck_assert(bad.failed);
        ck_assert_int_eq(bad.failure.code, ERROR_STORE_FAILED);
        ck_assert_ptr_nonnull(strstr(bad.failure.detail, "refused by the test"));
        ck_assert_str_eq(disk_names(), "a:ready b:ready c:ready");
        disk_close();
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

/* A database that stays locked by another program: all fail after one wait, and the next one works. */
START_TEST(test_locked_out) {
        uint64_t before;
        Done done[20] = {};
        sqlite3 *db;

        disk_open();
        db = disk_open_beside("BEGIN IMMEDIATE");
        before = clock_monotonic_usec();
        for (unsigned i = 0; i < ELEMENTSOF(done); i++)
                ck_assert_int_eq(disk_put("a", i + 1, DEVICE_READY, &done[i]), 0);
        disk_drain();
        ck_assert_uint_lt(clock_monotonic_usec() - before, 30 * USEC_PER_SEC);
        for (unsigned i = 0; i < ELEMENTSOF(done); i++) {
                ck_assert_uint_eq(done[i].n, 1);
                ck_assert_int_eq(done[i].failure.error, EBUSY);
        }
        ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        done[0] = (Done){};
        ck_assert_int_eq(disk_put("b", 30, DEVICE_READY, &done[0]), 0);
        disk_drain();
        ck_assert(!done[0].failed);
        ck_assert_str_eq(disk_names(), "b:ready");
        disk_close();
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

/* A start without revisions of its own gets them with its first change. */
START_TEST(test_revisions_cannot_be_reserved) {
        sqlite3 *db;

        disk_open();
        db = disk_open_beside("BEGIN IMMEDIATE");
        ck_assert_str_eq(disk_names(), "");
        ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
        ck_assert_int_eq(disk_put("a", 1, DEVICE_READY, NULL), 0);
        disk_close();
        disk_open();
        ck_assert_uint_gt(store_revision(disk.store), 1000000);
        disk_close();
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_bad_neighbour);
        tcase_add_test(tcase, test_locked_out);
        tcase_add_test(tcase, test_revisions_cannot_be_reserved);
}

int main(void) {
        return unit_main("store-trouble", add);
}
