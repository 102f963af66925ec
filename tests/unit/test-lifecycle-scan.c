/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a later look at the host changes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/scan.h"
#include "rig.h"
#include "unit.h"
#include "util/log.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

static unsigned count_looks(void) {
        return fake_count_calls(rig.backend, FAKE_GET_HOST);
}

/* A handle that is not known is worth one look at the host, and no more; and another only a moment later. */
START_TEST(test_unknown_handle) {
        unsigned before = count_looks();
        Answer a;

        a = rig_create("a", "{\"class\":\"net\",\"mgmtdev\":\"bus/new\"}");
        rig_assert_code(a, ERROR_UNSATISFIABLE);
        ck_assert_uint_eq(a.n_faults, 1);
        ck_assert_str_eq(a.fault.pointer, "/spec/mgmtdev");
        ck_assert_str_eq(a.fault.code, "unknown-mgmtdev");
        ck_assert_uint_eq(count_looks(), before + 1);

        fake_plug(rig.backend, "bus/new", 0);
        a = rig_create("a", "{\"class\":\"net\",\"mgmtdev\":\"bus/new\"}");
        rig_assert_code(a, ERROR_UNSATISFIABLE);
        ck_assert_str_eq(a.fault.code, "unknown-mgmtdev");
        ck_assert_uint_eq(count_looks(), before + 1);

        rig_pass_time();
        a = rig_create("a", "{\"class\":\"net\",\"mgmtdev\":\"bus/new\"}");
        rig_assert_code(a, ERROR_NONE);
        ck_assert_str_eq(a.mgmtdev, "bus/new");
        ck_assert_uint_eq(count_looks(), before + 2);
}
END_TEST

/* Those that come while another's look is under way share it, and what it finds. */
START_TEST(test_unknown_handle_while_asked) {
        unsigned before = count_looks();
        Answer a, b, c;

        fake_hold(rig.backend, FAKE_LIST_MGMTDEVS);
        rig_begin_create("a", "{\"class\":\"net\",\"mgmtdev\":\"bus/new\"}", &a);
        rig_wait_held(FAKE_LIST_MGMTDEVS);
        fake_plug(rig.backend, "bus/new", 0);
        rig_begin_create("b", "{\"class\":\"net\",\"mgmtdev\":\"bus/new\"}", &b);
        rig_begin_create("c", "{\"class\":\"net\",\"mgmtdev\":\"bus/other\"}", &c);
        fake_let_go(rig.backend, FAKE_LIST_MGMTDEVS);
        rig_wait(&a);
        rig_wait(&b);
        rig_wait(&c);
        rig_assert_code(a, ERROR_NONE);
        rig_assert_code(b, ERROR_NONE);
        rig_assert_code(c, ERROR_UNSATISFIABLE);
        ck_assert_uint_eq(count_looks(), before + 1);
}
END_TEST

/* A look of the daemon's own that began before the question does not answer it. */
START_TEST(test_unknown_handle_while_looking) {
        unsigned before = count_looks();
        Answer a, b;

        fake_hold(rig.backend, FAKE_LIST_DEVICES);
        scan_start(rig.lifecycle);
        rig_wait_held(FAKE_LIST_DEVICES);
        fake_plug(rig.backend, "bus/new", 0);
        rig_begin_create("a", "{\"class\":\"net\",\"mgmtdev\":\"bus/new\"}", &a);
        rig_begin_create("b", "{\"class\":\"net\",\"mgmtdev\":\"bus/new\"}", &b);
        fake_let_go(rig.backend, FAKE_LIST_DEVICES);
        rig_wait(&a);
        rig_wait(&b);
        rig_assert_code(a, ERROR_NONE);
        rig_assert_code(b, ERROR_NONE);
        ck_assert_uint_eq(count_looks(), before + 2);
}
END_TEST

