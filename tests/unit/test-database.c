/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which files the store takes for its own, and that it leaves the others as they are. */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store-rig.h"
#include "unit.h"

/* A database of ours with enough in it for a few pages. */
static void make_database(void) {
        disk_open();
        disk_close();
        disk_execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
                     "INSERT INTO device (name, uid, revision, created_revision, created_usec, generation, state, "
                     "mgmtdev, "
                     "spec, reason_code, reason) SELECT 'd' || i, 'uid', i, i, 0, 1, 'ready', 'm', "
                     "'{\"class\":\"net\"}', '', "
                     "'' "
                     "FROM n; PRAGMA wal_checkpoint(TRUNCATE);");
}

/* Opening must fail like this, and leave the file as it was; twice, because the first try might spoil it. */
static void expect_refusal(int error, const char *detail) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        size_t n_before, n_after;

        before = unit_read_file(disk_path(), &n_before);
        for (int i = 0; i < 2; i++) {
                Failure f;

                ck_assert_int_eq(disk_try_open(&f), -error);
                ck_assert_ptr_null(disk.store);
                ck_assert_int_eq(f.code, ERROR_STORE_FAILED);
                ck_assert_int_eq(f.error, error);
                ck_assert_msg(strstr(f.detail, disk_path()) && strstr(f.detail, detail), "%s", f.detail);
        }
        after = unit_read_file(disk_path(), &n_after);
        ck_assert_uint_eq(n_before, n_after);
        ck_assert_mem_eq(before, after, n_before);
}

static void overwrite(off_t offset, size_t size) {
        _cleanup_close_ int fd = open(disk_path(), O_WRONLY | O_CLOEXEC);
        char noise[4096];

        memset(noise, 0xa5, sizeof noise);
        ck_assert_int_eq(pwrite(fd, noise, size, offset), (ssize_t) size);
}

START_TEST(test_new) {
        disk_open();
        ck_assert_str_eq(store_boot_id(disk.store), "");
        disk_close();
        ck_assert_int_eq(disk_query("PRAGMA application_id"), 0x68737664);
        ck_assert_int_ge(disk_query("PRAGMA user_version"), 1);
        ck_assert_int_eq(disk_query("SELECT count(*) FROM device"), 0);
        ck_assert_int_eq(disk_query("SELECT count(*) FROM meta"), 2);
}
END_TEST

/* An empty file, which a full disk can leave, is as good as none. */
START_TEST(test_empty_file) {
        unit_write_file(disk_path(), "", 0);
        disk_open();
        disk_close();
        ck_assert_int_eq(disk_query("PRAGMA application_id"), 0x68737664);
}
END_TEST

