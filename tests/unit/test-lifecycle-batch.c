/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many devices in one call; and the atomic kind, which makes all of them or none, whatever happens. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifecycle/batch.h"
#include "rig.h"
#include "store-rig.h"
#include "unit.h"
#include "util/clock.h"

#define N_MAX 1000

/* What the batch has told. */
typedef struct Told {
        unsigned n_ends, n_items;
        ErrorCode code[N_MAX]; /* of each item */
        bool created[N_MAX];
        unsigned n_told[N_MAX];
        char name[N_MAX][DEVICE_NAME_MAX];
} Told;

static Told told;

static void on_item(void *userdata, size_t i, const char *name, const Outcome *outcome) {
        ck_assert_uint_eq(told.n_ends, 0);
        told.n_items++;
        told.n_told[i]++;
        told.code[i] = outcome->failure.code;
        told.created[i] = outcome->created;
        strcpy(told.name[i], name);
}

static void on_end(void *userdata) {
        told.n_ends++;
}

static const BatchCalls calls = { .on_item = on_item, .on_end = on_end };

static bool has_ended(void *userdata) {
        return told.n_ends > 0;
}

/* "vd-0", "vd-1" and so on. */
static BatchItem *items_new(size_t n) {
        BatchItem *items = calloc(n, sizeof *items);

        ck_assert_ptr_nonnull(items);
        for (size_t i = 0; i < n; i++) {
                (void) snprintf(items[i].name, sizeof items[i].name, "vd-%zu", i);
                items[i].spec = rig_spec(RIG_NET);
        }
        return items;
}

static void begin_items(BatchKind kind, BatchItem *items, size_t n) {
        Failure f = FAILURE_INIT;

        ck_assert_uint_le(n, N_MAX);
        told = (Told){};
        ck_assert_int_eq(batch_run(rig.lifecycle, kind, items, n, &calls, &f), 0);
        ck_assert_uint_eq(told.n_items, 0);
}

static void begin(BatchKind kind, size_t n) {
        begin_items(kind, items_new(n), n);
}

static void finish(size_t n) {
        unit_run_until(rig.event, has_ended, NULL);
        rig_wait_idle();
        ck_assert_uint_eq(told.n_ends, 1);
        ck_assert_uint_eq(told.n_items, n);
        for (size_t i = 0; i < n; i++)
                ck_assert_uint_eq(told.n_told[i], 1);
}

static void run(BatchKind kind, size_t n) {
        begin(kind, n);
        finish(n);
}

static size_t count_code(ErrorCode code, size_t n) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += told.code[i] == code;
        return count;
}

static bool is_empty(void *userdata) {
        return rig.inventory.n_devices == 0;
}

static void wait_empty(void) {
        unit_run_until(rig.event, is_empty, NULL);
        rig_wait_idle();
        ck_assert_ptr_null(holder_next(&rig.inventory.holders, ""));
}

static void set_up(void) {
        rig_set_up();
        rig_start();
}

START_TEST(test_create_and_delete) {
        run(BATCH_CREATE, 700);
        ck_assert_uint_eq(count_code(ERROR_NONE, 700), 700);
        ck_assert_uint_eq(rig.inventory.n_states[DEVICE_READY], 700);
        ck_assert_str_eq(told.name[699], "vd-699");
        ck_assert(told.created[0]);

        run(BATCH_CREATE, 700);
        ck_assert_uint_eq(count_code(ERROR_NONE, 700), 700);
        ck_assert(!told.created[0]);

        run(BATCH_DELETE, 701);
        ck_assert_uint_eq(count_code(ERROR_NONE, 701), 700);
        ck_assert_int_eq(told.code[700], ERROR_DEVICE_NOT_FOUND);
        ck_assert_uint_eq(rig.inventory.n_devices, 0);
}
END_TEST

/* What one item cannot have does not touch its neighbours. */
START_TEST(test_partly) {
        rig_create_good("vd-3", "{\"class\":\"block\"}");
        fake_fail(rig.backend, FAKE_CREATE, 1, ERROR_BACKEND_FAILED, EIO);
        run(BATCH_CREATE, 10);
        ck_assert_uint_eq(count_code(ERROR_NONE, 10), 8);
        ck_assert_int_eq(told.code[3], ERROR_ALREADY_EXISTS);
        ck_assert_uint_eq(count_code(ERROR_BACKEND_FAILED, 10), 1);
        ck_assert_uint_eq(rig.inventory.n_devices, 9);
}
END_TEST

/* Few operations at a time; others find room beside it. */
START_TEST(test_window) {
        Answer a = {};

        rig_stop();
        rig.max_operations = 8;
        rig_start();
        fake_hold(rig.backend, FAKE_CREATE);
        begin(BATCH_CREATE, 50);
        rig_wait_held(FAKE_CREATE);
        ck_assert_uint_le(lifecycle_n_operations(rig.lifecycle), 4);
        rig_begin_create("other", RIG_NET, &a);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        finish(50);
        ck_assert_uint_eq(count_code(ERROR_NONE, 50), 50);
}
END_TEST

/* What was begun is on its way to the disk while the rest is begun, and not only when all is. */
START_TEST(test_side_by_side) {
        uint64_t end;

        rig_stop();
        rig.max_operations = 2 * N_MAX;
        rig_start();
        begin(BATCH_CREATE, 900);
        while (rig.inventory.n_devices < 900)
                ck_assert_int_ge(sd_event_run(rig.event, UINT64_MAX), 0);
        for (end = clock_monotonic_usec() + DRAIN_USEC; disk_query("SELECT count(*) FROM device") == 0;)
                ck_assert_uint_lt(clock_monotonic_usec(), end);
        finish(900);
}
END_TEST

