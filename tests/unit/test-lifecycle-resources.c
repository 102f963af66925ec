/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What devices hold, from the reservation to the end of the quarantine, over failures and restarts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/idlist.h"
#include "rig.h"
#include "store-rig.h"
#include "unit.h"

#define QUARANTINE (60 * USEC_PER_SEC)

#define ON_A  "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_A "\"}"
#define BLOCK "{\"class\":\"block\",\"mgmtdev\":\"" FAKE_A "\"}"

/* Six MSI entries and ten ASIDs, without number 0: room for two net devices without a control virtqueue. */
static void set_up(void) {
        MgmtdevInfo *info;

        rig_set_up();
        rig.quarantine_usec = QUARANTINE;
        info = fake_mgmtdev(rig.backend, FAKE_A);
        info->capacity[RESOURCE_MSIS] = (Capacity){ .is_known = true, .total = 6 };
        info->capacity[RESOURCE_ASIDS] = (Capacity){ .is_known = true, .total = 10, .reserved_ids = "0" };
        rig_start();
}

static void assert_budget(Resource resource, uint32_t used, uint32_t quarantined) {
        Budget b = mgmtdev_budget(inventory_find_mgmtdev(&rig.inventory, FAKE_A), resource, clock_monotonic_usec());

        ck_assert_uint_eq(b.used, used);
        ck_assert_uint_eq(b.quarantined, quarantined);
        ck_assert_uint_eq(b.total, b.used + b.free + b.reserved + b.quarantined);
}

static void assert_holds(const char *name, const char *asids, const char *msis) {
        const DeviceResources *held = &rig_device(name)->resources;
        _cleanup_free_ char *a = idlist_format(device_resources_asids(held), held->n_asids), *m = NULL;

        m = idlist_format(device_resources_msis(held), held->n_msis);
        ck_assert_str_eq(a, asids);
        ck_assert_str_eq(m, msis);
}

START_TEST(test_life) {
        FakeDevice *there;

        rig_create_good("a", ON_A);
        assert_holds("a", "1", "0-2");
        there = fake_device(rig.backend, "a");
        ck_assert_uint_eq(there->asid, 1);
        ck_assert_uint_eq(there->n_msis, 3);
        ck_assert_uint_eq(there->n_vqs, 2);
        assert_budget(RESOURCE_MSIS, 3, 0);

        rig_stop();
        rig_start();
        assert_holds("a", "1", "0-2");
        ck_assert_uint_eq(fake_count_calls(rig.backend, FAKE_ASSIGN), 1);

        (void) rig_delete("a");
        assert_budget(RESOURCE_MSIS, 0, 3);
        assert_budget(RESOURCE_ASIDS, 0, 1);
        rig_create_good("b", ON_A);
        assert_holds("b", "2", "3-5");
}
END_TEST

START_TEST(test_no_room) {
        Answer a;

        rig_create_good("a", ON_A);
        rig_create_good("b", BLOCK);
        a = rig_create("c", BLOCK);
        rig_assert_code(a, ERROR_NO_CAPACITY);
        ck_assert_msg(strstr(a.failure.detail, "msis: need 2, free 1 of 6"), "%s", a.failure.detail);
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "c"));
        (void) rig_delete("a");
        a = rig_create("c", BLOCK);
        ck_assert_msg(strstr(a.failure.detail, "msis: need 2, free 1 of 6 (3 in quarantine)"), "%s",
                      a.failure.detail);
}
END_TEST

/* The quarantine goes on while no daemon is there. */
START_TEST(test_quarantine_over_restart) {
        rig_create_good("a", ON_A);
        (void) rig_delete("a");
        rig_stop();
        rig_start();
        assert_budget(RESOURCE_MSIS, 0, 3);
        assert_budget(RESOURCE_ASIDS, 0, 1);
        rig_stop();
        disk_execute("UPDATE quarantine SET released_usec = released_usec - 61000000");
        rig_start();
        assert_budget(RESOURCE_MSIS, 0, 0);
        rig_create_good("b", ON_A);
        (void) rig_delete("b");
        rig_stop();
        ck_assert_int_eq(disk_query("SELECT count(*) FROM quarantine"), 1);
        rig_start();
}
END_TEST

