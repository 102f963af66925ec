/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From what is recorded and what is on the host to an inventory that agrees with both. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "rig.h"
#include "unit.h"
#include "util/clock.h"

#define OTHER_BOOT "01234567-89ab-cdef-0123-456789abcdef"

/* The current boot is what a first start records. */
static void record_this_boot(void) {
        rig_start();
        rig_stop();
        (void) fake_take_calls(rig.backend);
}

#define PERSISTENT "{\"class\":\"net\"}"
#define VOLATILE   "{\"class\":\"net\",\"persistent\":false}"
#define MADE       "observe a, create a, assign a, bind a, publish a, observe a"
#define ADOPTED    "observe a, assign a, bind a, publish a, observe a"
/* What is recorded here is from before there were resources. */
#define CONFIRMED "observe a, assign a, publish a, observe a"

/* What the host has: a device that the backend knows to be made by a daemon, or one of which it knows nothing. */
enum { NONE, OURS, THEIRS };

static const struct {
        DeviceState recorded;
        int on_host;
        bool new_boot, persistent;
        const char *state; /* "": there is no record any more */
        bool stays;        /* on the host */
        const char *calls;
} table[] = {
        { DEVICE_RESERVED, OURS, false, true, "ready", true, ADOPTED },
        { DEVICE_RESERVED, NONE, false, true, "ready", true, MADE },
        { DEVICE_RESERVED, NONE, true, true, "ready", true, MADE },
        { DEVICE_RESERVED, NONE, true, false, "ready", true, MADE },
        { DEVICE_RESERVED, OURS, true, true, "ready", true, ADOPTED },
        { DEVICE_RESERVED, THEIRS, false, true, "failed", true, "observe a" },
        { DEVICE_RESERVED, THEIRS, true, true, "failed", true, "observe a" },

        { DEVICE_CREATING, OURS, false, true, "ready", true, ADOPTED },
        { DEVICE_CREATING, THEIRS, false, true, "failed", true, "observe a" },
        { DEVICE_CREATING, NONE, false, true, "ready", true, MADE },
        { DEVICE_CREATING, NONE, true, true, "ready", true, MADE },
        { DEVICE_CREATING, NONE, true, false, "ready", true, MADE },

        { DEVICE_READY, OURS, false, true, "ready", true, CONFIRMED },
        { DEVICE_READY, OURS, false, false, "ready", true, CONFIRMED },
        { DEVICE_READY, NONE, false, true, "lost", false, "observe a" },
        { DEVICE_READY, NONE, false, false, "lost", false, "observe a" },
        { DEVICE_READY, NONE, true, true, "ready", true, "observe a, " MADE },
        { DEVICE_READY, NONE, true, false, "", false, "observe a" },
        { DEVICE_READY, OURS, true, true, "ready", true, ADOPTED },
        { DEVICE_READY, OURS, true, false, "ready", true, ADOPTED },

        { DEVICE_LOST, OURS, false, true, "ready", true, CONFIRMED },
        { DEVICE_LOST, NONE, false, true, "lost", false, "observe a" },
        { DEVICE_LOST, NONE, true, true, "ready", true, "observe a, " MADE },
        { DEVICE_LOST, NONE, true, false, "", false, "observe a" },
        { DEVICE_LOST, OURS, true, false, "ready", true, ADOPTED },

        { DEVICE_DELETING, OURS, false, true, "", false, "observe a, destroy a" },
        { DEVICE_DELETING, NONE, false, true, "", false, "observe a" },
        { DEVICE_DELETING, NONE, true, true, "", false, "observe a" },
        { DEVICE_DELETING, OURS, true, true, "", false, "observe a, destroy a" },
        { DEVICE_DELETING, NONE, true, false, "", false, "observe a" },
        { DEVICE_DELETING, THEIRS, false, true, "", true, "observe a" },

        { DEVICE_FAILED, OURS, false, true, "failed", true, "" },
        { DEVICE_FAILED, NONE, false, true, "failed", false, "" },
        { DEVICE_FAILED, NONE, true, true, "failed", false, "" },
        { DEVICE_FAILED, NONE, true, false, "failed", false, "" },
};

