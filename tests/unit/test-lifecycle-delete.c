/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The delete verb, and the preconditions that it shares with others. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "unit.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

static Answer delete_if(const char *name, Precondition precondition) {
        Answer answer = {};

        lifecycle_delete_device(rig.lifecycle, name, &precondition, rig_on_answer, &answer);
        rig_wait(&answer);
        return answer;
}

START_TEST(test_delete) {
        Answer a;

        rig_create_good("a", RIG_NET);
        (void) fake_take_calls(rig.backend);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
        ck_assert(!a.has_device);
        ck_assert_str_eq(fake_take_calls(rig.backend), "observe a, destroy a");
        ck_assert(!fake_has_device(rig.backend, "a"));
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        ck_assert_uint_eq(inventory_find_mgmtdev(&rig.inventory, FAKE_A)->n_records, 0);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "");
}
END_TEST

START_TEST(test_not_there) {
        Answer a;

        rig_begin_delete("a", &a);
        rig_assert_code(a, ERROR_DEVICE_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, "'a'"));
}
END_TEST

/* A delete that comes while the device is made waits for that, and then deletes it. */
START_TEST(test_while_creating) {
        Answer create, delete, again;

        fake_hold(rig.backend, FAKE_CREATE);
        rig_begin_create("a", RIG_NET, &create);
        rig_wait_held(FAKE_CREATE);
        rig_begin_delete("a", &delete);
        rig_begin_create("a", RIG_NET, &again);
        ck_assert_uint_eq(delete.n, 0);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&again);
        rig_assert_code(create, ERROR_NONE);
        rig_assert_code(delete, ERROR_NONE);
        rig_assert_code(again, ERROR_NONE);
        ck_assert(again.created);
        ck_assert_str_ne(again.uid, create.uid);
        ck_assert_str_eq(fake_take_calls(rig.backend),
                         "create a, assign a, bind a, publish a, observe a, observe a, destroy a, create a, "
                         "assign a, bind a, publish a, observe a");
}
END_TEST

START_TEST(test_while_deleting) {
        Answer first, second;

        rig_create_good("a", RIG_NET);
        fake_hold(rig.backend, FAKE_DESTROY);
        rig_begin_delete("a", &first);
        rig_wait_held(FAKE_DESTROY);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_DELETING);
        rig_begin_delete("a", &second);
        ck_assert_uint_eq(second.n, 0);
        fake_let_go(rig.backend, FAKE_DESTROY);
        rig_wait(&second);
        rig_assert_code(first, ERROR_NONE);
        rig_assert_code(second, ERROR_DEVICE_NOT_FOUND);
}
END_TEST

/* In use it stays as it was, and that is durable: the next start does not delete it after all. */
START_TEST(test_in_use) {
        Answer a, confirm;

        a = rig_create_good("a", RIG_NET);
        fake_device(rig.backend, "a")->in_use = true;
        a = rig_delete("a");
        rig_assert_code(a, ERROR_IN_USE);
        ck_assert_int_eq(a.failure.error, EBUSY);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_ptr_null(rig_device("a")->reason);
        confirm = rig_create("a", RIG_NET);
        rig_assert_code(confirm, ERROR_NONE);
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "ready");
        fake_device(rig.backend, "a")->in_use = false;
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

/* After another failure it is what can be seen of it. */
START_TEST(test_destroy_fails) {
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_BACKEND_FAILED, EIO);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);

        fake_device(rig.backend, "a")->status.endpoint[0] = '\0';
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_BACKEND_FAILED, EIO);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        ck_assert_ptr_nonnull(strstr(rig_device("a")->reason->detail, "destroy a"));
        rig_stop();
        ck_assert_str_eq(rig_recorded("a"), "lost");
        rig_start();
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
}
END_TEST

/* That it failed does not matter if it is gone. */
START_TEST(test_destroy_fails_but_gone) {
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_hold(rig.backend, FAKE_DESTROY);
        fake_fail(rig.backend, FAKE_DESTROY, 1, ERROR_BACKEND_FAILED, EIO);
        rig_begin_delete("a", &a);
        rig_wait_held(FAKE_DESTROY);
        fake_device(rig.backend, "a")->there = false;
        fake_let_go(rig.backend, FAKE_DESTROY);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
}
END_TEST

START_TEST(test_already_gone) {
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_remove_device(rig.backend, "a");
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
}
END_TEST

/* Made by hand elsewhere since the host was last looked at. */
START_TEST(test_foreign_namesake) {
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_remove_device(rig.backend, "a");
        fake_put_device(rig.backend, "a", FAKE_B);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(fake_count_calls(rig.backend, FAKE_DESTROY), 0);
        ck_assert(fake_has_device(rig.backend, "a"));
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, "a"));
        a = rig_create("a", RIG_NET);
        rig_assert_code(a, ERROR_FOREIGN_DEVICE);
}
END_TEST

