/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Starts that cannot be finished: a host that cannot be used yet, and records that cannot be. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "rig.h"
#include "store-rig.h"
#include "unit.h"
#include "util/clock.h"

static bool is_ready(void *userdata) {
        return lifecycle_is_ready(rig.lifecycle);
}

/* The time of the next look has come. */
static void look_now(void) {
        int enabled = SD_EVENT_OFF;

        ck_assert_int_ge(sd_event_source_get_enabled(rig.lifecycle->scanner.timer, &enabled), 0);
        ck_assert_int_eq(enabled, SD_EVENT_ONESHOT);
        ck_assert_int_ge(sd_event_source_set_time_accuracy(rig.lifecycle->scanner.timer, 1), 0);
        ck_assert_int_ge(sd_event_source_set_time_relative(rig.lifecycle->scanner.timer, 0), 0);
}

/* The daemon starts all the same: what is recorded can be read. It goes on when the host can be used. */
START_TEST(test_unavailable) {
        Answer a;

        rig_start();
        rig_create_good("a", RIG_NET);
        rig_stop();
        fake_set_available(rig.backend, false);
        rig_start();
        ck_assert(!lifecycle_is_ready(rig.lifecycle));
        ck_assert(!lifecycle_host(rig.lifecycle)->available);
        ck_assert_int_ne(rig_device("a")->state, DEVICE_READY);
        rig_begin_create("b", RIG_NET, &a);
        rig_assert_code(a, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "the test says so"));
        rig_begin_delete("a", &a);
        rig_assert_code(a, ERROR_BACKEND_UNAVAILABLE);

        look_now();
        fake_set_available(rig.backend, true);
        unit_run_until(rig.event, is_ready, NULL);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        rig_create_good("b", RIG_NET);
}
END_TEST

static bool has_started(void *userdata) {
        return rig.started;
}

/* The kernel hangs: the start is over without it, and goes on by itself when the kernel comes back. */
START_TEST(test_look_that_does_not_come_back) {
        Answer a;

        rig_record("a", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        fake_put_device(rig.backend, "a", FAKE_A);
        fake_hold(rig.backend, FAKE_GET_HOST);
        rig_begin_start();
        rig_wait_held(FAKE_GET_HOST);
        ck_assert(!rig.started);
        look_now();
        unit_run_until(rig.event, has_started, NULL);
        ck_assert(!lifecycle_is_ready(rig.lifecycle));
        rig_begin_create("b", RIG_NET, &a);
        rig_assert_code(a, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "does not answer"));

        fake_let_go(rig.backend, FAKE_GET_HOST);
        unit_run_until(rig.event, is_ready, NULL);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_str_eq(lifecycle_host(rig.lifecycle)->reason, "");
        rig_create_good("b", RIG_NET);
}
END_TEST