START_TEST(test_mgmtdev_goes_and_comes) {
        Answer a;

        rig_create_good("a", "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_B "\"}");
        fake_unplug(rig.backend, FAKE_B);
        rig_look();
        ck_assert(!inventory_find_mgmtdev(&rig.inventory, FAKE_B)->present);
        a = rig_create("b", "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_B "\"}");
        rig_assert_code(a, ERROR_UNSATISFIABLE);
        fake_plug(rig.backend, FAKE_B, 0);
        rig_look();
        ck_assert(inventory_find_mgmtdev(&rig.inventory, FAKE_B)->present);
        rig_create_good("b", "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_B "\"}");
}
END_TEST

static DeviceState state_of(const char *name) {
        return rig_device(name)->state;
}

/* With all that was on it, whether that would survive a boot or not; and so it all comes back. What someone has
 * deleted before is another matter. */
START_TEST(test_devices_go_and_come_with_their_mgmtdev) {
        static const char on_b[] = "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_B "\"}";
        static const char on_b_volatile[] = "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_B "\",\"persistent\":false}";
        Answer a = rig_create_good("a", on_b);

        rig_create_good("b", on_b_volatile);
        rig_create_good("c", on_b);
        rig_create_good("other", "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_A "\"}");
        fake_remove_device(rig.backend, "c");
        rig_look();
        ck_assert_int_eq(rig_device("c")->reason->code, ERROR_DEVICE_NOT_FOUND);

        fake_remove_device(rig.backend, "a");
        fake_remove_device(rig.backend, "b");
        fake_unplug(rig.backend, FAKE_B);
        rig_look();
        rig_wait_idle();
        ck_assert_int_eq(state_of("a"), DEVICE_LOST);
        ck_assert_int_eq(rig_device("a")->reason->code, ERROR_MGMTDEV_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(rig_device("a")->reason->detail, FAKE_B));
        ck_assert_int_eq(state_of("b"), DEVICE_LOST);
        ck_assert_int_eq(state_of("other"), DEVICE_READY);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "lost");
        rig_start();
        rig_look();
        ck_assert_int_eq(state_of("a"), DEVICE_LOST);

        fake_plug(rig.backend, FAKE_B, 0);
        rig_look();
        rig_wait_idle();
        ck_assert_int_eq(state_of("a"), DEVICE_READY);
        ck_assert_str_eq(rig_device("a")->uid, a.uid);
        ck_assert_int_eq(state_of("b"), DEVICE_READY);
        ck_assert_int_eq(state_of("c"), DEVICE_LOST);
        ck_assert(fake_has_device(rig.backend, "a") && fake_has_device(rig.backend, "b"));
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "ready");
}
END_TEST

/* Gone behind the daemon's back, and there again. */
START_TEST(test_lost_and_found) {
        Answer created = rig_create_good("a", RIG_NET);
        uint64_t revision;

        fake_remove_device(rig.backend, "a");
        rig_look();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert_int_eq(rig_device("a")->reason->code, ERROR_DEVICE_NOT_FOUND);
        revision = rig_device("a")->revision;
        ck_assert_uint_gt(revision, created.revision);

        /* It stays lost without a word. */
        rig_look();
        ck_assert_uint_eq(rig_device("a")->revision, revision);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "lost");

        fake_put_device(rig.backend, "a", FAKE_A);
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        fake_remove_device(rig.backend, "a");
        rig_look();
        fake_put_device(rig.backend, "a", FAKE_A);
        rig_look();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_ptr_null(rig_device("a")->reason);
        ck_assert_str_eq(rig_device("a")->uid, created.uid);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "ready");
}
END_TEST

/* One of the same name elsewhere is not it. */
START_TEST(test_lost_and_foreign) {
        rig_create_good("a", RIG_NET);
        fake_remove_device(rig.backend, "a");
        fake_put_device(rig.backend, "a", FAKE_B);
        rig_look();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert_uint_eq(inventory_find_mgmtdev(&rig.inventory, FAKE_B)->n_foreign, 1);
}
END_TEST