START_TEST(test_table) {
        Failure reason = { .code = ERROR_BACKEND_FAILED, .detail = "as recorded" };
        bool has_reason = table[_i].recorded == DEVICE_FAILED || table[_i].recorded == DEVICE_LOST;
        Device *device;

        record_this_boot();
        if (table[_i].new_boot)
                rig_record_boot(OTHER_BOOT);
        rig_record("a", FAKE_A, table[_i].persistent ? PERSISTENT : VOLATILE, table[_i].recorded,
                   has_reason ? &reason : NULL);
        if (table[_i].on_host != NONE) {
                fake_put_device(rig.backend, "a", FAKE_A);
                fake_device(rig.backend, "a")->is_made = table[_i].on_host == OURS;
        }

        rig_start();
        ck_assert(lifecycle_is_ready(rig.lifecycle));
        ck_assert_str_eq(fake_take_calls(rig.backend), table[_i].calls);
        ck_assert_int_eq(fake_has_device(rig.backend, "a"), table[_i].stays);
        device = inventory_find_device(&rig.inventory, "a");
        ck_assert_str_eq(device ? device_state_name(device->state) : "", table[_i].state);
        if (device && device->state == DEVICE_READY)
                ck_assert(device->status.endpoint[0] && !device->reason);
        if (device && device->state == DEVICE_FAILED)
                ck_assert_msg(strstr(device->reason->detail, has_reason ? "as recorded" : "not ours"), "%s",
                              device->reason->detail);
        if (device && device->state == DEVICE_FAILED)
                ck_assert(!device->is_left_over);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), table[_i].state);

        /* Then all is settled, also what the boot was: once more changes nothing. */
        rig_start();
        device = inventory_find_device(&rig.inventory, "a");
        ck_assert_str_eq(device ? device_state_name(device->state) : "", table[_i].state);
        ck_assert_uint_le(strlen(fake_take_calls(rig.backend)), strlen(CONFIRMED));
        ck_assert_int_eq(fake_has_device(rig.backend, "a"), table[_i].stays);
}
END_TEST

/* Before any boot was recorded, nobody can say that this is another one. */
START_TEST(test_first_boot) {
        rig_record("a", FAKE_A, VOLATILE, DEVICE_READY, NULL);
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
}
END_TEST

/* What goes wrong meanwhile. */
static const struct {
        DeviceState recorded;
        const char *mgmtdev; /* where the host has it, or NULL */
        bool new_boot, in_use;
        FakeCall failing;
        const char *state;
        const char *reason; /* part of it */
} troubles[] = {
        { DEVICE_RESERVED, NULL, false, false, FAKE_CREATE, "failed", "nothing was made" },
        { DEVICE_RESERVED, NULL, false, false, FAKE_BIND, "failed", "removed again" },
        { DEVICE_CREATING, FAKE_A, false, true, FAKE_PUBLISH, "failed", "left as it is" },
        { DEVICE_CREATING, FAKE_B, false, false, FAKE_GET_HOST, "failed", "not ours" },
        { DEVICE_CREATING, NULL, false, false, FAKE_OBSERVE, "failed", "observe a" },
        { DEVICE_READY, NULL, true, false, FAKE_CREATE, "failed", "create a" },
        { DEVICE_READY, FAKE_B, false, false, FAKE_GET_HOST, "lost", "not ours" },
        { DEVICE_READY, FAKE_A, false, false, FAKE_OBSERVE, "lost", "observe a" },
        { DEVICE_DELETING, FAKE_A, false, true, FAKE_GET_HOST, "ready", NULL },
        { DEVICE_DELETING, FAKE_A, false, false, FAKE_OBSERVE, "lost", "observe a" },
        { DEVICE_DELETING, FAKE_B, false, false, FAKE_GET_HOST, "", NULL },
};