/* A new boot is still one when the host can be used at last. */
START_TEST(test_unavailable_in_new_boot) {
        rig_record_boot("01234567-89ab-cdef-0123-456789abcdef");
        rig_record("a", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        fake_set_available(rig.backend, false);
        rig_start();
        rig_stop();
        rig_start();
        fake_set_available(rig.backend, true);
        look_now();
        unit_run_until(rig.event, is_ready, NULL);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert(fake_has_device(rig.backend, "a"));
}
END_TEST

START_TEST(test_stop_while_unavailable) {
        rig_record("a", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        fake_set_available(rig.backend, false);
        rig_start();
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "ready");
}
END_TEST

/* Verbs that come while the comparison is under way are refused, and told why. */
START_TEST(test_verbs_while_recovering) {
        Answer a;

        rig_record("a", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        fake_put_device(rig.backend, "a", FAKE_A);
        fake_hold(rig.backend, FAKE_OBSERVE);
        rig_begin_start();
        rig_wait_held(FAKE_OBSERVE);
        ck_assert(!lifecycle_is_ready(rig.lifecycle));
        rig_begin_create("b", RIG_NET, &a);
        rig_assert_code(a, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "starting"));
        fake_let_go(rig.backend, FAKE_OBSERVE);
        unit_run_until(rig.event, is_ready, NULL);
        ck_assert(rig.started);
        rig_create_good("b", RIG_NET);
}
END_TEST

/* Once started, the host is looked at again and again. */
START_TEST(test_periodic_look) {
        rig_start();
        rig_create_good("a", RIG_NET);
        fake_remove_device(rig.backend, "a");
        for (unsigned i = 0; i < 3; i++) {
                unsigned n = fake_count_calls(rig.backend, FAKE_LIST_DEVICES);

                look_now();
                while (fake_count_calls(rig.backend, FAKE_LIST_DEVICES) == n || rig.lifecycle->scanner.is_running)
                        ck_assert_int_ge(sd_event_run(rig.event, 10 * USEC_PER_MSEC), 0);
        }
        rig_wait_idle();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
}
END_TEST

/* Returns what lifecycle_start() does, and lets go of everything. */
static int try_start(void) {
        Failure f = FAILURE_INIT;
        int r;

        ck_assert_int_eq(sd_event_new(&rig.event), 0);
        ck_assert_int_eq(store_open(rig.event, unit_directory(), &rig.store, &f), 0);
        inventory_init(&rig.inventory, rig.max_devices);
        ck_assert_int_eq(lifecycle_new(rig.event, &rig.inventory, rig.store, rig.backend, 10, &rig.lifecycle), 0);
        r = lifecycle_start(rig.lifecycle, NULL, NULL);
        rig_stop();
        return r;
}

static const char *const damages[] = {
        "UPDATE device SET name = 'A' WHERE name = 'a'",
        "UPDATE device SET name = '../a' WHERE name = 'a'",
        "UPDATE device SET uid = 'none'",
        "UPDATE device SET uid = ''",
        "UPDATE device SET mgmtdev = 'a/../b'",
        "UPDATE device SET mgmtdev = ''",
        "UPDATE device SET spec = ''",
        "UPDATE device SET spec = '[]'",
        "UPDATE device SET spec = '{\"class\":\"net\"'",
        "UPDATE device SET spec = '{\"class\":\"net\",\"class\":\"net\"}'",
        "UPDATE device SET spec = '{}'",
        "UPDATE device SET spec = '{\"class\":\"net\",\"later\":1}'",
        "UPDATE device SET state = 'unknown'",
};

/* A record that this program would not have written is a reason not to start, and stays as it is. */
START_TEST(test_damaged_record) {
        _cleanup_free_ char *before = NULL, *after = NULL;
        size_t n_before, n_after;

        rig_record("a", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        rig_record("b", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        disk_execute(damages[_i]);
        before = unit_read_file(disk_path(), &n_before);
        ck_assert_int_eq(try_start(), -EUCLEAN);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
        after = unit_read_file(disk_path(), &n_after);
        ck_assert_uint_eq(n_before, n_after);
        ck_assert_mem_eq(before, after, n_before);
}
END_TEST

START_TEST(test_unknown_reason) {
        Failure reason = { .code = ERROR_INTERNAL, .detail = "x" };

        rig_record("a", FAKE_A, RIG_NET, DEVICE_FAILED, &reason);
        disk_execute("UPDATE device SET reason_code = 'of-a-later-version'");
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        ck_assert_ptr_null(rig_device("a")->reason);
}
END_TEST

START_TEST(test_more_than_the_limit) {
        rig_record("a", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        rig_record("b", FAKE_A, RIG_NET, DEVICE_READY, NULL);
        rig.max_devices = 1;
        ck_assert_int_eq(try_start(), -ENOSPC);
        rig.max_devices = 2;
        fake_put_device(rig.backend, "a", FAKE_A);
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_int_eq(rig_device("b")->state, DEVICE_LOST);
}
END_TEST

/* The revision of a device that was deleted is not given out again. */
START_TEST(test_revision_grows) {
        uint64_t revision;

        rig_start();
        rig_create_good("a", RIG_NET);
        (void) rig_delete("a");
        revision = rig.inventory.revision;
        rig_stop();
        rig_start();
        ck_assert_uint_gt(rig.inventory.revision, revision);
}
END_TEST

/* Nor is one that was given out for what has no record: clients compare those, too. */
START_TEST(test_revision_of_foreign_grows) {
        uint64_t revision;

        rig_start();
        fake_put_device(rig.backend, "theirs", FAKE_A);
        rig_look();
        revision = inventory_find_mgmtdev(&rig.inventory, FAKE_A)->revision;
        ck_assert_uint_gt(revision, 0);
        rig_stop();
        rig_start();
        ck_assert_uint_gt(inventory_find_mgmtdev(&rig.inventory, FAKE_A)->revision, revision);
        ck_assert_uint_gt(rig.inventory.revision, revision);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
        tcase_add_test(tcase, test_unavailable);
        tcase_add_test(tcase, test_look_that_does_not_come_back);
        tcase_add_test(tcase, test_unavailable_in_new_boot);
        tcase_add_test(tcase, test_stop_while_unavailable);
        tcase_add_test(tcase, test_verbs_while_recovering);
        tcase_add_test(tcase, test_periodic_look);
        tcase_add_loop_test(tcase, test_damaged_record, 0, (int) ELEMENTSOF(damages));
        tcase_add_test(tcase, test_unknown_reason);
        tcase_add_test(tcase, test_more_than_the_limit);
        tcase_add_test(tcase, test_revision_grows);
        tcase_add_test(tcase, test_revision_of_foreign_grows);
}

int main(void) {
        return unit_main("recovery-start", add);
}
