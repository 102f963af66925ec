/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The steps on the backend's side, each from where a crash may have left the device. */
#include "lifecycle/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake-backend.h"
#include "inventory/class.h"
#include "unit.h"

static Backend *b;

static void set_up(void) {
        b = fake_backend_new();
}

static void tear_down(void) {
        b->ops->free(b);
}

typedef enum Host {
        NOTHING,
        OURS,
        OURS_WITHOUT_ENDPOINT,
        OURS_OTHER_DRIVER,
        OURS_IN_USE,
        THEIRS,       /* on another management device */
        OURS_BY_NOTE, /* the record alone is no proof, but the backend knows */
        THEIRS_HERE,  /* ... and knows that it is not ours */
} Host;

static const struct {
        void (*run)(MachineTask *task, Backend *backend);
        bool may_exist;
        Host host;
        FakeCall failing; /* _FAKE_CALL_MAX: none; get_host stands for none too */
        const char *calls;
        ErrorCode code;
        bool left_over, is_gone, has_status;
        bool stays; /* a device of that name is there at the end */
} steps[] = {
        { machine_create, false, NOTHING, 0, "create a, bind a, publish a, observe a", 0, 0, 0, 1, 1 },
        { machine_create, false, OURS, 0, "create a", ERROR_FOREIGN_DEVICE, 0, 0, 0, 1 },
        { machine_create, false, NOTHING, FAKE_CREATE, "create a, observe a", ERROR_INTERNAL, 0, 0, 0, 0 },
        { machine_create, false, NOTHING, FAKE_BIND, "create a, bind a, destroy a", ERROR_INTERNAL, 0, 0, 0, 0 },
        { machine_create, true, NOTHING, 0, "observe a, create a, bind a, publish a, observe a", 0, 0, 0, 1, 1 },
        { machine_create, true, OURS, 0, "observe a, bind a, publish a, observe a", 0, 0, 0, 1, 1 },
        { machine_create, true, OURS_WITHOUT_ENDPOINT, 0, "observe a, bind a, publish a, observe a", 0, 0, 0, 1,
          1 },
        { machine_create, true, OURS, FAKE_PUBLISH, "observe a, bind a, publish a", ERROR_INTERNAL, 1, 0, 1, 1 },
        { machine_create, true, THEIRS, 0, "observe a", ERROR_FOREIGN_DEVICE, 0, 0, 0, 1 },
        { machine_create, true, OURS, FAKE_OBSERVE, "observe a", ERROR_INTERNAL, 0, 0, 0, 1 },
        { machine_create, true, OURS_BY_NOTE, 0, "observe a, bind a, publish a, observe a", 0, 0, 0, 1, 1 },
        { machine_create, true, THEIRS_HERE, 0, "observe a", ERROR_FOREIGN_DEVICE, 0, 0, 1, 1 },

        { machine_check, false, NOTHING, 0, "observe a", 0, 0, 1, 0, 0 },
        { machine_check, false, OURS, 0, "observe a, publish a", 0, 0, 0, 1, 1 },
        { machine_check, false, OURS, FAKE_PUBLISH, "observe a, publish a", ERROR_INTERNAL, 0, 0, 1, 1 },
        { machine_check, false, OURS_OTHER_DRIVER, 0, "observe a, bind a, publish a, observe a", 0, 0, 0, 1, 1 },
        { machine_check, false, OURS_OTHER_DRIVER, FAKE_BIND, "observe a, bind a", ERROR_INTERNAL, 0, 0, 1, 1 },
        { machine_check, false, OURS_WITHOUT_ENDPOINT, 0, "observe a, bind a, publish a, observe a", 0, 0, 0, 1,
          1 },
        { machine_check, false, OURS_WITHOUT_ENDPOINT, FAKE_BIND, "observe a, bind a", ERROR_INTERNAL, 0, 0, 1, 1 },
        { machine_check, false, THEIRS, 0, "observe a", ERROR_FOREIGN_DEVICE, 0, 0, 0, 1 },
        { machine_check, false, OURS, FAKE_OBSERVE, "observe a", ERROR_INTERNAL, 0, 0, 0, 1 },

        { machine_delete, false, NOTHING, 0, "observe a", 0, 0, 1, 0, 0 },
        { machine_delete, false, OURS, 0, "observe a, destroy a", 0, 0, 1, 1, 0 },
        { machine_delete, false, THEIRS, 0, "observe a", 0, 0, 1, 0, 1 },
        { machine_delete, false, OURS_BY_NOTE, 0, "observe a, destroy a", 0, 0, 1, 1, 0 },
        { machine_delete, false, THEIRS_HERE, 0, "observe a", 0, 0, 1, 1, 1 },
        { machine_delete, false, OURS, FAKE_OBSERVE, "observe a", ERROR_INTERNAL, 0, 0, 0, 1 },
        { machine_delete, false, OURS, FAKE_DESTROY, "observe a, destroy a, observe a", ERROR_INTERNAL, 0, 0, 1,
          1 },
        { machine_delete, false, OURS_IN_USE, 0, "observe a, destroy a, observe a", ERROR_IN_USE, 0, 0, 1, 1 },
};

