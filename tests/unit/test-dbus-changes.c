/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What subscribers are told, and at which paths things are. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "dbus/changes.h"
#include "dbus/path.h"

static Changes changes;

static void setup(void) {
        changes_init(&changes);
}

static void teardown(void) {
        changes_clear(&changes);
}

/* A letter for each change of one device, and what comes of them together: r, a, c in this order. */
static const char *const gathered[][2] = {
        { "a", "a" },    { "c", "c" },  { "r", "r" },   { "ac", "a" },   { "acc", "a" },    { "ar", "" },
        { "acr", "" },   { "cr", "r" }, { "ra", "ra" }, { "rac", "ra" }, { "rar", "r" },    { "cra", "ra" },
        { "crar", "r" }, { "cc", "c" }, { "ara", "a" }, { "arar", "" },  { "rarac", "ra" },
};

START_TEST(test_gather) {
        char told[4] = "";
        Change *change;

        for (const char *what = gathered[_i][0]; *what; what++)
                changes_note(&changes, "d",
                             *what == 'a'   ? DEVICE_ADDED
                             : *what == 'c' ? DEVICE_CHANGED
                                            : DEVICE_REMOVED);
        change = changes_take(&changes);
        if (change)
                (void) snprintf(told, sizeof told, "%s%s%s", change->removed ? "r" : "", change->added ? "a" : "",
                                change->changed ? "c" : "");
        ck_assert_str_eq(told, gathered[_i][1]);
        ck_assert(!changes_pending(&changes));
        free(change);
}
END_TEST

START_TEST(test_order) {
        static const char *const names[] = { "b", "a", "c" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                changes_note(&changes, names[i], DEVICE_CHANGED);
        for (const char *expected = "abc"; *expected; expected++) {
                _cleanup_free_ Change *change = changes_take(&changes);

                ck_assert_int_eq(change->name[0], *expected);
        }
        ck_assert_ptr_null(changes_take(&changes));
}
END_TEST

START_TEST(test_bound) {
        char name[DEVICE_NAME_MAX];

        for (unsigned i = 0; i <= CHANGES_MAX; i++) {
                ck_assert(!changes.lost);
                ck_assert_uint_eq(changes.n, i);
                (void) snprintf(name, sizeof name, "d%u", i);
                changes_note(&changes, name, DEVICE_CHANGED);
        }
        ck_assert(changes.lost);
        ck_assert_uint_eq(changes.n, 0);
        ck_assert(changes_pending(&changes));
        changes_clear(&changes);
        ck_assert(!changes_pending(&changes));
}
END_TEST

static const struct {
        const char *name, *path;
} devices[] = {
        { "d", "/org/hsvdpa/device/d" },
        { "vm42-net0", "/org/hsvdpa/device/vm42_2dnet0" },
        { "a.b_c", "/org/hsvdpa/device/a_2eb_5fc" },
        { "0", "/org/hsvdpa/device/_30" },
        { "012345678901234567890123456789012345678901234567890123456789-12",
          "/org/hsvdpa/device/_3012345678901234567890123456789012345678901234567890123456789_2d12" },
};

START_TEST(test_device_path) {
        _cleanup_free_ char *path = path_of_device(devices[_i].name);
        Device *device, *found = NULL;
        DeviceSpec spec;
        Inventory inv;
        Mgmtdev *mgmtdev;

        ck_assert_str_eq(path, devices[_i].path);

        inventory_init(&inv, 10);
        ck_assert_int_eq(path_find_device(&inv, path, &found), 0);
        device_spec_init(&spec);
        ck_assert_int_eq(inventory_ensure_mgmtdev(&inv, "bus/m", &mgmtdev), 0);
        ck_assert_int_eq(device_new(devices[_i].name, &spec, 0, &device), 0);
        ck_assert_int_eq(inventory_add_device(&inv, device, mgmtdev), 0);
        ck_assert_int_eq(path_find_device(&inv, path, &found), 1);
        ck_assert_ptr_eq(found, device);
        inventory_done(&inv);
}
END_TEST

static const char *const strangers[] = {
        "/",
        "/org/hsvdpa",
        "/org/hsvdpa/device",
        "/org/hsvdpa/device/_",
        "/org/hsvdpa/device/_2",
        "/org/hsvdpa/device/_zz",
        "/org/hsvdpa/device/a/b",
        "/org/hsvdpa/devices/a",
        "/org/hsvdpa/mgmtdev/bus_2fm/x",
        "/org/hsvdpa/mgmtdev/_00",
};

START_TEST(test_strange_path) {
        Device *device;
        Mgmtdev *mgmtdev;
        Inventory inv;

        inventory_init(&inv, 10);
        ck_assert_int_eq(inventory_ensure_mgmtdev(&inv, "bus/m", &mgmtdev), 0);
        ck_assert_int_eq(path_find_mgmtdev(&inv, "/org/hsvdpa/mgmtdev/bus_2fm", &mgmtdev), 1);
        ck_assert_int_eq(path_find_device(&inv, strangers[_i], &device), 0);
        ck_assert_int_eq(path_find_mgmtdev(&inv, strangers[_i], &mgmtdev), 0);
        inventory_done(&inv);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("dbus-changes");
        TCase *tcase = tcase_create("changes");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_gather, 0, (int) ELEMENTSOF(gathered));
        tcase_add_test(tcase, test_order);
        tcase_add_test(tcase, test_bound);
        tcase_add_loop_test(tcase, test_device_path, 0, (int) ELEMENTSOF(devices));
        tcase_add_loop_test(tcase, test_strange_path, 0, (int) ELEMENTSOF(strangers));
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