/* What has failed or is lost can go too; what has come to its name since then is someone else's. */
START_TEST(test_delete_lost) {
        Answer a;

        rig_create_good("a", RIG_NET);
        fake_remove_device(rig.backend, "a");
        rig_look();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_LOST);
        fake_put_device(rig.backend, "a", FAKE_B);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(fake_count_calls(rig.backend, FAKE_DESTROY), 0);
        ck_assert(fake_has_device(rig.backend, "a"));
}
END_TEST

START_TEST(test_delete_failed) {
        Answer a;

        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        fake_fail(rig.backend, FAKE_DESTROY, 2, ERROR_BACKEND_FAILED, EIO);
        (void) rig_create("a", RIG_NET);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_FAILED);
        a = rig_delete("a");
        rig_assert_code(a, ERROR_NONE);
        ck_assert(!fake_has_device(rig.backend, "a"));
}
END_TEST

START_TEST(test_if_revision) {
        Answer created = rig_create_good("a", RIG_NET), a;

        a = delete_if("a", (Precondition){ .has_revision = true, .revision = created.revision + 1 });
        rig_assert_code(a, ERROR_PRECONDITION_FAILED);
        a = delete_if("a", (Precondition){ .has_revision = true, .revision = 0 });
        rig_assert_code(a, ERROR_PRECONDITION_FAILED);
        ck_assert_uint_eq(rig_device("a")->revision, created.revision);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        a = delete_if("a", (Precondition){ .has_revision = true, .revision = created.revision });
        rig_assert_code(a, ERROR_NONE);
}
END_TEST

/* A caller that has slept does not delete the device that came after its own. */
START_TEST(test_if_uid) {
        Answer created = rig_create_good("a", RIG_NET), a;
        Precondition p = {};

        strcpy(p.uid, created.uid);
        a = delete_if("a", p);
        rig_assert_code(a, ERROR_NONE);
        rig_create_good("a", RIG_NET);
        a = delete_if("a", p);
        rig_assert_code(a, ERROR_NONE);
        ck_assert_str_ne(rig_device("a")->uid, created.uid);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        a = delete_if("b", p);
        rig_assert_code(a, ERROR_DEVICE_NOT_FOUND);

        /* One that nobody has had. */
        p.uid[UID_TEXT_MAX - 2] = p.uid[UID_TEXT_MAX - 2] == '0' ? '1' : '0';
        a = delete_if("a", p);
        rig_assert_code(a, ERROR_PRECONDITION_FAILED);
        ck_assert_ptr_nonnull(strstr(a.failure.detail, rig_device("a")->uid));
}
END_TEST

/* The precondition counts when the verb's turn comes. */
START_TEST(test_if_revision_while_creating) {
        Precondition p = { .has_revision = true };
        Answer create, delete = {};

        fake_hold(rig.backend, FAKE_CREATE);
        rig_begin_create("a", RIG_NET, &create);
        rig_wait_held(FAKE_CREATE);
        p.revision = rig_device("a")->revision;
        lifecycle_delete_device(rig.lifecycle, "a", &p, rig_on_answer, &delete);
        fake_let_go(rig.backend, FAKE_CREATE);
        rig_wait(&delete);
        rig_assert_code(delete, ERROR_PRECONDITION_FAILED);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

static void on_deleted_create_again(void *userdata, const Outcome *outcome) {
        rig_begin_create("a", RIG_NET, userdata);
}

/* A verb may be called from another's answer. */
START_TEST(test_verb_from_answer) {
        Answer a = {};

        rig_create_good("a", RIG_NET);
        lifecycle_delete_device(rig.lifecycle, "a", NULL, on_deleted_create_again, &a);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        ck_assert(a.created);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_delete);
        tcase_add_test(tcase, test_not_there);
        tcase_add_test(tcase, test_while_creating);
        tcase_add_test(tcase, test_while_deleting);
        tcase_add_test(tcase, test_in_use);
        tcase_add_test(tcase, test_destroy_fails);
        tcase_add_test(tcase, test_destroy_fails_but_gone);
        tcase_add_test(tcase, test_already_gone);
        tcase_add_test(tcase, test_foreign_namesake);
        tcase_add_test(tcase, test_delete_lost);
        tcase_add_test(tcase, test_delete_failed);
        tcase_add_test(tcase, test_if_revision);
        tcase_add_test(tcase, test_if_uid);
        tcase_add_test(tcase, test_if_revision_while_creating);
        tcase_add_test(tcase, test_verb_from_answer);
}

int main(void) {
        return unit_main("lifecycle-delete", add);
}
