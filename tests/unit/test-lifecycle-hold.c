/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Devices that are held, and go with their holder. */
#include <string.h>

#include "rig.h"
#include "unit.h"
#include "util/clock.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

static Answer create_held(const char *name, const char *holder) {
        DeviceSpec spec = rig_spec(RIG_NET);
        Answer answer = {};

        lifecycle_create_held_device(rig.lifecycle, name, &spec, holder, NULL, rig_on_answer, &answer);
        rig_wait(&answer);
        return answer;
}

static bool is_gone(void *name) {
        return !inventory_find_device(&rig.inventory, name);
}

static void wait_gone(const char *name) {
        unit_run_until(rig.event, is_gone, (void *) name);
}

START_TEST(test_release) {
        Answer a;

        a = create_held("a", "x");
        rig_assert_code(a, ERROR_NONE);
        ck_assert(a.created);
        a = create_held("b", "x");
        rig_assert_code(a, ERROR_NONE);
        a = create_held("c", "y");
        rig_assert_code(a, ERROR_NONE);
        rig_create_good("d", RIG_NET);
        ck_assert_str_eq(rig_device("a")->holder->name, "x");
        ck_assert_ptr_null(rig_device("d")->holder);

        lifecycle_release_holder(rig.lifecycle, "x");
        lifecycle_release_holder(rig.lifecycle, "x");
        lifecycle_release_holder(rig.lifecycle, "nobody");
        wait_gone("a");
        wait_gone("b");
        rig_wait_idle();
        ck_assert_uint_eq(rig.inventory.n_devices, 2);
        ck_assert_ptr_null(holder_find(&rig.inventory.holders, "x"));
        ck_assert_ptr_nonnull(holder_find(&rig.inventory.holders, "y"));
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "");
        ck_assert_str_eq(rig_recorded("c"), "ready");
}
END_TEST

/* Only its holder's own call confirms a device: any other would be told of a device that can go at any time. */
START_TEST(test_confirm) {
        Answer a;

        (void) create_held("a", "x");
        a = create_held("a", "x");
        rig_assert_code(a, ERROR_NONE);
        ck_assert(!a.created);
        a = create_held("a", "y");
        rig_assert_code(a, ERROR_ALREADY_EXISTS);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "held by x"));
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_ALREADY_EXISTS);
        rig_create_good("b", RIG_NET);
        a = create_held("b", "x");
        rig_assert_code(a, ERROR_ALREADY_EXISTS);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "held by nobody"));
}
END_TEST

/* In use it stays, and goes when it is not. */
START_TEST(test_in_use) {
        (void) create_held("a", "x");
        fake_device(rig.backend, "a")->in_use = true;
        lifecycle_release_holder(rig.lifecycle, "x");
        rig_wait_idle();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        fake_device(rig.backend, "a")->in_use = false;
        wait_gone("a");
}
END_TEST

/* What has the name later is another device. */
START_TEST(test_another_of_that_name) {
        Answer a;

        (void) create_held("a", "x");
        fake_device(rig.backend, "a")->in_use = true;
        lifecycle_release_holder(rig.lifecycle, "x");
        rig_wait_idle();
        fake_device(rig.backend, "a")->in_use = false;
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
        rig_create_good("a", RIG_NET);
        for (uint64_t end = clock_monotonic_usec() + 2 * USEC_PER_SEC; clock_monotonic_usec() < end;)
                (void) sd_event_run(rig.event, USEC_PER_SEC / 10);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

/* The next start knows who holds what; a release that has not come to its end has to be asked for again. */
START_TEST(test_restart) {
        (void) create_held("a", "x");
        (void) create_held("b", "y");
        fake_device(rig.backend, "a")->in_use = true;
        lifecycle_release_holder(rig.lifecycle, "x");
        rig_wait_idle();
        rig_stop();
        fake_device(rig.backend, "a")->in_use = false;

        rig_start();
        ck_assert_str_eq(rig_device("a")->holder->name, "x");
        ck_assert_str_eq(rig_device("b")->holder->name, "y");
        lifecycle_release_holder(rig.lifecycle, "x");
        wait_gone("a");
        ck_assert_int_eq(rig_device("b")->state, DEVICE_READY);
}
END_TEST

/* No holder outlives the host. */
START_TEST(test_new_boot) {
        (void) create_held("a", "x");
        rig_create_good("b", RIG_NET);
        rig_stop();
        rig_record_boot("11111111-2222-3333-4444-555555555555");
        fake_remove_all_devices(rig.backend);
        rig_start();
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        ck_assert_int_eq(rig_device("b")->state, DEVICE_READY);
}
END_TEST

START_TEST(test_many) {
        char name[16];

        for (unsigned i = 0; i < 90; i++) {
                (void) snprintf(name, sizeof name, "d%u", i);
                (void) create_held(name, i % 3 ? "x" : "y");
        }
        lifecycle_release_holder(rig.lifecycle, "x");
        while (holder_find(&rig.inventory.holders, "x"))
                (void) sd_event_run(rig.event, USEC_PER_SEC);
        ck_assert_uint_eq(rig.inventory.n_devices, 30);
        ck_assert_str_eq(holder_next(&rig.inventory.holders, "")->name, "y");
        ck_assert_ptr_null(holder_next(&rig.inventory.holders, "y"));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_release);
        tcase_add_test(tcase, test_confirm);
        tcase_add_test(tcase, test_in_use);
        tcase_add_test(tcase, test_another_of_that_name);
        tcase_add_test(tcase, test_restart);
        tcase_add_test(tcase, test_new_boot);
        tcase_add_test(tcase, test_many);
}

int main(void) {
        return unit_main("lifecycle-hold", add);
}
