/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is set of management devices: checked, durable, and in effect. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "rig.h"
#include "store-rig.h"
#include "unit.h"

static void set_up(void) {
        rig_set_up();
        fake_mgmtdev(rig.backend, FAKE_A)->capacity[RESOURCE_MSIS] = (Capacity){ .is_known = true, .total = 20 };
        rig_start();
}

static struct {
        unsigned n;
        Failure failure;
        size_t n_faults;
        JsonFault fault;
        uint64_t revision;
} answers[3];

static void on_answer(void *userdata, const Outcome *outcome) {
        size_t i = (size_t) (uintptr_t) userdata;

        answers[i].n++;
        answers[i].failure = outcome->failure;
        answers[i].n_faults = outcome->faults ? outcome->faults->n : 0;
        if (outcome->faults)
                answers[i].fault = outcome->faults->fault[0];
        answers[i].revision = outcome->mgmtdev ? outcome->mgmtdev->revision : 0;
}

static bool is_answered(void *userdata) {
        return answers[(size_t) (uintptr_t) userdata].n > 0;
}

static void begin(size_t i, const char *handle, const char *text, const Precondition *precondition) {
        _cleanup_json_ json_t *patch = json_loads(text, 0, NULL);

        ck_assert_msg(patch, "%s", text);
        memset(&answers[i], 0, sizeof answers[i]);
        lifecycle_update_mgmtdev(rig.lifecycle, handle, precondition, patch, on_answer, (void *) (uintptr_t) i);
}

static void wait_for(size_t i, ErrorCode code) {
        unit_run_until(rig.event, is_answered, (void *) (uintptr_t) i);
        ck_assert_uint_eq(answers[i].n, 1);
        ck_assert_msg(answers[i].failure.code == code, "%s", answers[i].failure.detail);
}

static void update(const char *text, ErrorCode code) {
        begin(0, FAKE_A, text, NULL);
        wait_for(0, code);
}

static Mgmtdev *mgmtdev(void) {
        return inventory_find_mgmtdev(&rig.inventory, FAKE_A);
}

static Budget msis(void) {
        return mgmtdev_budget(mgmtdev(), RESOURCE_MSIS, clock_monotonic_usec());
}

static void assert_set(void) {
        ck_assert(mgmtdev_is_cordoned(mgmtdev()));
        ck_assert_str_eq(json_string_value(json_object_get(mgmtdev_labels(mgmtdev()), "rack")), "7");
        ck_assert_uint_eq(msis().total, 10);
        ck_assert_uint_eq(msis().reserved, 3);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(), RESOURCE_DEVICES, 0).total, 5);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(), RESOURCE_DEVICES, 0).reserved, 1);
}

/* It is as it was after a restart, also where the host does not have the management device any more. */
START_TEST(test_set) {
        uint64_t revision = mgmtdev()->revision;

        update("{\"cordoned\":true,\"labels\":{\"rack\":\"7\",\"none\":null},\"budgets\":{\"msis\":{\"total\":10,"
               "\"reserved_ids\":\"0-1,9\"},\"devices\":{\"total\":5,\"reserved\":1}}}",
               ERROR_NONE);
        ck_assert_uint_gt(mgmtdev()->revision, revision);
        ck_assert_uint_eq(answers[0].revision, mgmtdev()->revision);
        assert_set();
        rig_stop();
        rig_start();
        assert_set();
        fake_unplug(rig.backend, FAKE_A);
        rig_stop();
        rig_start();
        ck_assert_ptr_nonnull(mgmtdev());
        ck_assert(mgmtdev_is_cordoned(mgmtdev()));
        ck_assert_int_eq(disk_query("SELECT count(*) FROM mgmtdev"), 1);

        /* What is taken back is forgotten, and then there is nothing to know of it. */
        update("{\"cordoned\":null,\"labels\":null,\"budgets\":null}", ERROR_NONE);
        ck_assert_int_eq(disk_query("SELECT count(*) FROM mgmtdev"), 0);
        rig_look();
        ck_assert_ptr_null(mgmtdev());
}
END_TEST

