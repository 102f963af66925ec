/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A disk that fails at the n-th operation, for every n, in every way: what was said to be durable is there after a
 * loss of power, what was said not to be is not, nothing else is, and changes are taken again as soon as the disk
 * takes them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fault-vfs.h"
#include "inventory/mgmtdev.h"
#include "store-rig.h"
#include "unit.h"

#define N_NAMES   6
#define N_CHANGES 36
#define MAYBE_MAX 256

/* What the database must say of each device: the revision of its last change that is durable (0: it is not there);
 * and those of changes that have failed since anything was durable, of which a loss of power may leave any: nobody
 * was told that they are there. */
typedef struct Model {
        uint64_t durable[N_NAMES];
        uint64_t maybe[N_NAMES][MAYBE_MAX];
        unsigned n_maybe[N_NAMES];
        unsigned n_failed, n_answers;
        FaultKind kind;
} Model;

typedef struct Asked {
        unsigned name;
        uint64_t revision;
} Asked;

static Model model;
static Asked asked[4 * N_CHANGES];

static void on_done(void *userdata, const Failure *failure) {
        const Asked *a = userdata;

        model.n_answers++;
        if (!failure) {
                memset(model.n_maybe, 0, sizeof model.n_maybe);
                model.durable[a->name] = a->revision;
                return;
        }

        model.n_failed++;
        ck_assert_int_eq(failure->code, ERROR_STORE_FAILED);
        ck_assert_msg(strstr(failure->detail, fault_words(model.kind)), "%s", failure->detail);
        ck_assert_uint_lt(model.n_maybe[a->name], MAYBE_MAX);
        model.maybe[a->name][model.n_maybe[a->name]++] = a->revision;
}

/* Change number i: makes, changes or removes a device. */
static void change(unsigned i) {
        Asked *a = &asked[i];
        char name[8];
        int r;

        *a = (Asked){ .name = i * 7 % N_NAMES };
        (void) snprintf(name, sizeof name, "d%u", a->name);
        if (i % 5 == 4) {
                const StoreRelease release = { .now_usec = i, .quarantine_usec = 1000 };

                r = store_remove_device(disk.store, disk_put_holder(name, i + 1, DEVICE_DELETING, a->name), i + 1,
                                        &release, NULL, on_done, a);
        } else {
                a->revision = i + 1;
                r = store_put_device(disk.store, disk_put_holder(name, i + 1, DEVICE_READY, a->name), on_done, a);
        }
        ck_assert_int_eq(r, 0);
}

/* Some one by one, some together. */
static void change_all(unsigned begin, unsigned end) {
        for (unsigned i = begin; i < end; i++) {
                change(i);
                if (i % 12 < 8)
                        disk_drain();
        }
        disk_drain();
}

static bool may_be(unsigned name, uint64_t revision) {
        if (revision == model.durable[name])
                return true;
        for (unsigned i = 0; i < model.n_maybe[name]; i++)
                if (revision == model.maybe[name][i])
                        return true;

        return false;
}

/* By plain SQLite, on the real disk. */
static void expect_on_disk(const char *path, uint64_t n, const char *when) {
        uint64_t found[N_NAMES] = {};
        sqlite3_stmt *stmt;
        sqlite3 *db;
        int rc;

        ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
        rc = sqlite3_prepare_v2(db, "SELECT name, revision FROM device", -1, &stmt, NULL);
        ck_assert_msg(rc == SQLITE_OK, "operation %llu, %s: %s", (unsigned long long) n, when, sqlite3_errmsg(db));
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                const char *name = (const char *) sqlite3_column_text(stmt, 0);

                found[name[1] - '0'] = (uint64_t) sqlite3_column_int64(stmt, 1);
        }
        ck_assert_msg(rc == SQLITE_DONE, "operation %llu, %s: %s", (unsigned long long) n, when,
                      sqlite3_errmsg(db));
        sqlite3_finalize(stmt);
        sqlite3_close(db);
        for (unsigned i = 0; i < N_NAMES; i++)
                ck_assert_msg(may_be(i, found[i]), "operation %llu, %s: d%u has %llu, and not %llu",
                              (unsigned long long) n, when, i, (unsigned long long) found[i],
                              (unsigned long long) model.durable[i]);
}

static const char *const files[] = { "inventory.db", "inventory.db-wal", "inventory.db-shm" };

static void remove_files(const char *directory) {
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                char path[600];

                (void) snprintf(path, sizeof path, "%s/%s", directory, files[i]);
                (void) remove(path);
        }
}

static void lose_power(uint64_t n) {
        static const char *const names[_FAULT_SURVIVAL_MAX] = {
                [SURVIVES_NOTHING] = "nothing survives",
                [SURVIVES_ALL] = "all survives",
                [SURVIVES_SOME] = "some survives",
        };
        const char *directory = unit_path("after");
        char path[600];

        (void) mkdir(directory, 0700);
        (void) snprintf(path, sizeof path, "%s/inventory.db", directory);
        for (FaultSurvival s = 0; s < _FAULT_SURVIVAL_MAX; s++) {
                remove_files(directory);
                fault_vfs_lose_power(directory, s);
                expect_on_disk(path, n, names[s]);
        }
}

/* Checkpoints come after a few changes, and not after a thousand. */
static int set_checkpoint(sqlite3 *db, char **ret_message, const void *api) {
        return sqlite3_wal_autocheckpoint(db, 12);
}

static void install(void) {
        fault_vfs_install();
        ck_assert_int_eq(sqlite3_auto_extension((void (*)(void)) set_checkpoint), SQLITE_OK);
}

