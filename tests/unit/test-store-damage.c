/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Databases and logs that are damaged at random, thousands of them: a start refuses each and leaves it as it is, or
 * takes it and can read it; a repair ends with one that is clean, or says that it cannot. Nothing crashes, nothing
 * hangs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/inventory.h"
#include "lifecycle/check.h"
#include "store-rig.h"
#include "unit.h"

typedef struct Content {
        char *data;
        size_t size;
} Content;

static Content database, journal;

static void keep(Content *content, const char *name) {
        content->data = unit_read_file(unit_path(name), &content->size);
        ck_assert_ptr_nonnull(content->data);
}

/* As a kill leaves it: some of it is in the database, some in the log. */
static void make(void) {
        disk_open();
        for (uint32_t i = 0; i < 60; i++) {
                char name[16];

                (void) snprintf(name, sizeof name, "d%u", i);
                ck_assert_int_eq(
                        store_put_device(disk.store, disk_put_holder(name, i + 1, DEVICE_READY, i), NULL, NULL), 0);
                if (i == 40) {
                        disk_drain();
                        disk_execute("PRAGMA wal_checkpoint(FULL)");
                }
                if (i > 40)
                        disk_drain();
        }
        keep(&database, "inventory.db");
        keep(&journal, "inventory.db-wal");
        disk_close();
        ck_assert_uint_gt(database.size, 4 * 4096);
        ck_assert_uint_gt(journal.size, 4 * 4096);
}

static Content copy_of(const Content *content) {
        Content copy = { .data = malloc(content->size + 1), .size = content->size };

        memcpy(copy.data, content->data, content->size);
        return copy;
}

static void damage(Content *content) {
        uint32_t size = (uint32_t) content->size, n;

        switch (unit_random(5)) {
        case 0:
                content->size = unit_random(size);
                return;
        case 1:
                for (n = 1 + unit_random(20); n > 0; n--)
                        content->data[unit_random(size)] ^= (char) (1u << unit_random(8));
                return;
        case 2:
                /* Where what matters lies. */
                content->data[unit_random(200)] = (char) unit_random(256);
                return;
        case 3:
                n = unit_random(size / 4096) * 4096;
                memset(content->data + n, unit_random(2) > 0 ? 0 : 0xa5, size - n < 4096 ? size - n : 4096);
                return;
        default:
                n = unit_random(size - 512);
                for (uint32_t i = 0; i < 512; i++)
                        content->data[n + i] = (char) unit_random(256);
        }
}

static void ignore(void *userdata, const char *table, const char *key, LoadFix fix, const char *text) {
        ck_assert(fix < _FIX_MAX && text[0]);
}

/* Reads all of it. */
static void load(Database *db) {
        const LoadCheck check = { .problem = ignore };
        Failure f = FAILURE_INIT;
        Inventory inventory;
        int r;

        inventory_init(&inventory, SIZE_MAX);
        inventory_configure(&inventory, USEC_PER_SEC, NULL, 0);
        r = load_check(&inventory, db, &check, &f);
        ck_assert_msg(r >= 0 || f.code != ERROR_NONE, "%d, and no reason", r);
        inventory_done(&inventory);
}

static void expect_same(const char *path, const Content *before) {
        _cleanup_free_ char *after = NULL;
        size_t size;

        after = unit_read_file(path, &size);
        ck_assert_uint_eq(size, before->size);
        ck_assert_mem_eq(after, before->data, size);
}

static bool start(const Content *d, const Content *log) {
        Failure f = FAILURE_INIT;
        Database db;
        int r;

        unit_write_file(disk_path(), d->data, d->size);
        unit_write_file(unit_path("inventory.db-wal"), log->data, log->size);
        (void) remove(unit_path("inventory.db-shm"));
        r = database_open(&db, disk_path(), &f);
        if (r == 0)
                load(&db);
        database_done(&db);
        if (r < 0) {
                ck_assert_int_eq(f.code, ERROR_STORE_FAILED);
                ck_assert_msg(strstr(f.detail, disk_path()), "%s", f.detail);
                expect_same(disk_path(), d);
                expect_same(unit_path("inventory.db-wal"), log);
        }
        return r == 0;
}