static const struct {
        const char *patch, *pointer;
} refusals[] = {
        { "{\"cordoned\":1}", "/cordoned" },
        { "{\"x\":1}", "/x" },
        { "{\"labels\":{\"a\":1}}", "/labels/a" },
        { "{\"budgets\":{\"msi\":{}}}", "/budgets/msi" },
        { "{\"budgets\":{\"msis\":{\"total\":21}}}", "/budgets/msis/total" },
        { "{\"budgets\":{\"msis\":{\"total\":-1}}}", "/budgets/msis/total" },
        { "{\"budgets\":{\"msis\":{\"reserved\":1}}}", "/budgets/msis/reserved" },
        { "{\"budgets\":{\"msis\":{\"reserved_ids\":\"3-1\"}}}", "/budgets/msis/reserved_ids" },
        { "{\"budgets\":{\"vqs\":{\"reserved_ids\":\"1\"}}}", "/budgets/vqs/reserved_ids" },
};

START_TEST(test_refusal) {
        uint64_t revision = mgmtdev()->revision;

        update(refusals[_i].patch, ERROR_INVALID_REQUEST);
        ck_assert_uint_eq(answers[0].n_faults, 1);
        ck_assert_str_eq(answers[0].fault.pointer, refusals[_i].pointer);
        ck_assert_uint_eq(mgmtdev()->revision, revision);
}
END_TEST

START_TEST(test_less_than_held) {
        rig_create_good("a", "{\"class\":\"net\",\"mgmtdev\":\"" FAKE_A "\"}");
        update("{\"budgets\":{\"msis\":{\"total\":2}}}", ERROR_NO_CAPACITY);
        ck_assert_str_eq(answers[0].failure.detail, FAKE_A ": msis: 3 are in use, which is more than 2");
        ck_assert_uint_eq(msis().total, 20);
        update("{\"budgets\":{\"msis\":{\"total\":3}}}", ERROR_NONE);
        ck_assert_uint_eq(msis().free, 0);
}
END_TEST

START_TEST(test_precondition) {
        Precondition p = { .has_revision = true, .revision = mgmtdev()->revision + 1 };

        begin(0, FAKE_A, "{\"cordoned\":true}", &p);
        wait_for(0, ERROR_PRECONDITION_FAILED);
        p.revision--;
        begin(0, FAKE_A, "{\"cordoned\":true}", &p);
        wait_for(0, ERROR_NONE);
        begin(0, "not/there", "{}", NULL);
        wait_for(0, ERROR_MGMTDEV_NOT_FOUND);
}
END_TEST

/* Each builds on the one before. */
START_TEST(test_several) {
        begin(0, FAKE_A, "{\"labels\":{\"a\":\"1\"}}", NULL);
        begin(1, FAKE_A, "{\"labels\":{\"b\":\"2\"}}", NULL);
        begin(2, FAKE_A, "{\"labels\":{\"a\":null}}", NULL);
        for (size_t i = 0; i < 3; i++)
                wait_for(i, ERROR_NONE);
        ck_assert_uint_eq(json_object_size(mgmtdev_labels(mgmtdev())), 1);
        ck_assert_ptr_nonnull(json_object_get(mgmtdev_labels(mgmtdev()), "b"));
}
END_TEST

/* What is not on the disk is not so. */
START_TEST(test_not_recorded) {
        disk_execute("CREATE TRIGGER t BEFORE INSERT ON mgmtdev BEGIN SELECT RAISE(ABORT, 'bad'); END;");
        update("{\"cordoned\":true,\"budgets\":{\"msis\":{\"total\":10}}}", ERROR_STORE_FAILED);
        ck_assert(!mgmtdev_is_cordoned(mgmtdev()));
        ck_assert_uint_eq(msis().total, 20);
        disk_execute("DROP TRIGGER t;");
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_set);
        tcase_add_loop_test(tcase, test_refusal, 0, ELEMENTSOF(refusals));
        tcase_add_test(tcase, test_less_than_held);
        tcase_add_test(tcase, test_precondition);
        tcase_add_test(tcase, test_several);
        tcase_add_test(tcase, test_not_recorded);
}

int main(void) {
        return unit_main("lifecycle-mgmtdev", add);
}