/* A listing that misses a device is checked before it is believed. */
START_TEST(test_listing_misses) {
        Answer created = rig_create_good("a", RIG_NET);

        (void) fake_take_calls(rig.backend);
        fake_device(rig.backend, "a")->unlisted = true;
        rig_look();
        ck_assert_str_eq(fake_take_calls(rig.backend), "observe a, publish a");
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_uint_eq(rig_device("a")->revision, created.revision);
}
END_TEST

/* A lost device can be asked for again, and is made again. */
START_TEST(test_create_lost) {
        Answer created = rig_create_good("a", RIG_NET), again;

        fake_remove_device(rig.backend, "a");
        rig_look();
        (void) fake_take_calls(rig.backend);
        again = rig_create_good("a", RIG_NET);
        ck_assert_str_eq(again.uid, created.uid);
        ck_assert_str_eq(fake_take_calls(rig.backend),
                         "observe a, create a, assign a, bind a, publish a, observe a");
}
END_TEST

/* If its management device has gone with it, it goes where a new one would. */
START_TEST(test_create_lost_elsewhere) {
        Answer again;

        rig_create_good("a", RIG_NET);
        ck_assert_ptr_eq(rig_device("a")->mgmtdev, inventory_find_mgmtdev(&rig.inventory, FAKE_A));
        fake_unplug(rig.backend, FAKE_A);
        fake_remove_device(rig.backend, "a");
        rig_look();
        again = rig_create_good("a", RIG_NET);
        ck_assert_str_eq(again.mgmtdev, FAKE_B);
        ck_assert_ptr_null(inventory_find_mgmtdev(&rig.inventory, FAKE_A));
        rig_stop();
        rig_start();
        ck_assert_str_eq(rig_device("a")->mgmtdev->info.handle, FAKE_B);
}
END_TEST

