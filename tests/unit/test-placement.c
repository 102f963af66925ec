/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a new device goes, and what is said if it cannot go anywhere. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "unit.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

#define ON_A "\"mgmtdev\":\"" FAKE_A "\","

static const struct {
        const char *spec;
        ErrorCode code;
        const char *pointer, *fault;
        const char *detail; /* part of it */
        size_t n_more;      /* faults, of other candidates */
} refusals[] = {
        { "{" ON_A "\"class\":\"fs\"}", ERROR_UNSATISFIABLE, "/spec/class", "unsupported-class",
          "bus/a: cannot make fs devices" },
        { "{" ON_A "\"class\":\"net\",\"features\":[\"MAC\",\"CSUM\"]}", ERROR_UNSATISFIABLE, "/spec/features",
          "unsupported-feature", "bus/a: does not offer CSUM" },
        { "{" ON_A "\"class\":\"net\",\"features\":[\"STATUS\",\"CSUM\",\"RSS\"]}", ERROR_UNSATISFIABLE,
          "/spec/features", "unsupported-feature", "CSUM and 2 more" },
        { "{" ON_A "\"class\":\"net\",\"net\":{\"max_vqp\":5}}", ERROR_UNSATISFIABLE, "/spec/net", "out-of-range",
          "bus/a: virtqueues: need 11, and a device there has 9 at the most" },
        { "{" ON_A "\"class\":\"net\",\"net\":{\"max_vqp\":32767}}", ERROR_UNSATISFIABLE, "/spec/net",
          "out-of-range", "need 65535", 1 },
        { "{\"class\":\"fs\"}", ERROR_UNSATISFIABLE, "/spec/class", "unsupported-class",
          "bus/a: cannot make fs devices", 1 },
        { "{\"mgmtdev\":\"bus/c\",\"class\":\"net\"}", ERROR_UNSATISFIABLE, "/spec/mgmtdev", "unknown-mgmtdev",
          "no management device bus/c" },
};

START_TEST(test_refusal) {
        Answer a = rig_create("a", refusals[_i].spec);

        rig_assert_code(a, refusals[_i].code);
        ck_assert_uint_eq(a.n_faults, 1 + refusals[_i].n_more);
        ck_assert_str_eq(a.fault.pointer, refusals[_i].pointer);
        ck_assert_str_eq(a.fault.code, refusals[_i].fault);
        ck_assert_msg(strstr(a.fault.detail, refusals[_i].detail), "%s", a.fault.detail);
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
}
END_TEST

static const char *const good_specs[] = {
        "{" ON_A "\"class\":\"net\",\"net\":{\"max_vqp\":4}}",
        "{" ON_A "\"class\":\"net\",\"features\":[]}",
        "{" ON_A "\"class\":\"net\",\"features\":[\"MAC\",\"MTU\",\"MQ\",\"VERSION_1\"]}",
        "{" ON_A "\"class\":\"block\",\"features\":[\"VERSION_1\"]}",
};

START_TEST(test_good) {
        Answer a = rig_create_good("a", good_specs[_i]);

        ck_assert_str_eq(a.mgmtdev, FAKE_A);
}
END_TEST

/* Several things that speak against it are all said. */
START_TEST(test_all_faults) {
        Answer a = rig_create("a",
                              "{" ON_A "\"class\":\"net\",\"features\":[\"MQ\",\"CSUM\"],\"net\":{\"max_vqp\":5}}");

        rig_assert_code(a, ERROR_UNSATISFIABLE);
        ck_assert_uint_eq(a.n_faults, 2);
}
END_TEST

/* Evenly, foreign devices counted. */
START_TEST(test_spread) {
        unsigned n_a = 0;

        fake_put_device(rig.backend, "theirs", FAKE_A);
        rig_look();
        for (unsigned i = 0; i < 9; i++) {
                char name[16];
                Answer a;

                (void) snprintf(name, sizeof name, "d%u", i);
                a = rig_create_good(name, RIG_NET);
                n_a += strcmp(a.mgmtdev, FAKE_A) == 0;
        }
        ck_assert_uint_eq(n_a, 4);
}
END_TEST

/* A failed device takes no room, but one that could not be removed does. */
START_TEST(test_spread_with_failed) {
        Answer a;

        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", RIG_NET);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        a = rig_create_good("b", RIG_NET);
        ck_assert_str_eq(a.mgmtdev, FAKE_B);
        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        a = rig_create("c", RIG_NET);
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_uint_eq(rig_device("b")->mgmtdev->n_devices, 1);
}
END_TEST

static bool is_lost(void *name) {
        return rig_device(name)->state == DEVICE_LOST;
}

/* One that has failed holds nothing, and goes where a new one would. */
START_TEST(test_failed_goes_elsewhere) {
        Answer a;

        fake_unplug(rig.backend, FAKE_B);
        fake_plug(rig.backend, FAKE_A, 1);
        rig_look();
        rig_create_good("a", RIG_NET);
        fake_remove_device(rig.backend, "a");
        rig_look();
        unit_run_until(rig.event, is_lost, (void *) "a");
        fake_fail(rig.backend, FAKE_CREATE, 1, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", RIG_NET);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);

        rig_create_good("b", RIG_NET);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_NO_CAPACITY);
        fake_plug(rig.backend, FAKE_B, 1);
        rig_look();
        a = rig_create_good("a", RIG_NET);
        ck_assert_str_eq(a.mgmtdev, FAKE_B);
}
END_TEST

