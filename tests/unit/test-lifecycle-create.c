/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The create verb, as long as the host does what it is told. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "store-rig.h"
#include "unit.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

START_TEST(test_steps) {
        Answer a = rig_create("a", "{\"class\":\"net\",\"endpoint\":{\"uid\":107,\"gid\":108,\"mode\":\"0660\"}}");
        Device *device = rig_device("a");

        rig_assert_code(a, ERROR_NONE);
        ck_assert(a.created);
        ck_assert_int_eq(a.state, DEVICE_READY);
        ck_assert_str_eq(fake_take_calls(rig.backend), "create a, assign a, bind a, publish a, observe a");
        ck_assert_str_eq(device->status.endpoint, "/dev/vhost-vdpa-0");
        ck_assert_uint_eq(device->revision, a.revision);
        ck_assert_ptr_null(device->operation);
        ck_assert_uint_eq(fake_device(rig.backend, "a")->owner.uid, 107);
        ck_assert_uint_eq(fake_device(rig.backend, "a")->owner.mode, 0660);
        ck_assert_uint_eq(rig.inventory.n_states[DEVICE_READY], 1);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "ready");
}
END_TEST

/* The intent is durable before anything is done, and the device is there to be seen. */
START_TEST(test_states_on_the_way) {
        Answer a;

        rig_begin_create("a", RIG_NET, &a);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_RESERVED);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
        fake_hold(rig.backend, FAKE_CREATE);
        rig_wait_held(FAKE_CREATE);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_CREATING);
        ck_assert_uint_eq(a.n, 0);
        ck_assert_uint_eq(lifecycle_n_operations(rig.lifecycle), 1);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(lifecycle_n_operations(rig.lifecycle), 0);
}
END_TEST

/* The intent has the device as it is going to be, and what it becomes has that revision, also after a restart. */
START_TEST(test_one_record) {
        char sql[128];
        Answer a;

        rig_begin_create("a", RIG_NET, &a);
        fake_hold(rig.backend, FAKE_CREATE);
        rig_wait_held(FAKE_CREATE);
        (void) snprintf(sql, sizeof sql,
                        "SELECT count(*) FROM device JOIN intent USING (revision) WHERE revision = %" PRIu64,
                        rig_device("a")->revision + 1);
        ck_assert_int_eq(disk_query(sql), 1);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(rig_device("a")->revision, a.revision);
        rig_stop();
        ck_assert_int_eq(disk_query(sql), 0);
        (void) snprintf(sql, sizeof sql,
                        "SELECT count(*) FROM device WHERE state = 'ready' AND revision = %" PRIu64, a.revision);
        ck_assert_int_eq(disk_query(sql), 1);
        rig_start();
        ck_assert_uint_eq(rig_device("a")->revision, a.revision);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

START_TEST(test_confirm) {
        Answer first = rig_create_good("a", RIG_NET), again;

        (void) fake_take_calls(rig.backend);
        rig_begin_create("a", "{\"class\":\"1\",\"driver\":\"vhost_vdpa\"}", &again);
        rig_assert_code(again, ERROR_NONE);
        ck_assert(!again.created);
        ck_assert_str_eq(again.uid, first.uid);
        ck_assert_uint_eq(again.revision, first.revision);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
}
END_TEST

START_TEST(test_other_spec) {
        Answer first = rig_create_good("a", RIG_NET), other;

        rig_begin_create("a", "{\"class\":\"block\"}", &other);
        rig_assert_code(other, ERROR_ALREADY_EXISTS);
        ck_assert(!other.has_device);
        ck_assert_uint_eq(rig_device("a")->revision, first.revision);
}
END_TEST

/* The same and another spec, while the first is under way: both wait, and find what is there then. */
START_TEST(test_waits_for_the_first) {
        Answer first, same, other;

        fake_hold(rig.backend, FAKE_BIND);
        rig_begin_create("a", RIG_NET, &first);
        rig_wait_held(FAKE_BIND);
        rig_begin_create("a", RIG_NET, &same);
        rig_begin_create("a", "{\"class\":\"block\"}", &other);
        ck_assert_uint_eq(same.n + other.n, 0);
        fake_let_go(rig.backend, FAKE_BIND);
        rig_wait(&other);
        rig_assert_code(first, ERROR_NONE);
        rig_assert_code(same, ERROR_NONE);
        rig_assert_code(other, ERROR_ALREADY_EXISTS);
        ck_assert(first.created && !same.created);
        ck_assert_str_eq(first.uid, same.uid);
        ck_assert_uint_eq(fake_count_calls(rig.backend, FAKE_CREATE), 1);
}
END_TEST

/* What waited for a creation that fails has its own go. */
START_TEST(test_waits_for_a_failure) {
        Answer first, second;

        fake_hold(rig.backend, FAKE_CREATE);
        fake_fail(rig.backend, FAKE_CREATE, 1, ERROR_BACKEND_FAILED, EIO);
        rig_begin_create("a", RIG_NET, &first);
        rig_begin_create("a", "{\"class\":\"block\"}", &second);
        rig_wait_held(FAKE_CREATE);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&second);
        rig_assert_code(first, ERROR_BACKEND_FAILED);
        rig_assert_code(second, ERROR_NONE);
        ck_assert(second.created);
        ck_assert_uint_eq(rig_device("a")->spec.class, CLASS_BLOCK);
}
END_TEST

