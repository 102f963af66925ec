/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A disk that takes some changes and not others: what is told stays true, and what the record says else is put
 * right as soon as it can be. Triggers in the database, made from the side, refuse the changes. */
#include <errno.h>
#include <string.h>

#include "rig.h"
#include "store-rig.h"
#include "unit.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

/* Refuses records of a state, by its name; and removals. */
#define REFUSE(state)                                                                                              \
        "CREATE TRIGGER put_" state " BEFORE INSERT ON device WHEN NEW.state = '" state "' "                       \
        "BEGIN SELECT RAISE(ABORT, 'the disk is bad'); END;"
#define REFUSE_REMOVAL                                                                                             \
        "CREATE TRIGGER removal BEFORE DELETE ON device BEGIN SELECT RAISE(ABORT, 'the disk is bad'); END;"

#define ALLOW(state) "DROP TRIGGER put_" state ";"

/* ... and that a device is intended, or is what was intended. */
#define REFUSE_INTENT                                                                                              \
        "CREATE TRIGGER intent BEFORE INSERT ON intent BEGIN SELECT RAISE(ABORT, 'the disk is bad'); END;"
#define ALLOW_INTENT "DROP TRIGGER intent;"
#define REFUSE_SETTLING                                                                                            \
        "CREATE TRIGGER settling BEFORE DELETE ON intent BEGIN SELECT RAISE(ABORT, 'the disk is bad'); END;"
#define ALLOW_SETTLING "DROP TRIGGER settling;"

static bool is_on_disk(const char *state) {
        sqlite3 *db = disk_open_beside("");
        sqlite3_stmt *stmt;
        bool found;

        ck_assert_int_eq(sqlite3_prepare_v2(db,
                                            "SELECT 1 FROM device WHERE name = 'a' AND ?1 = CASE WHEN revision IN "
                                            "(SELECT revision FROM intent) THEN 'reserved' ELSE state END",
                                            -1, &stmt, NULL),
                         SQLITE_OK);
        ck_assert_int_eq(sqlite3_bind_text(stmt, 1, state, -1, SQLITE_STATIC), SQLITE_OK);
        found = sqlite3_step(stmt) == SQLITE_ROW;
        sqlite3_finalize(stmt);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
        return found;
}

static Answer set_mac(uint8_t last) {
        DevicePatch patch = { .has_mac = true, .mac = { 2, 0, 0, 0, 0, last } };
        Answer a = {};

        lifecycle_update_device(rig.lifecycle, "a", NULL, &patch, rig_on_answer, &a);
        rig_wait(&a);
        return a;
}

/* Without the intent on the disk nothing is done. */
START_TEST(test_create_intent) {
        Answer a;

        disk_execute(REFUSE_INTENT);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_STORE_FAILED);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "the disk is bad"));
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        disk_execute(ALLOW_INTENT);
        rig_create_good("a", RIG_NET);
}
END_TEST

START_TEST(test_create_intent_again) {
        Answer a;

        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", RIG_NET);
        disk_execute(REFUSE_INTENT);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_STORE_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        ck_assert(is_on_disk("failed"));
}
END_TEST

START_TEST(test_delete_intent) {
        Answer a;

        rig_create_good("a", RIG_NET);
        disk_execute(REFUSE("deleting"));
        a = rig_delete("a");
        rig_assert_code(a, ERROR_STORE_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert(fake_has_device(rig.backend, "a"));
        ck_assert(is_on_disk("ready"));
}
END_TEST

START_TEST(test_update_intent) {
        Answer created = rig_create_good("a", RIG_NET), a;

        (void) fake_take_calls(rig.backend);
        disk_execute(REFUSE("ready"));
        a = set_mac(1);
        rig_assert_code(a, ERROR_STORE_FAILED);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
        ck_assert(!rig_device("a")->spec.net.has_mac);
        ck_assert_uint_eq(rig_device("a")->generation, created.generation);
        disk_execute(ALLOW("ready"));
        a = set_mac(1);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(a.generation, 2);
}
END_TEST

/* What can be seen again needs no record to be answered. */
START_TEST(test_ready_not_recorded) {
        Answer created;

        disk_execute(REFUSE_SETTLING);
        created = rig_create_good("a", RIG_NET);
        rig_stop();
        disk_execute(ALLOW_SETTLING);
        ck_assert_str_eq(rig_recorded("a"), "reserved");
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_str_eq(rig_device("a")->uid, created.uid);
        ck_assert_uint_gt(rig_device("a")->revision, created.revision);
        ck_assert_uint_eq(fake_count_calls(rig.backend, FAKE_CREATE), 1);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "ready");
        ck_assert_int_eq(disk_query("SELECT count(*) FROM intent"), 0);
}
END_TEST

START_TEST(test_removal_not_recorded) {
        Answer a;

        rig_create_good("a", RIG_NET);
        disk_execute(REFUSE_REMOVAL);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
        rig_stop();
        disk_execute("DROP TRIGGER removal;");
        ck_assert_str_eq(rig_recorded("a"), "deleting");
        rig_start();
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "");
}
END_TEST

/* The disk says that the device is to go, and it was told that it stays. */
static void refuse_and_stay(void) {
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_device(rig.backend, "a")->in_use = true;
        disk_execute(REFUSE("ready"));
        a = rig_delete("a");
        rig_assert_code(a, ERROR_IN_USE);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "that it stays could not be recorded"));
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert(rig_device("a")->is_behind);
        ck_assert(is_on_disk("deleting"));
}