static void prepare_host(Host host) {
        if (host == NOTHING)
                return;
        fake_put_device(b, "a", host == THEIRS ? FAKE_B : FAKE_A);
        fake_device(b, "a")->in_use = host == OURS_IN_USE;
        fake_device(b, "a")->is_made = host == OURS_BY_NOTE;
        if (host == OURS_OTHER_DRIVER)
                fake_device(b, "a")->status.driver = BUS_DRIVER_VIRTIO_VDPA;
        if (host == OURS_WITHOUT_ENDPOINT)
                fake_device(b, "a")->status.endpoint[0] = '\0';
}

static MachineTask task_of(bool may_exist) {
        MachineTask task = { .name = "a", .mgmtdev = FAKE_A, .may_exist = may_exist };

        device_spec_init(&task.spec);
        task.spec.class = CLASS_NET;
        return task;
}

START_TEST(test_step) {
        MachineTask task = task_of(steps[_i].may_exist);

        prepare_host(steps[_i].host);
        task.must_be_ours = steps[_i].host == OURS_BY_NOTE || steps[_i].host == THEIRS_HERE;
        fake_fail(b, steps[_i].failing, 1, ERROR_INTERNAL, EIO);
        steps[_i].run(&task, b);
        ck_assert_str_eq(fake_take_calls(b), steps[_i].calls);
        ck_assert_msg(task.failure.code == steps[_i].code, "%s", task.failure.detail);
        ck_assert_int_eq(task.left_over, steps[_i].left_over);
        ck_assert_int_eq(task.is_gone, steps[_i].is_gone);
        ck_assert_int_eq(task.has_status, steps[_i].has_status);
        ck_assert_int_eq(fake_has_device(b, "a"), steps[_i].stays);
        if (task.failure.code == ERROR_NONE && steps[_i].has_status && steps[_i].stays)
                ck_assert(task.status.endpoint[0]);
        machine_task_done(&task);
}
END_TEST

/* A step that was run again has the same end, and no more. */
START_TEST(test_create_again) {
        MachineTask task = task_of(false);
        char endpoint[ENDPOINT_MAX];

        machine_create(&task, b);
        strcpy(endpoint, task.status.endpoint);
        task.may_exist = true;
        machine_create(&task, b);
        ck_assert_int_eq(task.failure.code, ERROR_NONE);
        ck_assert_str_eq(task.status.endpoint, endpoint);
        machine_task_done(&task);
}
END_TEST

/* Only a MAC address that is known to be another is set. */
static const struct {
        bool wanted, seen;
        uint8_t is;
        const char *calls;
} macs[] = {
        { true, true, 1, "observe a, publish a" },
        { true, true, 2, "observe a, set_mac a, observe a, publish a" },
        { true, false, 0, "observe a, publish a" },
        { false, true, 2, "observe a, publish a" },
};