START_TEST(test_no_room_on_named) {
        Answer a;

        fake_plug(rig.backend, FAKE_A, 2);
        fake_put_device(rig.backend, "theirs", FAKE_A);
        rig_look();
        rig_create_good("a", "{" ON_A "\"class\":\"net\"}");
        a = rig_create("b", "{" ON_A "\"class\":\"net\"}");
        rig_assert_code(a, ERROR_NO_CAPACITY);
        ck_assert_str_eq(a.fault.pointer, "/spec/mgmtdev");
        ck_assert_str_eq(a.fault.code, "no-capacity");
        ck_assert_str_eq(a.failure.detail, "bus/a: devices: need 1, free 0 of 2");

        (void) rig_delete("a");
        rig_create_good("b", "{" ON_A "\"class\":\"net\"}");
}
END_TEST

/* What is full is passed over; when all are, each is named. */
START_TEST(test_no_room_anywhere) {
        Answer a;

        fake_plug(rig.backend, FAKE_A, 1);
        fake_plug(rig.backend, FAKE_B, 2);
        rig_look();
        for (unsigned i = 0; i < 3; i++)
                rig_create_good((const char *[]){ "a", "b", "c" }[i], RIG_NET);
        a = rig_create("d", RIG_NET);
        rig_assert_code(a, ERROR_NO_CAPACITY);
        ck_assert_str_eq(a.fault.pointer, "/spec");
        ck_assert_str_eq(a.failure.detail, "bus/a: devices: need 1, free 0 of 1; "
                                           "bus/b: devices: need 1, free 0 of 2");
}
END_TEST

/* Room counts also for what is only on its way. */
START_TEST(test_room_while_creating) {
        Answer a, b;

        fake_plug(rig.backend, FAKE_A, 1);
        rig_look();
        fake_hold(rig.backend, FAKE_CREATE);
        rig_begin_create("a", "{" ON_A "\"class\":\"net\"}", &a);
        rig_begin_create("b", "{" ON_A "\"class\":\"net\"}", &b);
        rig_assert_code(b, ERROR_NO_CAPACITY);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
}
END_TEST

/* One that makes only what was prepared there is never chosen, but can be named. */
START_TEST(test_only_by_name) {
        Answer a;

        fake_unplug(rig.backend, FAKE_B);
        fake_mgmtdev(rig.backend, FAKE_A)->only_by_name = true;
        rig_look();
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_UNSATISFIABLE);
        ck_assert_str_eq(a.fault.pointer, "/spec/mgmtdev");
        ck_assert_str_eq(a.fault.code, "only-by-name");
        a = rig_create("a", "{\"class\":\"fs\"}");
        rig_assert_code(a, ERROR_UNSATISFIABLE);
        ck_assert_str_eq(a.fault.pointer, "/spec/class");
        rig_create_good("a", "{" ON_A "\"class\":\"net\"}");
}
END_TEST

START_TEST(test_no_mgmtdev) {
        Answer a;

        fake_unplug(rig.backend, FAKE_A);
        fake_unplug(rig.backend, FAKE_B);
        rig_look();
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_UNSATISFIABLE);
        ck_assert_str_eq(a.failure.detail, "this host has no management device");
        ck_assert_str_eq(a.fault.pointer, "/spec");
}
END_TEST

/* Reasons are cut, not run over. */
START_TEST(test_many_reasons) {
        Answer a;

        for (unsigned i = 0; i < 6; i++) {
                char handle[HANDLE_MAX];

                memset(handle, 'a' + (int) i, sizeof handle - 1);
                handle[sizeof handle - 1] = '\0';
                fake_plug(rig.backend, handle, 0);
        }
        rig_look();
        a = rig_create("a", "{\"class\":\"fs\"}");
        rig_assert_code(a, ERROR_UNSATISFIABLE);
        ck_assert_uint_gt(strlen(a.failure.detail), 300);
}
END_TEST

START_TEST(test_host_unavailable) {
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_set_available(rig.backend, false);
        a = rig_create("b", "{\"class\":\"net\",\"mgmtdev\":\"not/there\"}");
        rig_assert_code(a, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_str_eq(a.failure.detail, "the test says so");
        a = rig_create("b", RIG_NET);
        rig_assert_code(a, ERROR_BACKEND_UNAVAILABLE);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_NONE);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_loop_test(tcase, test_refusal, 0, (int) ELEMENTSOF(refusals));
        tcase_add_loop_test(tcase, test_good, 0, (int) ELEMENTSOF(good_specs));
        tcase_add_test(tcase, test_all_faults);
        tcase_add_test(tcase, test_spread);
        tcase_add_test(tcase, test_spread_with_failed);
        tcase_add_test(tcase, test_failed_goes_elsewhere);
        tcase_add_test(tcase, test_no_room_on_named);
        tcase_add_test(tcase, test_no_room_anywhere);
        tcase_add_test(tcase, test_room_while_creating);
        tcase_add_test(tcase, test_only_by_name);
        tcase_add_test(tcase, test_no_mgmtdev);
        tcase_add_test(tcase, test_many_reasons);
        tcase_add_test(tcase, test_host_unavailable);
}

int main(void) {
        return unit_main("placement", add);
}