/* A migration that was cut short has left nothing, and is made again. */
START_TEST(test_migration_cut_short) {
        pid_t child = fork();
        int status;

        if (child == 0) {
                sqlite3 *db;

                if (sqlite3_open(disk_path(), &db) == SQLITE_OK)
                        (void) sqlite3_exec(db, "PRAGMA journal_mode = WAL; BEGIN; CREATE TABLE meta (key);", NULL,
                                            NULL, NULL);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        disk_open();
        disk_close();
        ck_assert_int_eq(disk_query("SELECT count(*) FROM meta"), 2);
}
END_TEST

/* As the program of version 1 made and filled it. */
static const char *const version_1 =
        "PRAGMA journal_mode = WAL; BEGIN;"
        "CREATE TABLE meta (  key TEXT NOT NULL PRIMARY KEY,  value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE TABLE device (  name TEXT NOT NULL PRIMARY KEY,  uid TEXT NOT NULL,  revision INTEGER NOT NULL,  "
        "created_revision INTEGER NOT NULL,  created_usec INTEGER NOT NULL,  generation INTEGER NOT NULL,  "
        "state TEXT NOT NULL,  mgmtdev TEXT NOT NULL,  spec TEXT NOT NULL,  reason_code TEXT NOT NULL,  "
        "reason TEXT NOT NULL) STRICT, WITHOUT ROWID;"
        "INSERT INTO meta (key, value) VALUES ('revision', '33554441'), ('boot_id', 'b');"
        "INSERT INTO device VALUES"
        "('a', '019aabbd-3a45-7cc4-9dfc-1dbe2e1e7a3f', 16777218, 16777217, 1763800000000000, 1, 'ready', 'sim0', "
        "'{\"class\":\"net\",\"driver\":\"vhost_vdpa\",\"net\":{},\"persistent\":true,\"lease_seconds\":0,"
        "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}', '', ''),"
        "('b', '019aabbd-3a46-7cc4-9dfc-1dbe2e1e7a3f', 16777219, 16777219, 1763800000000001, 2, 'failed', 'sim0', "
        "'{\"class\":\"fs\",\"driver\":\"vhost_vdpa\",\"persistent\":true,\"lease_seconds\":0,"
        "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}', 'backend-failed', 'why');"
        "PRAGMA application_id = 1752397412; PRAGMA user_version = 1; COMMIT;";

static int expect_nothing_held(void *userdata, const StoreRecord *r) {
        unsigned *n = userdata;

        ck_assert_str_eq(r->asids, "");
        ck_assert_str_eq(r->msis, "");
        ck_assert_str_eq(r->asid_space, "");
        ck_assert_uint_eq(r->n_vqs, 0);
        ck_assert_str_eq(r->mgmtdev, "sim0");
        ++*n;
        return 0;
}

START_TEST(test_version_1) {
        Failure f = FAILURE_INIT;
        unsigned n = 0;

        disk_execute(version_1);
        disk_open();
        ck_assert_uint_eq(store_revision(disk.store), 33554441);
        ck_assert_int_eq(store_load(disk.store, &(StoreLoader){ .device = expect_nothing_held }, &n, &f), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(disk_names(), "a:ready b:failed");
        ck_assert_int_eq(disk_put("c", 33554442, DEVICE_READY, NULL), 0);
        disk_close();
        ck_assert_int_gt(disk_query("PRAGMA user_version"), 3);
        ck_assert_int_eq(disk_query("SELECT count(*) FROM device WHERE reason = 'why' AND generation = 2"), 1);
        ck_assert_int_eq(disk_query("SELECT (SELECT count(*) FROM mgmtdev) + (SELECT count(*) FROM quarantine)"),
                         0);
}
END_TEST

/* As the program of version 3 made and filled it, beyond what is in version 1. */
static const char *const version_3 =
        "BEGIN;"
        "ALTER TABLE device ADD COLUMN asid_space TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE device ADD COLUMN asids TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE device ADD COLUMN vqs INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE device ADD COLUMN msis TEXT NOT NULL DEFAULT '';"
        "CREATE TABLE mgmtdev (  handle TEXT NOT NULL PRIMARY KEY,  cordoned TEXT NOT NULL,  labels TEXT NOT NULL,"
        "  overrides TEXT NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE TABLE quarantine (  id INTEGER PRIMARY KEY,  mgmtdev TEXT NOT NULL,  asid_space TEXT NOT NULL,"
        "  asids TEXT NOT NULL,  msis TEXT NOT NULL,  released_usec INTEGER NOT NULL) STRICT;"
        "CREATE INDEX quarantine_released ON quarantine (released_usec);"
        "ALTER TABLE device ADD COLUMN holder TEXT NOT NULL DEFAULT '';"
        "UPDATE device SET holder = 'dbus:x' WHERE name = 'b';"
        "PRAGMA user_version = 3; COMMIT;";

static int expect_no_lease(void *userdata, const StoreRecord *r) {
        ck_assert_uint_eq(r->lease_usec, 0);
        ck_assert_str_eq(r->holder, strcmp(r->name, "b") == 0 ? "dbus:x" : "");
        ++*(unsigned *) userdata;
        return 0;
}

/* The clock begins as the wall clock. */
START_TEST(test_version_3) {
        uint64_t before = clock_realtime_usec();
        Failure f = FAILURE_INIT;
        unsigned n = 0;

        disk_execute(version_1);
        disk_execute(version_3);
        disk_open();
        ck_assert_int_eq(store_load(disk.store, &(StoreLoader){ .device = expect_no_lease }, &n, &f), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_ge(durable_clock_now(store_clock(disk.store)), before);
        ck_assert_uint_lt(durable_clock_now(store_clock(disk.store)), before + 3600 * USEC_PER_SEC);
        disk_close();
        ck_assert_int_gt(disk_query("PRAGMA user_version"), 4);
        ck_assert_int_eq(disk_query("SELECT (SELECT count(*) FROM receipt) + (SELECT count(*) FROM tombstone)"), 0);
        ck_assert_int_eq(disk_query("SELECT count(*) FROM clock WHERE time_usec > 0 AND boot_id <> ''"), 1);
}
END_TEST

START_TEST(test_durable_settings) {
        Failure f = FAILURE_INIT;
        Database db;
        sqlite3_stmt *stmt;

        ck_assert_int_eq(database_open(&db, disk_path(), &f), 0);
        ck_assert_int_eq(sqlite3_prepare_v2(db.db, "PRAGMA synchronous", -1, &stmt, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
        ck_assert_int_eq(sqlite3_column_int(stmt, 0), 2);
        sqlite3_finalize(stmt);
        ck_assert_int_eq(sqlite3_prepare_v2(db.db, "PRAGMA journal_mode", -1, &stmt, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
        ck_assert_str_eq((const char *) sqlite3_column_text(stmt, 0), "wal");
        sqlite3_finalize(stmt);
        database_done(&db);
}
END_TEST

START_TEST(test_no_database) {
        static const char text[] = "This is a text file, and by no means a database, however long one looks at it. "
                                   "It has to be longer than the header of a database, which is 100 bytes.";

        unit_write_file(disk_path(), text, sizeof text);
        expect_refusal(EUCLEAN, "it is damaged, or not a database");
}
END_TEST

START_TEST(test_other_program) {
        disk_execute("CREATE TABLE t (x); PRAGMA application_id = 7;");
        expect_refusal(EMEDIUMTYPE, "another program");
}
END_TEST

START_TEST(test_other_program_without_id) {
        disk_execute("CREATE TABLE t (x);");
        expect_refusal(EMEDIUMTYPE, "another program");
}
END_TEST

START_TEST(test_newer) {
        make_database();
        disk_execute("PRAGMA user_version = 1000;");
        expect_refusal(EPROTONOSUPPORT, "schema version 1000");
}
END_TEST

/* What a killed daemon has left in its log is not written back either. */
START_TEST(test_newer_with_log) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        size_t n_before, n_after;
        pid_t child;
        int status;

        make_database();
        child = fork();
        if (child == 0) {
                (void) disk_open_beside("PRAGMA wal_autocheckpoint = 0; DELETE FROM device WHERE name > 'd3'; "
                                        "PRAGMA user_version = 1000;");
                (void) raise(SIGKILL);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status));
        before = unit_read_file(unit_path("inventory.db-wal"), &n_before);
        ck_assert_uint_gt(n_before, 4096);
        expect_refusal(EPROTONOSUPPORT, "schema version 1000");
        after = unit_read_file(unit_path("inventory.db-wal"), &n_after);
        ck_assert_uint_eq(n_before, n_after);
        ck_assert_mem_eq(before, after, n_before);
}
END_TEST

START_TEST(test_damaged_header) {
        make_database();
        overwrite(0, 16);
        expect_refusal(EUCLEAN, "damaged");
}
END_TEST

/* Each page but the first, whole. */
START_TEST(test_damaged_page) {
        struct stat st;
        unsigned n_refused = 0;

        make_database();
        ck_assert_int_eq(stat(disk_path(), &st), 0);
        ck_assert_int_ge(st.st_size, 8 * 4096);
        for (off_t page = 1; page < st.st_size / 4096; page++) {
                _cleanup_free_ char *good = unit_read_file(disk_path(), NULL);

                overwrite(page * 4096, 4096);
                expect_refusal(EUCLEAN, "");
                unit_write_file(disk_path(), good, (size_t) st.st_size);
                n_refused++;
        }
        ck_assert_uint_ge(n_refused, 7);
}
END_TEST

START_TEST(test_cut_off) {
        struct stat st;

        make_database();
        ck_assert_int_eq(stat(disk_path(), &st), 0);
        ck_assert_int_eq(truncate(disk_path(), st.st_size / 2), 0);
        expect_refusal(EUCLEAN, "damaged");
}
END_TEST

/* Ours, but without what must be in it. */
START_TEST(test_missing_table) {
        make_database();
        disk_execute("DROP TABLE meta;");
        expect_refusal(EUCLEAN, "no such table");
}
END_TEST

START_TEST(test_missing_value) {
        static const char *const values[] = {
                "DELETE FROM meta WHERE key = 'revision'",
                "DELETE FROM meta WHERE key = 'boot_id'",
                "UPDATE meta SET value = '123456789012345678901234567890' WHERE key = 'revision'",
                "UPDATE meta SET value = 'x' WHERE key = 'revision'",
                "UPDATE meta SET value = '' WHERE key = 'revision'",
                "UPDATE meta SET value = '-1' WHERE key = 'revision'",
                "UPDATE meta SET value = '18446744073709551615' WHERE key = 'revision'",
        };
        Failure f;

        make_database();
        disk_execute(values[_i]);
        ck_assert_int_eq(disk_try_open(&f), -EUCLEAN);
        ck_assert_ptr_nonnull(strstr(f.detail, _i == 1 ? "boot_id" : "revision"));
}
END_TEST

START_TEST(test_locked) {
        StoreRig first;
        Failure f;

        disk_open();
        first = disk;
        disk = (StoreRig){};
        ck_assert_int_eq(disk_try_open(&f), -EBUSY);
        ck_assert_ptr_null(disk.store);
        ck_assert_ptr_nonnull(strstr(f.detail, "Another hsvdpad is using"));
        ck_assert_ptr_nonnull(strstr(f.detail, "process"));
        disk = first;
        disk_close();
        disk_open();
        disk_close();
}
END_TEST

START_TEST(test_no_directory) {
        Store *store = NULL;
        sd_event *event;
        Failure f = FAILURE_INIT;

        ck_assert_int_eq(sd_event_new(&event), 0);
        ck_assert_int_eq(store_open(event, unit_path("none"), &store, &f), -ENOENT);
        ck_assert_ptr_null(store);
        sd_event_unref(event);
}
END_TEST

/* The lock is not taken through a link that someone has left. */
START_TEST(test_lock_is_a_link) {
        Failure f;

        ck_assert_int_eq(symlink(unit_path("elsewhere"), unit_path("inventory.lock")), 0);
        ck_assert_int_eq(disk_try_open(&f), -ELOOP);
}
END_TEST

START_TEST(test_database_is_a_directory) {
        Failure f;

        ck_assert_int_eq(mkdir(disk_path(), 0700), 0);
        ck_assert_int_eq(disk_try_open(&f), -EISDIR);
        ck_assert_int_eq(f.code, ERROR_STORE_FAILED);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_new);
        tcase_add_test(tcase, test_empty_file);
        tcase_add_test(tcase, test_migration_cut_short);
        tcase_add_test(tcase, test_version_1);
        tcase_add_test(tcase, test_version_3);
        tcase_add_test(tcase, test_durable_settings);
        tcase_add_test(tcase, test_no_database);
        tcase_add_test(tcase, test_other_program);
        tcase_add_test(tcase, test_other_program_without_id);
        tcase_add_test(tcase, test_newer);
        tcase_add_test(tcase, test_newer_with_log);
        tcase_add_test(tcase, test_damaged_header);
        tcase_add_test(tcase, test_damaged_page);
        tcase_add_test(tcase, test_cut_off);
        tcase_add_test(tcase, test_missing_table);
        tcase_add_loop_test(tcase, test_missing_value, 0, 7);
        tcase_add_test(tcase, test_locked);
        tcase_add_test(tcase, test_no_directory);
        tcase_add_test(tcase, test_lock_is_a_link);
        tcase_add_test(tcase, test_database_is_a_directory);
}

int main(void) {
        return unit_main("database", add);
}