START_TEST(test_generated_names) {
        BatchItem *items = items_new(5);

        for (size_t i = 0; i < 5; i++)
                items[i].name[0] = '\0';
        begin_items(BATCH_CREATE, items, 5);
        finish(5);
        for (size_t i = 0; i < 5; i++)
                ck_assert_int_eq(rig_device(told.name[i])->state, DEVICE_READY);
}
END_TEST

START_TEST(test_delete_fenced) {
        BatchItem *items;

        run(BATCH_CREATE, 3);
        items = items_new(3);
        strcpy(items[1].precondition.uid, "00000000-0000-7000-8000-000000000000");
        begin_items(BATCH_DELETE, items, 3);
        finish(3);
        ck_assert_int_eq(told.code[1], ERROR_PRECONDITION_FAILED);
        ck_assert_uint_eq(count_code(ERROR_NONE, 3), 2);
        ck_assert_uint_eq(rig.inventory.n_devices, 1);
}
END_TEST

static unsigned n_ends;

static void ignore_item(void *userdata, size_t i, const char *name, const Outcome *outcome) {
}

static void count_end(void *userdata) {
        n_ends++;
}

START_TEST(test_too_many_batches) {
        static const BatchCalls counting = { .on_item = ignore_item, .on_end = count_end };
        Failure f = FAILURE_INIT;
        BatchItem *items;

        for (unsigned i = 0; i < BATCHES_MAX; i++)
                ck_assert_int_eq(batch_run(rig.lifecycle, BATCH_DELETE, items_new(1), 1, &counting, &f), 0);
        items = items_new(1);
        ck_assert_int_lt(batch_run(rig.lifecycle, BATCH_DELETE, items, 1, &counting, &f), 0);
        ck_assert_int_eq(f.code, ERROR_OVERLOADED);
        batch_items_free(items, 1);
        while (n_ends < BATCHES_MAX)
                (void) sd_event_run(rig.event, USEC_PER_SEC);
        run(BATCH_CREATE, 1);
}
END_TEST

START_TEST(test_atomic) {
        rig_create_good("vd-1", RIG_NET);
        run(BATCH_CREATE_ATOMIC, 300);
        ck_assert_uint_eq(count_code(ERROR_NONE, 300), 300);
        ck_assert(told.created[0] && !told.created[1]);
        ck_assert_ptr_null(holder_next(&rig.inventory.holders, ""));

        rig_stop();
        rig_start();
        ck_assert_uint_eq(rig.inventory.n_states[DEVICE_READY], 300);
        ck_assert_ptr_null(holder_next(&rig.inventory.holders, ""));
}
END_TEST

/* What was there before stays. */
START_TEST(test_atomic_failure) {
        rig_create_good("vd-1", RIG_NET);
        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        run(BATCH_CREATE_ATOMIC, 20);
        ck_assert_uint_eq(count_code(ERROR_BACKEND_FAILED, 20), 1);
        ck_assert_uint_eq(count_code(ERROR_BATCH_FAILED, 20), 19);
        while (rig.inventory.n_devices > 1)
                (void) sd_event_run(rig.event, USEC_PER_SEC);
        ck_assert_int_eq(rig_device("vd-1")->state, DEVICE_READY);
        ck_assert(!fake_has_device(rig.backend, "vd-2"));
}
END_TEST

/* The change that lets go of them is refused. */
START_TEST(test_atomic_disk) {
        disk_execute("CREATE TRIGGER letting_go BEFORE UPDATE ON device "
                     "BEGIN SELECT RAISE(ABORT, 'the disk is bad'); END;");
        run(BATCH_CREATE_ATOMIC, 20);
        ck_assert_uint_eq(count_code(ERROR_STORE_FAILED, 20), 20);
        wait_empty();
}
END_TEST

/* One is deleted by someone else before all are through. */
START_TEST(test_atomic_deleted) {
        Answer a = {};

        begin(BATCH_CREATE_ATOMIC, 2);
        while (!inventory_find_device(&rig.inventory, "vd-0"))
                (void) sd_event_run(rig.event, USEC_PER_SEC);
        rig_begin_delete("vd-0", &a);
        finish(2);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_int_eq(told.code[1], ERROR_NONE);
        ck_assert_uint_eq(rig.inventory.n_devices, 1);
}
END_TEST

/* Stopped half-way: nobody was told that all are there, so the next start leaves none. */
START_TEST(test_atomic_stopped) {
        fake_hold(rig.backend, FAKE_BIND);
        begin(BATCH_CREATE_ATOMIC, 600);
        rig_wait_held(FAKE_BIND);
        fake_let_go(rig.backend, FAKE_BIND);
        rig_stop();
        ck_assert_uint_eq(told.n_ends, 1);
        ck_assert_uint_eq(count_code(ERROR_NONE, 600), 0);

        rig_start();
        wait_empty();
        ck_assert(!fake_has_device(rig.backend, "vd-0"));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_create_and_delete);
        tcase_add_test(tcase, test_partly);
        tcase_add_test(tcase, test_window);
        tcase_add_test(tcase, test_side_by_side);
        tcase_add_test(tcase, test_generated_names);
        tcase_add_test(tcase, test_delete_fenced);
        tcase_add_test(tcase, test_too_many_batches);
        tcase_add_test(tcase, test_atomic);
        tcase_add_test(tcase, test_atomic_failure);
        tcase_add_test(tcase, test_atomic_disk);
        tcase_add_test(tcase, test_atomic_deleted);
        tcase_add_test(tcase, test_atomic_stopped);
}

int main(void) {
        return unit_main("lifecycle-batch", add);
}