START_TEST(test_stays_and_look) {
        refuse_and_stay();
        rig_look();
        ck_assert(rig_device("a")->is_behind);
        disk_execute(ALLOW("ready"));
        rig_look();
        ck_assert(!rig_device("a")->is_behind);
        ck_assert(is_on_disk("ready"));
        ck_assert(fake_has_device(rig.backend, "a"));
}
END_TEST

/* It is not confirmed before the disk says so too. */
START_TEST(test_stays_and_confirm) {
        Answer a;

        refuse_and_stay();
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_STORE_FAILED);
        disk_execute(ALLOW("ready"));
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_NONE);
        ck_assert(!a.created);
        ck_assert(!rig_device("a")->is_behind);
        ck_assert(is_on_disk("ready"));
}
END_TEST

START_TEST(test_stays_and_change) {
        Answer a;

        refuse_and_stay();
        disk_execute(ALLOW("ready"));
        a = set_mac(1);
        rig_assert_code(a, ERROR_NONE);
        ck_assert(!rig_device("a")->is_behind);
        ck_assert(is_on_disk("ready"));
}
END_TEST

START_TEST(test_stays_and_stop) {
        refuse_and_stay();
        fake_device(rig.backend, "a")->in_use = false;
        rig_stop();
        disk_execute(ALLOW("ready"));
        /* As the refusal has told, it may be deleted now. */
        rig_start();
        ck_assert(!fake_has_device(rig.backend, "a"));
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
}
END_TEST

/* A creation that failed and whose intent cannot be removed is there, failed. */
START_TEST(test_failed_not_removed) {
        Answer a;

        disk_execute(REFUSE_REMOVAL);
        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "stays as failed"));
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        ck_assert(is_on_disk("failed"));
        ck_assert(!fake_has_device(rig.backend, "a"));
}
END_TEST

START_TEST(test_failed_not_recorded) {
        Answer a;

        disk_execute(REFUSE_REMOVAL REFUSE("failed"));
        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "may make it after all"));
        ck_assert(rig_device("a")->is_behind);
        ck_assert(is_on_disk("reserved"));
        disk_execute(ALLOW("failed"));
        rig_look();
        ck_assert(is_on_disk("failed"));
        ck_assert(!rig_device("a")->is_behind);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
}
END_TEST

/* The disk has the new MAC address, the device and the answer the old one. */
START_TEST(test_mac_not_reverted) {
        Answer a;

        rig_create_good("a", "{\"class\":\"net\",\"net\":{\"mac\":\"02:00:00:00:00:01\"}}");
        fake_hold(rig.backend, FAKE_SET_MAC);
        fake_fail(rig.backend, FAKE_SET_MAC, 1, ERROR_NOT_SUPPORTED, EOPNOTSUPP);
        a = (Answer){};
        lifecycle_update_device(rig.lifecycle, "a", NULL,
                                &(DevicePatch){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 2 } }, rig_on_answer, &a);
        rig_wait_held(FAKE_SET_MAC);
        disk_execute(REFUSE("ready"));
        fake_let_go(rig.backend, FAKE_SET_MAC);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "may apply the new one"));
        ck_assert_uint_eq(rig_device("a")->spec.net.mac[5], 1);
        ck_assert(rig_device("a")->is_behind);
        disk_execute(ALLOW("ready"));
        rig_look();
        rig_stop();
        rig_start();
        ck_assert_uint_eq(rig_device("a")->spec.net.mac[5], 1);
        ck_assert_uint_eq(fake_device(rig.backend, "a")->status.net.mac[5], 1);
}
END_TEST

/* What is done stays done, and is told with the revision that the disk will have. */
START_TEST(test_mac_not_recorded) {
        Answer a = {};

        rig_create_good("a", RIG_NET);
        fake_hold(rig.backend, FAKE_SET_MAC);
        lifecycle_update_device(rig.lifecycle, "a", NULL,
                                &(DevicePatch){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 2 } }, rig_on_answer, &a);
        rig_wait_held(FAKE_SET_MAC);
        disk_execute(REFUSE("ready"));
        fake_let_go(rig.backend, FAKE_SET_MAC);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        ck_assert(rig_device("a")->is_behind);
        disk_execute(ALLOW("ready"));
        rig_look();
        ck_assert(!rig_device("a")->is_behind);
        rig_stop();
        rig_start();
        ck_assert_uint_eq(rig_device("a")->spec.net.mac[5], 2);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_create_intent);
        tcase_add_test(tcase, test_create_intent_again);
        tcase_add_test(tcase, test_delete_intent);
        tcase_add_test(tcase, test_update_intent);
        tcase_add_test(tcase, test_ready_not_recorded);
        tcase_add_test(tcase, test_removal_not_recorded);
        tcase_add_test(tcase, test_stays_and_look);
        tcase_add_test(tcase, test_stays_and_confirm);
        tcase_add_test(tcase, test_stays_and_change);
        tcase_add_test(tcase, test_stays_and_stop);
        tcase_add_test(tcase, test_failed_not_removed);
        tcase_add_test(tcase, test_failed_not_recorded);
        tcase_add_test(tcase, test_mac_not_reverted);
        tcase_add_test(tcase, test_mac_not_recorded);
}

int main(void) {
        return unit_main("lifecycle-disk", add);
}