START_TEST(test_generated_names) {
        Answer a = rig_create(NULL, RIG_NET), b = rig_create(NULL, RIG_NET);

        rig_assert_code(a, ERROR_NONE);
        rig_assert_code(b, ERROR_NONE);
        ck_assert(device_name_is_valid(a.name));
        ck_assert_str_ne(a.name, b.name);
        ck_assert(fake_has_device(rig.backend, a.name));
}
END_TEST

START_TEST(test_device_limit) {
        Answer a;

        rig.inventory.max_devices = 1;
        rig_create_good("a", RIG_NET);
        a = rig_create("b", RIG_NET);
        rig_assert_code(a, ERROR_LIMIT_REACHED);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_NONE);
}
END_TEST

/* Over the limit of operations verbs are refused at once, but not those that need none, or only wait. */
START_TEST(test_overload) {
        Answer first, second, third, same, confirm;

        rig_create_good("r", RIG_NET);
        rig_stop();
        rig.max_operations = 2;
        rig_start();
        fake_hold(rig.backend, FAKE_CREATE);
        rig_begin_create("a", RIG_NET, &first);
        rig_begin_create("b", RIG_NET, &second);
        rig_begin_create("c", RIG_NET, &third);
        rig_assert_code(third, ERROR_OVERLOADED);
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "c"));
        rig_begin_create("a", RIG_NET, &same);
        ck_assert_uint_eq(same.n, 0);
        rig_begin_create("r", RIG_NET, &confirm);
        rig_assert_code(confirm, ERROR_NONE);
        rig_begin_delete("r", &confirm);
        rig_assert_code(confirm, ERROR_OVERLOADED);
        ck_assert_int_eq(rig_device("r")->state, DEVICE_READY);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&same);
        rig_wait(&second);
        rig_assert_code(same, ERROR_NONE);
        rig_create_good("c", RIG_NET);
}
END_TEST

/* Devices do not wait for each other's answers, only for the one worker. */
START_TEST(test_many) {
        Answer answers[64];

        for (unsigned i = 0; i < ELEMENTSOF(answers); i++) {
                char name[16];

                (void) snprintf(name, sizeof name, "d%u", i);
                rig_begin_create(name, RIG_NET, &answers[i]);
        }
        rig_wait_idle();
        for (unsigned i = 0; i < ELEMENTSOF(answers); i++)
                rig_assert_code(answers[i], ERROR_NONE);
        ck_assert_uint_eq(rig.inventory.n_states[DEVICE_READY], ELEMENTSOF(answers));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_steps);
        tcase_add_test(tcase, test_states_on_the_way);
        tcase_add_test(tcase, test_one_record);
        tcase_add_test(tcase, test_confirm);
        tcase_add_test(tcase, test_other_spec);
        tcase_add_test(tcase, test_waits_for_the_first);
        tcase_add_test(tcase, test_waits_for_a_failure);
        tcase_add_test(tcase, test_generated_names);
        tcase_add_test(tcase, test_device_limit);
        tcase_add_test(tcase, test_overload);
        tcase_add_test(tcase, test_many);
}

int main(void) {
        return unit_main("lifecycle-create", add);
}