START_TEST(test_trouble) {
        Device *device;

        record_this_boot();
        if (troubles[_i].new_boot)
                rig_record_boot(OTHER_BOOT);
        rig_record("a", FAKE_A, PERSISTENT, troubles[_i].recorded, NULL);
        if (troubles[_i].mgmtdev) {
                fake_put_device(rig.backend, "a", troubles[_i].mgmtdev);
                fake_device(rig.backend, "a")->in_use = troubles[_i].in_use;
                fake_device(rig.backend, "a")->is_made = true;
        }
        if (troubles[_i].failing != FAKE_GET_HOST)
                fake_fail(rig.backend, troubles[_i].failing, 1, ERROR_BACKEND_FAILED, EIO);

        rig_start();
        ck_assert(lifecycle_is_ready(rig.lifecycle));
        device = inventory_find_device(&rig.inventory, "a");
        ck_assert_str_eq(device ? device_state_name(device->state) : "", troubles[_i].state);
        if (troubles[_i].reason)
                ck_assert_msg(strstr(device->reason->detail, troubles[_i].reason), "%s", device->reason->detail);
        if (troubles[_i].mgmtdev)
                ck_assert(fake_has_device(rig.backend, "a"));
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), troubles[_i].state);
}
END_TEST

/* More than are under way at a time; and each comes back as it was. */
START_TEST(test_many) {
        enum { N = 600 };
        uint64_t revisions[N];
        char name[16];

        rig_start();
        for (unsigned i = 0; i < N; i++) {
                Answer a;

                (void) snprintf(name, sizeof name, "d%u", i);
                a = rig_create_good(name, PERSISTENT);
                revisions[i] = a.revision;
        }
        rig_stop();
        rig.max_operations = 1;
        ck_assert_uint_eq(fake_count_calls(rig.backend, FAKE_OBSERVE_ALL), 0);
        rig_start();
        ck_assert_uint_gt(fake_count_calls(rig.backend, FAKE_OBSERVE_ALL), 0);
        ck_assert_uint_eq(rig.inventory.n_states[DEVICE_READY], N);
        for (unsigned i = 0; i < N; i++) {
                (void) snprintf(name, sizeof name, "d%u", i);
                ck_assert_uint_eq(rig_device(name)->revision, revisions[i]);
                ck_assert_uint_lt(revisions[i], rig.inventory.revision);
        }
}
END_TEST

/* A MAC address that was recorded and not set when the daemon died. */
START_TEST(test_mac_is_made_good) {
        rig_record("a", FAKE_A, "{\"class\":\"net\",\"net\":{\"mac\":\"02:00:00:00:00:01\"}}", DEVICE_READY, NULL);
        fake_put_device(rig.backend, "a", FAKE_A);
        fake_device(rig.backend, "a")->status.net = (NetSpec){ .has_mac = true, .mac = { 2 } };
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_uint_eq(fake_device(rig.backend, "a")->status.net.mac[5], 1);
}
END_TEST

START_TEST(test_mac_cannot_be_made_good) {
        rig_record("a", FAKE_A, "{\"class\":\"net\",\"net\":{\"mac\":\"02:00:00:00:00:01\"}}", DEVICE_READY, NULL);
        fake_put_device(rig.backend, "a", FAKE_A);
        fake_device(rig.backend, "a")->status.net = (NetSpec){ .has_mac = true, .mac = { 2 } };
        fake_fail(rig.backend, FAKE_SET_MAC, 1, ERROR_NOT_SUPPORTED, EOPNOTSUPP);
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_uint_eq(rig_device("a")->status.net.mac[5], 0);
}
END_TEST

/* All of the identity comes back, and what was recorded of the spec. */
START_TEST(test_identity) {
        static const char *const spec = "{\"class\":\"net\",\"owner\":\"o\",\"labels\":{\"k\":\"v\"},"
                                        "\"net\":{\"mtu\":1500},\"endpoint\":{\"uid\":7}}";
        Answer created, again;
        uint64_t created_usec;

        rig_start();
        created = rig_create_good("a", spec);
        created_usec = rig_device("a")->created_usec;
        rig_stop();
        rig_start();
        again = rig_create("a", spec);
        rig_assert_code(again, ERROR_NONE);
        ck_assert(!again.created);
        ck_assert_str_eq(again.uid, created.uid);
        ck_assert_str_eq(again.mgmtdev, created.mgmtdev);
        ck_assert_uint_eq(again.revision, created.revision);
        ck_assert_uint_eq(again.generation, 1);
        ck_assert_uint_eq(rig_device("a")->created_usec, created_usec);
        ck_assert_uint_lt(rig_device("a")->created_revision, created.revision);
}
END_TEST