static void begin(FaultKind kind) {
        remove_files(unit_directory());
        fault_vfs_reset();
        model = (Model){ .kind = kind };
        disk_open();
        ck_assert_str_eq(disk_names(), "");
}

static void end(void) {
        disk_close();
        model.n_maybe[0] = 0;
}

/* How many operations a run without faults takes. */
static uint64_t count_operations(void) {
        uint64_t before;

        begin(FAULT_FULL);
        before = fault_vfs_count();
        change_all(0, N_CHANGES);
        ck_assert_uint_eq(model.n_failed, 0);
        lose_power(0);
        before = fault_vfs_count() - before;
        end();
        ck_assert_uint_gt(before, 2 * N_CHANGES);
        return before;
}

/* Everything twice under valgrind would take long. */
static uint64_t step(void) {
        return unit_is_slow() ? 17 : unit_is_long() ? 1 : 2;
}

/* One operation fails, and those after it work. */
START_TEST(test_once) {
        uint64_t n_operations;

        install();
        n_operations = count_operations();
        for (uint64_t n = 1; n <= n_operations; n += step()) {
                begin((FaultKind) _i);
                fault_vfs_fail(n, (FaultKind) _i, false);
                change_all(0, N_CHANGES);
                lose_power(n);
                ck_assert_uint_eq(model.n_answers, N_CHANGES);
                fault_vfs_heal();
                change_all(N_CHANGES, N_CHANGES + 1);
                ck_assert_ptr_null(store_trouble(disk.store));
                end();
        }
}
END_TEST

/* The disk fails for good; or until it is mended. */
START_TEST(test_from_then_on) {
        uint64_t n_operations;

        install();
        n_operations = count_operations();
        for (uint64_t n = 1; n <= n_operations; n += step()) {
                begin((FaultKind) _i);
                fault_vfs_fail(n, (FaultKind) _i, true);
                change_all(0, N_CHANGES);
                lose_power(n);
                ck_assert_uint_eq(model.n_answers, N_CHANGES);
                /* A checkpoint that fails loses nothing. */
                ck_assert(model.n_failed == 0 || store_trouble(disk.store));

                fault_vfs_heal();
                model.n_failed = 0;
                change_all(N_CHANGES, N_CHANGES + 6);
                ck_assert_uint_eq(model.n_failed, 0);
                ck_assert_ptr_null(store_trouble(disk.store));
                lose_power(n);
                end();
                expect_on_disk(disk_path(), n, "closed");
        }
}
END_TEST

/* It cannot be opened, says so, and can be opened when the disk works. */
START_TEST(test_open) {
        install();
        for (int with_data = 0; with_data < 2; with_data++)
                for (uint64_t n = 1;; n++) {
                        bool has_failed;
                        Failure f;
                        int r;

                        remove_files(unit_directory());
                        fault_vfs_reset();
                        model = (Model){ .kind = (FaultKind) _i };
                        if (with_data) {
                                disk_open();
                                change_all(0, 8);
                                disk_close();
                        }
                        fault_vfs_fail(n, (FaultKind) _i, true);
                        r = disk_try_open(&f);
                        has_failed = fault_vfs_has_failed();
                        if (r < 0) {
                                ck_assert(has_failed);
                                ck_assert_int_eq(f.code, ERROR_STORE_FAILED);
                                ck_assert_int_ne(f.error, EUCLEAN);
                        } else
                                disk_close();
                        fault_vfs_heal();
                        disk_open();
                        disk_close();
                        expect_on_disk(disk_path(), n, "opened again");
                        if (!has_failed)
                                break;
                }
}
END_TEST

typedef struct Told {
        unsigned n_begun, n_ended;
} Told;

static void on_trouble(void *userdata, const StoreTrouble *trouble) {
        Told *told = userdata;

        told->n_begun += trouble != NULL;
        told->n_ended += !trouble;
}

static bool is_over(void *userdata) {
        return !store_trouble(disk.store);
}

/* Nobody asks for anything, and the end of the trouble is noticed all the same; each is told once. */
START_TEST(test_by_itself) {
        Told told = {};

        install();
        begin((FaultKind) _i);
        store_watch(disk.store, on_trouble, &told);
        fault_vfs_fail(1, (FaultKind) _i, true);
        change_all(0, 10);
        ck_assert_uint_eq(told.n_begun, 1);
        ck_assert_ptr_nonnull(store_trouble(disk.store));
        ck_assert_uint_eq(model.n_failed, 10);
        /* A try that fails too. */
        for (uint64_t before = fault_vfs_count(); fault_vfs_count() == before;)
                ck_assert_int_ge(sd_event_run(disk.event, UINT64_MAX), 0);
        disk_drain();
        ck_assert_ptr_nonnull(store_trouble(disk.store));
        fault_vfs_heal();
        unit_run_until(disk.event, is_over, NULL);
        ck_assert_uint_eq(told.n_begun, 1);
        ck_assert_uint_eq(told.n_ended, 1);
        memset(model.n_maybe, 0, sizeof model.n_maybe);
        lose_power(0);
        end();
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_once, 0, _FAULT_KIND_MAX);
        tcase_add_loop_test(tcase, test_from_then_on, 0, _FAULT_KIND_MAX);
        tcase_add_loop_test(tcase, test_open, 0, _FAULT_KIND_MAX);
        tcase_add_loop_test(tcase, test_by_itself, 0, 2);
}

int main(void) {
        /* Where nothing waits for a disk. */
        if (access("/dev/shm", W_OK) == 0)
                (void) setenv("TMPDIR", "/dev/shm", 0);
        return unit_main("store-faults", add);
}