/* What was perhaps in use goes through quarantine, what was never told to the host does not. */
START_TEST(test_failed_create) {
        fake_fail(rig.backend, FAKE_ASSIGN, 1, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", ON_A);
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        ck_assert(!fake_has_device(rig.backend, "a"));
        assert_budget(RESOURCE_MSIS, 0, 3);
}
END_TEST

START_TEST(test_no_intent) {
        Answer a;

        disk_execute("CREATE TRIGGER t BEFORE INSERT ON device BEGIN SELECT RAISE(ABORT, 'bad'); END;");
        a = rig_create("a", ON_A);
        rig_assert_code(a, ERROR_STORE_FAILED);
        assert_budget(RESOURCE_MSIS, 0, 0);
        assert_budget(RESOURCE_ASIDS, 0, 0);
        disk_execute("DROP TRIGGER t;");
}
END_TEST

/* What may be on the host holds on to what it holds, until it is deleted. */
START_TEST(test_left_over) {
        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", ON_A);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        assert_budget(RESOURCE_MSIS, 3, 0);
        ck_assert_uint_eq(rig_device("a")->mgmtdev->n_devices, 1);
        rig_stop();
        rig_start();
        assert_holds("a", "1", "0-2");
        ck_assert_uint_eq(rig_device("a")->mgmtdev->n_devices, 1);
        (void) rig_delete("a");
        assert_budget(RESOURCE_MSIS, 0, 3);
}
END_TEST

/* One that was lost keeps what it holds; one that cannot be made again gives it back, and takes anew. */
START_TEST(test_lost_and_failed) {
        rig_create_good("a", ON_A);
        fake_remove_device(rig.backend, "a");
        rig_look();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        assert_holds("a", "1", "0-2");

        fake_fail(rig.backend, FAKE_CREATE, 1, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", ON_A);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        assert_holds("a", "", "");
        assert_budget(RESOURCE_MSIS, 0, 3);
        ck_assert_uint_eq(rig_device("a")->mgmtdev->n_devices, 0);
        rig_stop();
        rig_start();
        assert_budget(RESOURCE_MSIS, 0, 3);

        rig_create_good("a", ON_A);
        assert_holds("a", "2", "3-5");
        ck_assert_uint_eq(rig_device("a")->mgmtdev->n_devices, 1);
}
END_TEST

static void set_max_vqs(const char *name, uint32_t n) {
        fake_device(rig.backend, name)->status.max_vqs = n;
}

/* The driver makes more virtqueues than were planned. */
static Answer create_with_vqs(uint32_t n) {
        Answer a;

        fake_hold(rig.backend, FAKE_ASSIGN);
        rig_begin_create("a", ON_A, &a);
        rig_wait_held(FAKE_ASSIGN);
        set_max_vqs("a", n);
        fake_let_go(rig.backend, FAKE_ASSIGN);
        rig_wait(&a);
        return a;
}

START_TEST(test_more_virtqueues) {
        Answer a = create_with_vqs(5);

        rig_assert_code(a, ERROR_NONE);
        assert_holds("a", "1", "0-5");
        ck_assert_uint_eq(fake_device(rig.backend, "a")->n_msis, 6);
        ck_assert_uint_eq(fake_device(rig.backend, "a")->n_vqs, 5);
        rig_stop();
        rig_start();
        assert_holds("a", "1", "0-5");
}
END_TEST

START_TEST(test_too_many_virtqueues) {
        Answer a = create_with_vqs(6);

        rig_assert_code(a, ERROR_NO_CAPACITY);
        ck_assert_msg(strstr(a.failure.detail,
                             "msis: need 4, free 3 of 6; the device has 6 virtqueues where 2 were "
                             "planned; the device was removed again"),
                      "%s", a.failure.detail);
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        ck_assert(!fake_has_device(rig.backend, "a"));
        assert_budget(RESOURCE_MSIS, 0, 3);
}
END_TEST

/* What is recorded from before there were resources gets some, and they are recorded. */
START_TEST(test_old_record) {
        rig_stop();
        rig_record("a", FAKE_A, ON_A, DEVICE_READY, NULL);
        fake_put_device(rig.backend, "a", FAKE_A);
        rig_start();
        assert_holds("a", "1", "0-2");
        ck_assert_uint_eq(fake_device(rig.backend, "a")->msi, 0);
        rig_stop();
        ck_assert_int_eq(
                disk_query("SELECT count(*) FROM device WHERE asids = '1' AND msis = '0-2' AND vqs = 2 AND "
                           "asid_space = 'device-mmu/" FAKE_A "' AND state = 'ready'"),
                1);
        rig_start();
}
END_TEST

/* ... also for more virtqueues than their spec tells; or they say why not, and go on. */
START_TEST(test_old_record_with_more_virtqueues) {
        Device *device;

        rig_stop();
        rig_record("a", FAKE_A, ON_A, DEVICE_READY, NULL);
        fake_put_device(rig.backend, "a", FAKE_A);
        set_max_vqs("a", _i ? 6 : 5);
        for (unsigned start = 0; start < 2; start++) {
                rig_start();
                rig_wait_idle();
                device = rig_device("a");
                ck_assert_int_eq(device->state, DEVICE_READY);
                assert_holds("a", "1", _i ? "0-2" : "0-5");
                ck_assert_uint_eq(fake_device(rig.backend, "a")->n_msis, _i ? 3 : 6);
                ck_assert(_i == (device->reason && device->reason->code == ERROR_NO_CAPACITY));
                if (_i)
                        ck_assert_str_eq(device->reason->detail,
                                         FAKE_A " has no room: msis: need 4, free 3 of 6; the device has 6 "
                                                "virtqueues where 2 were planned");
                rig_stop();
        }
        rig_start();
}
END_TEST

static bool starts(void) {
        Lifecycle *l = NULL;
        Failure f = FAILURE_INIT;
        bool good;

        ck_assert_int_eq(sd_event_new(&rig.event), 0);
        ck_assert_int_eq(store_open(rig.event, unit_directory(), &rig.store, &f), 0);
        inventory_init(&rig.inventory, 100);
        ck_assert_int_eq(lifecycle_new(rig.event, &rig.inventory, rig.store, rig.backend, 100, &l), 0);
        good = lifecycle_start(l, NULL, NULL) == 0;
        if (good)
                ck_assert(lifecycle_stop(l, 60 * USEC_PER_SEC));
        lifecycle_free(l);
        ck_assert(store_drain(rig.store, 60 * USEC_PER_SEC));
        rig.store = store_close(rig.store);
        rig.event = sd_event_unref(rig.event);
        inventory_done(&rig.inventory);
        return good;
}

static const char *const damages[] = {
        "asids = '2'",        "asids = ''",     "msis = ''",
        "msis = '3,4-6'",     "msis = '5,5,5'", "asids = '1', msis = 'x'",
        "asids = '16777216'", "vqs = 1",        "vqs = 5000",
        "asid_space = 'x'",
};

/* Two that hold the same, and what cannot be held. */
START_TEST(test_damaged) {
        char sql[128];

        rig_create_good("a", ON_A);
        rig_create_good("b", ON_A);
        rig_stop();
        (void) snprintf(sql, sizeof sql, "UPDATE device SET %s WHERE name = 'a'", damages[_i]);
        disk_execute(sql);
        ck_assert(!starts());
        disk_execute("UPDATE device SET asids = '1', msis = '0-2', vqs = 2, asid_space = 'device-mmu/" FAKE_A "' "
                     "WHERE name = 'a'");
        ck_assert(starts());
        rig.lifecycle = NULL;
}
END_TEST

/* The record of one that was deleted is still there, and others have what it held. */
START_TEST(test_deleted_gives_way) {
        rig_create_good("a", ON_A);
        rig_create_good("b", ON_A);
        rig_create_good("c", RIG_NET);
        rig_stop();
        fake_remove_device(rig.backend, _i ? "a" : "b");
        disk_execute("UPDATE device SET asids = '2', msis = '3-5' WHERE name = 'a'");
        disk_execute(_i ? "UPDATE device SET state = 'deleting' WHERE name = 'a'"
                        : "UPDATE device SET state = 'deleting' WHERE name = 'b'");
        rig_start();
        rig_wait_idle();
        assert_holds(_i ? "b" : "a", "2", "3-5");
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, _i ? "a" : "b"));
        assert_budget(RESOURCE_MSIS, 3, 0);
}
END_TEST