/* Its management device may be gone. */
START_TEST(test_mgmtdev_gone) {
        record_this_boot();
        rig_record("a", "bus/gone", PERSISTENT, DEVICE_READY, NULL);
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert(!rig_device("a")->mgmtdev->present);
        ck_assert_str_eq(rig_device("a")->mgmtdev->info.handle, "bus/gone");
        ck_assert_int_eq(rig_device("a")->reason->code, ERROR_MGMTDEV_NOT_FOUND);
}
END_TEST

/* After a boot without it, it is not forgotten that the device is to be made. */
START_TEST(test_mgmtdev_late) {
        rig_record_boot(OTHER_BOOT);
        rig_record("a", "bus/late", PERSISTENT, DEVICE_READY, NULL);
        rig_record("v", "bus/late", VOLATILE, DEVICE_READY, NULL);
        rig_record("x", "bus/late", VOLATILE, DEVICE_LOST, &(Failure){ .code = ERROR_MGMTDEV_NOT_FOUND });
        rig_start();
        ck_assert(lifecycle_is_ready(rig.lifecycle));
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert_uint_eq(rig.inventory.n_devices, 1);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "lost");
        ck_assert_str_eq(rig_recorded("v"), "");
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        fake_plug(rig.backend, "bus/late", 0);
        rig_stop();
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert(fake_has_device(rig.backend, "a"));
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "ready");
}
END_TEST

static bool is_waiting(void *userdata) {
        return rig.lifecycle->recovery.is_waiting;
}

static bool is_ready(void *userdata) {
        return lifecycle_is_ready(rig.lifecycle);
}

/* A start that is patient is not over before its devices are there; nor are they waited for without end. */
START_TEST(test_patience) {
        rig.boot_patience_usec = 60 * USEC_PER_SEC;
        rig_record_boot(OTHER_BOOT);
        rig_record("a", "bus/late", PERSISTENT, DEVICE_READY, NULL);
        rig_record("b", FAKE_A, PERSISTENT, DEVICE_READY, NULL);
        rig_record("v", "bus/late", VOLATILE, DEVICE_READY, NULL);
        rig_begin_start();
        unit_run_until(rig.event, is_waiting, NULL);
        ck_assert(!rig.started);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert_int_eq(rig_device("b")->state, DEVICE_READY);

        fake_plug(rig.backend, "bus/late", 0);
        unit_run_until(rig.event, is_ready, NULL);
        ck_assert(rig.started);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_uint_eq(rig.inventory.n_devices, 2);
        rig_stop();

        fake_remove_all_devices(rig.backend);
        fake_unplug(rig.backend, "bus/late");
        rig_record_boot(OTHER_BOOT);
        rig.boot_patience_usec = USEC_PER_SEC;
        rig_start();
        ck_assert(lifecycle_is_ready(rig.lifecycle));
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert_int_eq(rig_device("b")->state, DEVICE_READY);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
        tcase_add_loop_test(tcase, test_table, 0, (int) ELEMENTSOF(table));
        tcase_add_test(tcase, test_first_boot);
        tcase_add_loop_test(tcase, test_trouble, 0, (int) ELEMENTSOF(troubles));
        tcase_add_test(tcase, test_many);
        tcase_add_test(tcase, test_mac_is_made_good);
        tcase_add_test(tcase, test_mac_cannot_be_made_good);
        tcase_add_test(tcase, test_identity);
        tcase_add_test(tcase, test_mgmtdev_gone);
        tcase_add_test(tcase, test_mgmtdev_late);
        tcase_add_test(tcase, test_patience);
}

int main(void) {
        return unit_main("recovery", add);
}