/* A device that has lost its endpoint is bound and published again. */
START_TEST(test_endpoint_comes_back) {
        rig_create_good("a", RIG_NET);
        fake_device(rig.backend, "a")->status.endpoint[0] = '\0';
        rig_stop();
        (void) fake_take_calls(rig.backend);
        rig_start();
        /* First as one of many. */
        ck_assert_str_eq(fake_take_calls(rig.backend),
                         "observe a, observe a, assign a, bind a, publish a, observe a");
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

/* What is as it was is looked at, and left alone. */
START_TEST(test_start_touches_nothing) {
        uint64_t revision;

        rig_create_good("a", RIG_NET);
        rig_create_good("b", RIG_NET);
        revision = rig_device("a")->revision;
        rig_stop();
        (void) fake_take_calls(rig.backend);
        rig_start();
        ck_assert_str_eq(fake_take_calls(rig.backend), "observe a, observe b");
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_int_eq(rig_device("b")->state, DEVICE_READY);
        ck_assert_uint_eq(rig_device("a")->revision, revision);
}
END_TEST

/* As long as the same is wrong with it, a device is not recorded, nor told of, again and again. */
START_TEST(test_stays_lost_quietly) {
        uint64_t revision;

        rig_create_good("a", RIG_NET);
        fake_device(rig.backend, "a")->status.endpoint[0] = '\0';
        rig_stop();
        fake_fail(rig.backend, FAKE_BIND, 3, ERROR_BACKEND_FAILED, ENOENT);
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        revision = rig_device("a")->revision;
        rig_look();
        rig_look();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert_uint_eq(rig_device("a")->revision, revision);
        rig_look();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

static bool has_one_foreign(void *userdata) {
        const Mgmtdev *m = userdata;

        return m->n_foreign == 1;
}

START_TEST(test_foreign) {
        Mgmtdev *b = inventory_find_mgmtdev(&rig.inventory, FAKE_B);
        uint64_t revision;

        fake_put_device(rig.backend, "theirs-1", FAKE_B);
        fake_put_device(rig.backend, "theirs-2", FAKE_B);
        fake_put_device(rig.backend, "nowhere", "bus/unknown");
        rig_create_good("ours", "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_B "\"}");
        rig_look();
        ck_assert_uint_eq(b->n_foreign, 2);
        ck_assert_uint_eq(b->n_devices, 1);
        ck_assert_uint_eq(inventory_find_mgmtdev(&rig.inventory, FAKE_A)->n_foreign, 0);
        revision = b->revision;
        rig_look();
        ck_assert_uint_eq(b->revision, revision);
        fake_remove_device(rig.backend, "theirs-1");
        rig_look();
        unit_run_until(rig.event, has_one_foreign, b);
        ck_assert_uint_gt(b->revision, revision);
}
END_TEST

/* Faults of the hardware are logged when they are seen first. */
START_TEST(test_faults) {
        _cleanup_free_ char *log = NULL, *later = NULL;
        MgmtdevInfo *info = fake_mgmtdev(rig.backend, FAKE_B);
        Mgmtdev *b = inventory_find_mgmtdev(&rig.inventory, FAKE_B);

        log_open(LOG_ERR);
        info->counts.n_faults = 3;
        (void) snprintf(info->counts.last_fault, sizeof info->counts.last_fault, "ASID 7 is held by a");
        unit_capture_begin();
        rig_look();
        log = unit_capture_end();
        ck_assert_msg(strstr(log, FAKE_B " has faults: 3 in all, 3 new; the last one: ASID 7 is"), "%s", log);
        ck_assert_uint_eq(b->info.counts.n_faults, 3);

        unit_capture_begin();
        rig_look();
        info->counts.n_faults = 5;
        rig_look();
        later = unit_capture_end();
        ck_assert_ptr_eq(strstr(later, "has faults"), strstr(later, "has faults: 5 in all, 2 new"));
        ck_assert_ptr_nonnull(strstr(later, "has faults"));
}
END_TEST

/* A look that fails says so, and changes nothing else. */
START_TEST(test_look_fails) {
        static const FakeCall calls[] = { FAKE_GET_HOST, FAKE_LIST_MGMTDEVS, FAKE_LIST_DEVICES };
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_fail(rig.backend, calls[_i], 1, ERROR_BACKEND_UNAVAILABLE, EPERM);
        a = rig_create("look", "{\"class\":\"net\",\"mgmtdev\":\"not/there\"}");
        rig_assert_code(a, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "The test lets"));
        ck_assert(!lifecycle_host(rig.lifecycle)->available);
        ck_assert_str_eq(lifecycle_host(rig.lifecycle)->reason, a.failure.detail);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert(inventory_find_mgmtdev(&rig.inventory, FAKE_A)->present);
        ck_assert(lifecycle_is_ready(rig.lifecycle));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_unknown_handle);
        tcase_add_test(tcase, test_unknown_handle_while_asked);
        tcase_add_test(tcase, test_unknown_handle_while_looking);
        tcase_add_test(tcase, test_mgmtdev_goes_and_comes);
        tcase_add_test(tcase, test_devices_go_and_come_with_their_mgmtdev);
        tcase_add_test(tcase, test_lost_and_found);
        tcase_add_test(tcase, test_lost_and_foreign);
        tcase_add_test(tcase, test_listing_misses);
        tcase_add_test(tcase, test_create_lost);
        tcase_add_test(tcase, test_create_lost_elsewhere);
        tcase_add_test(tcase, test_endpoint_comes_back);
        tcase_add_test(tcase, test_start_touches_nothing);
        tcase_add_test(tcase, test_stays_lost_quietly);
        tcase_add_test(tcase, test_foreign);
        tcase_add_test(tcase, test_faults);
        tcase_add_loop_test(tcase, test_look_fails, 0, 3);
}

int main(void) {
        return unit_main("lifecycle-scan", add);
}
