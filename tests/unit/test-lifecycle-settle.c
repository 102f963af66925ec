/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An interface whose name may change: nobody is told of it before it keeps it, and the worker does not wait. */
#include <errno.h>

#include "lifecycle/settle.h"
#include "rig.h"
#include "unit.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
        fake_unsettle_endpoints(rig.backend);
}

static void wait_until_awaited(const char *name) {
        while (!rig_device(name)->operation->settle.timer)
                ck_assert_int_ge(sd_event_run(rig.event, USEC_PER_SEC), 0);
}

/* Of two that wait, each goes on by itself; others are made meanwhile. */
START_TEST(test_create) {
        Answer a = {}, b = {};

        rig_begin_create("a", RIG_NET, &a);
        rig_begin_create("b", RIG_NET, &b);
        wait_until_awaited("a");
        wait_until_awaited("b");
        ck_assert_uint_eq(rig_device("a")->state, DEVICE_CREATING);
        ck_assert_uint_eq(a.n + b.n, 0);
        fake_settle(rig.backend, "b", "eth1");
        rig_wait(&b);
        rig_assert_code(b, ERROR_NONE);
        ck_assert_str_eq(rig_device("b")->status.endpoint, "eth1");
        ck_assert_uint_eq(a.n, 0);
        fake_settle(rig.backend, "a", "eth0");
        settle_hint(rig_device("a")->operation);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_str_eq(rig_device("a")->status.endpoint, "eth0");
        rig_stop();
}
END_TEST

/* One that goes meanwhile was not made; one that cannot be looked at goes again. */
START_TEST(test_failure) {
        Answer a = {}, b = {};

        rig_begin_create("a", RIG_NET, &a);
        wait_until_awaited("a");
        fake_remove_device(rig.backend, "a");
        settle_hint(rig_device("a")->operation);
        rig_wait(&a);
        rig_assert_code(a, ERROR_BACKEND_FAILED);

        rig_begin_create("b", RIG_NET, &b);
        wait_until_awaited("b");
        fake_fail(rig.backend, FAKE_OBSERVE, 1, ERROR_BACKEND_FAILED, EIO);
        settle_hint(rig_device("b")->operation);
        rig_wait(&b);
        rig_assert_code(b, ERROR_BACKEND_FAILED);
        ck_assert(!fake_has_device(rig.backend, "b"));
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "b"));
        rig_stop();
}
END_TEST

/* A stop does not wait for a name. */
START_TEST(test_stop) {
        Answer a = {};

        rig_begin_create("a", RIG_NET, &a);
        wait_until_awaited("a");
        rig_stop();
        rig_assert_code(a, ERROR_NONE);
}
END_TEST

/* A hint for an operation that waits for nothing does nothing. */
START_TEST(test_hint_without_need) {
        Answer a = {};

        fake_hold(rig.backend, FAKE_CREATE);
        rig_begin_create("a", RIG_NET, &a);
        rig_wait_held(FAKE_CREATE);
        settle_hint(rig_device("a")->operation);
        fake_let_go(rig.backend, FAKE_CREATE);
        wait_until_awaited("a");
        fake_settle(rig.backend, "a", "eth0");
        settle_hint(rig_device("a")->operation);
        settle_hint(rig_device("a")->operation);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        rig_stop();
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_create);
        tcase_add_test(tcase, test_failure);
        tcase_add_test(tcase, test_stop);
        tcase_add_test(tcase, test_hint_without_need);
}

int main(void) {
        return unit_main("lifecycle-settle", add);
}
