/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Creations that fail, at each step, and what is left of them. */
#include <errno.h>
#include <string.h>

#include "rig.h"
#include "unit.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

static const struct {
        FakeCall call;
        ErrorCode code;
        int error;
        const char *calls;
} failures[] = {
        { FAKE_CREATE, ERROR_BACKEND_FAILED, EIO, "create a, observe a" },
        { FAKE_CREATE, ERROR_NO_CAPACITY, ENOSPC, "create a" },
        { FAKE_CREATE, ERROR_FOREIGN_DEVICE, EEXIST, "create a" },
        { FAKE_BIND, ERROR_BACKEND_FAILED, EINVAL, "create a, assign a, bind a, destroy a" },
        { FAKE_BIND, ERROR_NOT_SUPPORTED, EOPNOTSUPP, "create a, assign a, bind a, destroy a" },
        { FAKE_PUBLISH, ERROR_PERMISSION_DENIED, EPERM, "create a, assign a, bind a, publish a, destroy a" },
        { FAKE_OBSERVE, ERROR_BACKEND_FAILED, EIO, "create a, assign a, bind a, publish a, observe a, destroy a" },
};

/* Undone in reverse, with no trace left on the host, in the inventory, or on the disk. */
START_TEST(test_undo) {
        Answer a;

        fake_fail(rig.backend, failures[_i].call, 1, failures[_i].code, failures[_i].error);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, failures[_i].code);
        ck_assert_int_eq(a.failure.error, failures[_i].error);
        ck_assert(!a.has_device && !a.created);
        ck_assert_str_eq(fake_take_calls(rig.backend), failures[_i].calls);
        ck_assert(!fake_has_device(rig.backend, "a"));
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        ck_assert_uint_eq(inventory_find_mgmtdev(&rig.inventory, FAKE_A)->n_records, 0);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "");
}
END_TEST

/* A device that vanishes while it is made ready. */
START_TEST(test_vanishes) {
        Answer a;

        fake_fail(rig.backend, FAKE_OBSERVE, 1, ERROR_DEVICE_NOT_FOUND, ENODEV);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "vanished"));
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
}
END_TEST

/* If it cannot even be undone, the record stays for the user to see, and says both. */
START_TEST(test_undo_fails) {
        Answer a, again;

        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_IN_USE, EBUSY);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        ck_assert_ptr_nonnull(strstr(rig_device("a")->reason->detail, "bind a"));
        ck_assert_ptr_nonnull(strstr(rig_device("a")->reason->detail, "destroy a"));
        ck_assert(fake_has_device(rig.backend, "a"));
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "failed");

        /* It can be tried again, with what is left over. */
        rig_start();
        ck_assert_int_eq(rig_device("a")->reason->code, ERROR_BACKEND_FAILED);
        (void) fake_take_calls(rig.backend);
        again = rig_create_good("a", RIG_NET);
        ck_assert_str_eq(again.uid, rig_device("a")->uid);
        ck_assert_str_eq(fake_take_calls(rig.backend), "observe a, assign a, bind a, publish a, observe a");
        ck_assert_ptr_null(rig_device("a")->reason);
}
END_TEST

/* Once failed, it stays failed until it works or is deleted. */
START_TEST(test_fails_again) {
        Answer a;

        fake_fail(rig.backend, FAKE_BIND, 2, ERROR_BACKEND_FAILED, EIO);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", RIG_NET);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        /* What was there before is not removed: it may be somebody's. */
        ck_assert(fake_has_device(rig.backend, "a"));
        ck_assert_ptr_nonnull(strstr(rig_device("a")->reason->detail, "left as it is"));
        a = rig_create("a", "{\"class\":\"block\"}");
        rig_assert_code(a, ERROR_ALREADY_EXISTS);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
        rig_create_good("a", "{\"class\":\"block\"}");
}
END_TEST

/* A name that someone else has given is theirs. */
START_TEST(test_foreign_name) {
        Answer a;

        fake_put_device(rig.backend, "a", FAKE_B);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_FOREIGN_DEVICE);
        ck_assert(fake_has_device(rig.backend, "a"));
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        ck_assert_str_eq(fake_take_calls(rig.backend), "create a");
}
END_TEST

START_TEST(test_no_endpoint) {
        Answer a;

        /* The driver takes the device, but nothing comes of it. */
        fake_hold(rig.backend, FAKE_PUBLISH);
        rig_begin_create("a", RIG_NET, &a);
        rig_wait_held(FAKE_PUBLISH);
        fake_device(rig.backend, "a")->status.endpoint[0] = '\0';
        fake_let_go(rig.backend, FAKE_PUBLISH);
        rig_wait(&a);
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "no endpoint on vhost_vdpa"));
        ck_assert(!fake_has_device(rig.backend, "a"));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_loop_test(tcase, test_undo, 0, (int) ELEMENTSOF(failures));
        tcase_add_test(tcase, test_vanishes);
        tcase_add_test(tcase, test_undo_fails);
        tcase_add_test(tcase, test_fails_again);
        tcase_add_test(tcase, test_foreign_name);
        tcase_add_test(tcase, test_no_endpoint);
}

int main(void) {
        return unit_main("lifecycle-undo", add);
}
