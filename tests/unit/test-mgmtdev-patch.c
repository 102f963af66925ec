/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/mgmtdev-patch.h"

#include <errno.h>
#include <string.h>

#include "inventory/inventory.h"
#include "unit.h"

static Inventory inventory;
static Mgmtdev *mgmtdev;
static MgmtdevSettings settings;
static JsonFaults faults;

static void set_up(void) {
        MgmtdevInfo info = { .handle = "sim0", .numa_node = -1, .vf_index = -1 };

        info.capacity[RESOURCE_MSIS] = (Capacity){ .is_known = true, .total = 100 };
        inventory_init(&inventory, 10);
        ck_assert_int_eq(inventory_update_mgmtdevs(&inventory, &info, 1, 1), 0);
        mgmtdev = inventory_first_mgmtdev(&inventory);
}

static void tear_down(void) {
        mgmtdev_settings_done(&settings);
        inventory_done(&inventory);
}

static int decode(const char *text) {
        _cleanup_json_ json_t *patch = json_loads(text, 0, NULL);
        JsonDecoder d;

        ck_assert_ptr_nonnull(patch);
        faults = (JsonFaults){};
        json_decoder_init(&d, &faults);
        mgmtdev_settings_done(&settings);
        return mgmtdev_patch_decode(&d, mgmtdev, patch, &settings);
}

/* Decodes, and has it in force. */
static void apply(const char *text) {
        ck_assert_int_eq(decode(text), 0);
        ck_assert_int_eq(inventory_set_mgmtdev(&inventory, mgmtdev, &settings, 1), 0);
}

static const struct {
        const char *patch, *pointer, *code;
} bad[] = {
        { "{\"cordoned\":1}", "/cordoned", "wrong-type" },
        { "{\"labels\":[]}", "/labels", "wrong-type" },
        { "{\"labels\":{\"a\":1}}", "/labels/a", "wrong-type" },
        { "{\"labels\":{\"\":\"x\"}}", "/labels/", "too-long" },
        { "{\"budgets\":7}", "/budgets", "wrong-type" },
        { "{\"budgets\":{\"gold\":{}}}", "/budgets/gold", "unknown-field" },
        { "{\"budgets\":{\"msis\":7}}", "/budgets/msis", "wrong-type" },
        { "{\"budgets\":{\"msis\":{\"total\":-1}}}", "/budgets/msis/total", "out-of-range" },
        { "{\"budgets\":{\"msis\":{\"total\":101}}}", "/budgets/msis/total", "out-of-range" },
        { "{\"budgets\":{\"asids\":{\"total\":16777217}}}", "/budgets/asids/total", "out-of-range" },
        { "{\"budgets\":{\"msis\":{\"reserved\":1}}}", "/budgets/msis/reserved", "unknown-field" },
        { "{\"budgets\":{\"vqs\":{\"reserved_ids\":\"1\"}}}", "/budgets/vqs/reserved_ids", "unknown-field" },
        { "{\"budgets\":{\"msis\":{\"reserved_ids\":\"5-1\"}}}", "/budgets/msis/reserved_ids", "bad-ranges" },
        { "{\"budgets\":{\"msis\":{\"reserved_ids\":\"x\"}}}", "/budgets/msis/reserved_ids", "bad-ranges" },
        { "{\"budgets\":{\"msis\":{\"reserved_ids\":\"16777216\"}}}", "/budgets/msis/reserved_ids", "bad-ranges" },
        { "{\"handle\":\"sim1\"}", "/handle", "unknown-field" },
};

START_TEST(test_bad) {
        ck_assert_int_eq(decode(bad[_i].patch), -EINVAL);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].pointer, bad[_i].pointer);
        ck_assert_str_eq(faults.fault[0].code, bad[_i].code);
}
END_TEST

START_TEST(test_nothing) {
        ck_assert_int_eq(decode("{}"), 0);
        ck_assert(mgmtdev_settings_are_empty(&settings));
}
END_TEST

START_TEST(test_all) {
        apply("{\"cordoned\":true,\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"budgets\":{"
              "\"devices\":{\"total\":7,\"reserved\":2},\"msis\":{\"total\":50,\"reserved_ids\":\"0-3,9\"}}}");
        ck_assert(mgmtdev_is_cordoned(mgmtdev));
        ck_assert_uint_eq(json_object_size(mgmtdev_labels(mgmtdev)), 2);
        ck_assert_uint_eq(mgmtdev->capacity[RESOURCE_DEVICES].total, 7);
        ck_assert_uint_eq(mgmtdev->capacity[RESOURCE_DEVICES].n_reserved, 2);
        ck_assert_uint_eq(mgmtdev->capacity[RESOURCE_MSIS].total, 50);
        ck_assert_str_eq(mgmtdev->capacity[RESOURCE_MSIS].reserved_ids, "0-3,9");

        /* What is not named stays; labels are merged. */
        apply("{\"labels\":{\"a\":null,\"c\":\"3\"}}");
        ck_assert(mgmtdev_is_cordoned(mgmtdev));
        ck_assert_uint_eq(mgmtdev->capacity[RESOURCE_MSIS].total, 50);
        ck_assert_uint_eq(json_object_size(mgmtdev_labels(mgmtdev)), 2);
        ck_assert_ptr_null(json_object_get(mgmtdev_labels(mgmtdev), "a"));
        ck_assert_str_eq(json_string_value(json_object_get(mgmtdev_labels(mgmtdev), "c")), "3");

        /* null takes back, one or all. */
        apply("{\"cordoned\":null,\"budgets\":{\"msis\":{\"total\":null},\"devices\":null}}");
        ck_assert(!mgmtdev_is_cordoned(mgmtdev));
        ck_assert_uint_eq(mgmtdev->capacity[RESOURCE_MSIS].total, 100);
        ck_assert_str_eq(mgmtdev->capacity[RESOURCE_MSIS].reserved_ids, "0-3,9");
        ck_assert(!mgmtdev->capacity[RESOURCE_DEVICES].is_known);
        apply("{\"labels\":null,\"budgets\":null}");
        ck_assert(mgmtdev_settings_are_empty(&mgmtdev->settings));
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, test_bad, 0, (int) ELEMENTSOF(bad));
        tcase_add_test(tcase, test_nothing);
        tcase_add_test(tcase, test_all);
}

int main(void) {
        return unit_main("mgmtdev-patch", add_tests);
}
