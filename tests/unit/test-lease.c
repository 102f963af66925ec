/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Leases: they end in order, once each, and not while they are being renewed. */
#include "lifecycle/lease.h"

#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "rig.h"
#include "unit.h"
#include "util/clock.h"

#define LEASED "{\"class\":\"net\",\"lease_seconds\":3600}"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

static uint64_t now_usec(void) {
        return durable_clock_now(store_clock(rig.store));
}

static bool is_empty(void *userdata) {
        return rig.inventory.n_devices == 0;
}

static bool was_tried(void *userdata) {
        return rig_device("a")->n_lease_failures > 0 && !rig_device("a")->operation;
}

static Answer renew(const char *name, const uint32_t *seconds) {
        Answer answer = {};

        lifecycle_renew_device(rig.lifecycle, name, NULL, seconds, rig_on_answer, &answer);
        rig_wait(&answer);
        return answer;
}

START_TEST(test_none) {
        Answer a;

        rig_create_good("a", RIG_NET);
        ck_assert_uint_eq(rig_device("a")->lease_usec, 0);
        ck_assert_ptr_null(inventory_first_lease(&rig.inventory));
        a = renew("a", NULL);
        rig_assert_code(a, ERROR_NO_LEASE);
}
END_TEST

/* Whatever the order in which they begin, and what becomes of some of them. */
START_TEST(test_order) {
        enum { N = 200 };
        uint64_t now = now_usec(), last = 0;
        char name[16];

        for (unsigned i = 0; i < N; i++) {
                (void) snprintf(name, sizeof name, "d%u", i);
                rig_create_good(name, LEASED);
                lease_set(rig.lifecycle, rig_device(name), now + (1 + unit_random(50)) * 3600 * USEC_PER_SEC);
        }
        for (unsigned i = 0; i < N; i += 3) {
                (void) snprintf(name, sizeof name, "d%u", i);
                if (i % 2)
                        lease_set(rig.lifecycle, rig_device(name), 0);
                else
                        (void) rig_delete(name);
        }
        for (Device *d; (d = inventory_first_lease(&rig.inventory)); lease_set(rig.lifecycle, d, 0)) {
                ck_assert_uint_ge(d->lease_look_usec, last);
                ck_assert_uint_eq(d->lease_look_usec, d->lease_usec);
                last = d->lease_look_usec;
        }
        ck_assert_uint_gt(last, 0);
}
END_TEST

START_TEST(test_end) {
        rig_create_good("a", LEASED);
        lease_set(rig.lifecycle, rig_device("a"), now_usec() - 1);
        unit_run_until(rig.event, is_empty, NULL);
        ck_assert(!fake_has_device(rig.backend, "a"));
        ck_assert_uint_eq(rig.lifecycle->leases.n_running, 0);
}
END_TEST

/* One that cannot be deleted is as it was, and is tried again when it is renewed no more. */
START_TEST(test_in_use) {
        Answer a;

        rig_create_good("a", LEASED);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_IN_USE, EBUSY);
        lease_set(rig.lifecycle, rig_device("a"), now_usec() - 1);
        unit_run_until(rig.event, was_tried, NULL);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_int_eq(rig_device("a")->lease_reason->code, ERROR_IN_USE);
        fake_fail(rig.backend, FAKE_DESTROY, 0, ERROR_NONE, 0);
        a = renew("a", NULL);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(a.generation, 1);
        ck_assert_uint_eq(rig_device("a")->n_lease_failures, 0);
        ck_assert_ptr_null(rig_device("a")->lease_reason);
        lease_set(rig.lifecycle, rig_device("a"), now_usec() - 1);
        unit_run_until(rig.event, is_empty, NULL);
}
END_TEST

/* The deletion comes behind a renewal that is under way, and finds that it is not wanted any more. */
START_TEST(test_renewed_meanwhile) {
        Precondition over = { .lease_is_over = true };
        Answer renewal = {}, deletion = {};

        rig_create_good("a", LEASED);
        lifecycle_renew_device(rig.lifecycle, "a", NULL, NULL, rig_on_answer, &renewal);
        lifecycle_delete_device(rig.lifecycle, "a", &over, rig_on_answer, &deletion);
        rig_wait(&deletion);
        rig_assert_code(renewal, ERROR_NONE);
        rig_assert_code(deletion, ERROR_PRECONDITION_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

START_TEST(test_restart) {
        static const uint32_t seconds = 7200;
        uint64_t before;
        Answer a;

        rig_create_good("a", LEASED);
        a = renew("a", &seconds);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(a.generation, 2);
        before = rig_device("a")->lease_usec;
        ck_assert_uint_gt(before, now_usec() + 7100 * USEC_PER_SEC);
        rig_stop();
        rig_start();
        ck_assert_uint_eq(rig_device("a")->lease_usec, before);
        ck_assert_uint_eq(rig_device("a")->spec.lease_seconds, 7200);
        ck_assert_ptr_eq(inventory_first_lease(&rig.inventory), rig_device("a"));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_none);
        tcase_add_test(tcase, test_order);
        tcase_add_test(tcase, test_end);
        tcase_add_test(tcase, test_in_use);
        tcase_add_test(tcase, test_renewed_meanwhile);
        tcase_add_test(tcase, test_restart);
}

int main(void) {
        return unit_main("lease", add);
}