static bool repair(const Content *d, const Content *log) {
        _cleanup_(check_report_done) CheckReport report = {}, again = {};
        Failure f = FAILURE_INIT;
        Database image;
        unsigned n_lost;
        int r;

        unit_write_file(disk_path(), d->data, d->size);
        unit_write_file(unit_path("inventory.db-wal"), log->data, log->size);
        (void) remove(unit_path("inventory.db-shm"));
        r = image_read(&image, disk_path(), &f);
        if (r == 0)
                r = check_repair(&image, &report, &n_lost, &f);
        if (r < 0)
                ck_assert_int_ne(f.code, ERROR_NONE);
        else {
                ck_assert_msg(check_image(&image, &again, &f) == 0, "%s", f.detail);
                ck_assert_uint_eq(again.n, 0);
        }
        database_done(&image);
        expect_same(disk_path(), d);
        expect_same(unit_path("inventory.db-wal"), log);
        return r == 0;
}

START_TEST(test_damage) {
        unsigned n = unit_is_slow() ? 40 : unit_is_long() ? 20000 : 200, n_started = 0, n_repaired = 0;

        make();
        for (unsigned i = 0; i < n; i++) {
                Content d = copy_of(&database), log = copy_of(&journal);

                if (i % 3 != 0)
                        damage(&d);
                if (i % 3 != 1)
                        damage(&log);
                n_started += start(&d, &log);
                n_repaired += repair(&d, &log);
                free(d.data);
                free(log.data);
        }
        ck_assert_uint_gt(n_started, 0);
        ck_assert_uint_lt(n_started, n);
        ck_assert_uint_ge(n_repaired, n_started);
        free(database.data);
        free(journal.data);
}
END_TEST

static unsigned n_twice;

static void expect_twice(void *userdata, const char *table, const char *key, LoadFix fix, const char *text) {
        ck_assert_str_eq(table, "device");
        ck_assert_str_eq(key, "d13");
        ck_assert_int_eq(fix, FIX_DROP_DEVICE);
        ck_assert_msg(strstr(text, "another record"), "%s", text);
        n_twice++;
}

/* Of the record, and not of the index that goes by it: there the name is not followed by a uid. */
static void rename_record(const Content *d, const char *from, const char *to) {
        size_t n = strlen(from);

        for (char *at = d->data; (at = memmem(at, d->size - (size_t) (at - d->data), from, n)); at++)
                if (at[n + 8] == '-' && at[n + 13] == '-') {
                        memcpy(at, to, n);
                        return;
                }
        ck_abort_msg("%s is not in the database", from);
}

/* SQLite sees no fault in it, as long as it does not compare the records with the index. */
START_TEST(test_name_that_two_have) {
        const LoadCheck check = { .problem = expect_twice };
        Failure f = FAILURE_INIT;
        Inventory inventory;
        Database db;

        make();
        rename_record(&database, "d12", "d13");
        unit_write_file(disk_path(), database.data, database.size);
        (void) remove(unit_path("inventory.db-wal"));
        ck_assert_int_eq(database_open(&db, disk_path(), &f), 0);
        inventory_init(&inventory, SIZE_MAX);
        inventory_configure(&inventory, USEC_PER_SEC, NULL, 0);
        ck_assert_int_eq(load_check(&inventory, &db, &check, &f), 0);
        ck_assert_uint_eq(n_twice, 1);
        ck_assert_ptr_nonnull(inventory_find_device(&inventory, "d13"));
        ck_assert_ptr_null(inventory_find_device(&inventory, "d12"));
        inventory_done(&inventory);
        database_done(&db);
        free(database.data);
        free(journal.data);
}
END_TEST

/* A log that ends in the middle of a change: what was whole before it is there, in order, and nothing else. */
START_TEST(test_torn_log) {
        const size_t frame = 4096 + 24;
        int last = 0;

        make();
        for (size_t size = 0; size <= journal.size; size += unit_is_slow() ? 9 * frame + 7 : frame / 5 + 7) {
                Content torn = { .data = journal.data, .size = size };
                Failure f = FAILURE_INIT;
                Database db;
                int n;

                unit_write_file(disk_path(), database.data, database.size);
                unit_write_file(unit_path("inventory.db-wal"), torn.data, torn.size);
                (void) remove(unit_path("inventory.db-shm"));
                ck_assert_msg(database_open(&db, disk_path(), &f) == 0, "%s", f.detail);
                load(&db);
                database_done(&db);
                n = disk_query("SELECT count(*) FROM device");
                ck_assert_int_ge(n, last);
                ck_assert_int_eq(disk_query("SELECT max(revision) FROM device"), n);
                last = n;
        }
        ck_assert_int_ge(last, 59);
        free(database.data);
        free(journal.data);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_damage);
        tcase_add_test(tcase, test_name_that_two_have);
        tcase_add_test(tcase, test_torn_log);
}

int main(void) {
        /* Where nothing waits for a disk. */
        if (access("/dev/shm", W_OK) == 0)
                (void) setenv("TMPDIR", "/dev/shm", 0);
        return unit_main("store-damage", add);
}