/* Two records of what is being deleted name the same: the older one could not be removed when its device was gone.
 * As long as the other device is there, nobody else may have what it holds. */
START_TEST(test_later_of_two_deleted) {
        const char *later = _i ? "a" : "b";

        rig_create_good("a", ON_A);
        rig_create_good("b", ON_A);
        rig_stop();
        fake_remove_device(rig.backend, _i ? "b" : "a");
        disk_execute("UPDATE device SET state = 'deleting', asids = '2', msis = '3-5', revision = 5");
        disk_execute(_i ? "UPDATE device SET revision = 6 WHERE name = 'a'"
                        : "UPDATE device SET revision = 6 WHERE name = 'b'");
        fake_hold(rig.backend, FAKE_DESTROY);
        rig_begin_start();
        rig_wait_held(FAKE_DESTROY);
        assert_holds(later, "2", "3-5");
        assert_budget(RESOURCE_MSIS, 3, 0);
        fake_let_go(rig.backend, FAKE_DESTROY);
        rig_wait_idle();
        ck_assert_uint_eq(rig.inventory.n_devices, 0);
        assert_budget(RESOURCE_MSIS, 0, 3);
}
END_TEST

/* The management device is gone and another one has room: what was held goes back, and a record says so. */
START_TEST(test_moved) {
        Answer a;

        fake_unplug(rig.backend, FAKE_B);
        rig_look();
        a = rig_create_good("a", RIG_NET);
        ck_assert_str_eq(a.mgmtdev, FAKE_A);
        fake_plug(rig.backend, FAKE_B, 0);
        fake_remove_device(rig.backend, "a");
        fake_unplug(rig.backend, FAKE_A);
        rig_look();
        rig_create_good("a", RIG_NET);
        ck_assert_str_eq(rig_device("a")->mgmtdev->info.handle, FAKE_B);
        assert_holds("a", "0", "0-2");
        rig_stop();
        rig_start();
        assert_holds("a", "0", "0-2");
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, test_life);
        tcase_add_test(tcase, test_no_room);
        tcase_add_test(tcase, test_quarantine_over_restart);
        tcase_add_test(tcase, test_failed_create);
        tcase_add_test(tcase, test_no_intent);
        tcase_add_test(tcase, test_left_over);
        tcase_add_test(tcase, test_lost_and_failed);
        tcase_add_test(tcase, test_more_virtqueues);
        tcase_add_test(tcase, test_too_many_virtqueues);
        tcase_add_test(tcase, test_old_record);
        tcase_add_loop_test(tcase, test_old_record_with_more_virtqueues, 0, 2);
        tcase_add_loop_test(tcase, test_damaged, 0, ELEMENTSOF(damages));
        tcase_add_loop_test(tcase, test_deleted_gives_way, 0, 2);
        tcase_add_loop_test(tcase, test_later_of_two_deleted, 0, 2);
        tcase_add_test(tcase, test_moved);
}

int main(void) {
        return unit_main("lifecycle-resources", add);
}