START_TEST(test_check_mac) {
        static const uint8_t wanted[6] = { 2, 0, 0, 0, 0, 1 };
        MachineTask task = task_of(false);

        prepare_host(OURS);
        fake_device(b, "a")->status.net = (NetSpec){ .has_mac = macs[_i].seen,
                                                     .mac = { 2, 0, 0, 0, 0, macs[_i].is } };
        task.spec.net.has_mac = macs[_i].wanted;
        memcpy(task.spec.net.mac, wanted, 6);
        machine_check(&task, b);
        ck_assert_str_eq(fake_take_calls(b), macs[_i].calls);
        ck_assert_int_eq(task.failure.code, ERROR_NONE);
        if (macs[_i].wanted && macs[_i].seen)
                ck_assert_mem_eq(task.status.net.mac, wanted, 6);
}
END_TEST

/* An address that is there already is not set, on a device that perhaps cannot do that. */
START_TEST(test_set_mac) {
        MachineTask task = task_of(false);

        prepare_host(OURS);
        fake_device(b, "a")->status.net = (NetSpec){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 1 } };
        task.spec.net = (NetSpec){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 1 } };
        machine_set_mac(&task, b);
        ck_assert_str_eq(fake_take_calls(b), "observe a");
        ck_assert_int_eq(task.failure.code, ERROR_NONE);
        task.spec.net.mac[5] = 2;
        machine_set_mac(&task, b);
        ck_assert_str_eq(fake_take_calls(b), "observe a, set_mac a, observe a");
        ck_assert_int_eq(task.failure.code, ERROR_NONE);
        ck_assert_uint_eq(task.status.net.mac[5], 2);
        machine_task_done(&task);
}
END_TEST

/* What a start before this one may have left half made is made ready once more, and not made again. */
START_TEST(test_check_half_made) {
        MachineTask task = task_of(false);

        prepare_host(OURS);
        task.may_be_half_made = true;
        machine_check(&task, b);
        ck_assert_str_eq(fake_take_calls(b), "observe a, bind a, publish a, observe a");
        ck_assert_int_eq(task.failure.code, ERROR_NONE);
        machine_task_done(&task);
}
END_TEST

/* If that fails, the device is there all the same. */
START_TEST(test_check_mac_fails) {
        MachineTask task = task_of(false);

        prepare_host(OURS);
        fake_device(b, "a")->status.net = (NetSpec){ .has_mac = true, .mac = { 2, 2 } };
        task.spec.net = (NetSpec){ .has_mac = true, .mac = { 2, 1 } };
        fake_fail(b, FAKE_SET_MAC, 1, ERROR_NOT_SUPPORTED, EOPNOTSUPP);
        machine_check(&task, b);
        ck_assert_int_eq(task.failure.code, ERROR_NOT_SUPPORTED);
        ck_assert(task.has_status && task.status.endpoint[0]);
        ck_assert(!task.is_gone);
}
END_TEST

START_TEST(test_stats) {
        MachineTask task = task_of(false);

        machine_get_stats(&task, b);
        ck_assert_int_eq(task.failure.code, ERROR_DEVICE_NOT_FOUND);
        ck_assert_ptr_null(task.stats);
        task.failure = FAILURE_INIT;
        prepare_host(OURS);
        machine_get_stats(&task, b);
        ck_assert_int_eq(task.failure.code, ERROR_NONE);
        ck_assert_uint_eq(task.n_stats, 2);
        machine_task_done(&task);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, test_step, 0, (int) ELEMENTSOF(steps));
        tcase_add_test(tcase, test_create_again);
        tcase_add_loop_test(tcase, test_check_mac, 0, (int) ELEMENTSOF(macs));
        tcase_add_test(tcase, test_set_mac);
        tcase_add_test(tcase, test_check_half_made);
        tcase_add_test(tcase, test_check_mac_fails);
        tcase_add_test(tcase, test_stats);
}

int main(void) {
        return unit_main("machine", add);
}
