/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a device holds, and how its virtqueues share MSI entries. */
#include "inventory/resource.h"

#include "unit.h"

static DeviceResources make(uint16_t n_vqs, uint16_t n_msis) {
        DeviceResources resources;

        ck_assert_int_eq(device_resources_allocate(&resources, 2, n_vqs, n_msis), 0);
        resources.ids[0] = 17;
        resources.ids[1] = 18;
        for (uint16_t i = 0; i < n_msis; i++)
                resources.ids[2 + i] = 40u + i;
        return resources;
}

START_TEST(test_an_entry_each) {
        DeviceResources resources = make(3, 4);

        ck_assert_uint_eq(device_resources_asids(&resources)[1], 18);
        for (unsigned vq = 0; vq <= 3; vq++)
                ck_assert_uint_eq(device_resources_msi(&resources, vq), 40 + vq);
        device_resources_done(&resources);
        ck_assert_ptr_null(resources.ids);
        ck_assert_uint_eq(resources.n_msis, 0);
}
END_TEST

/* Configuration changes keep theirs. */
START_TEST(test_shared) {
        DeviceResources resources = make(5, 3);
        static const uint32_t expected[] = { 40, 41, 40, 41, 40, 42 };

        for (unsigned vq = 0; vq <= 5; vq++)
                ck_assert_uint_eq(device_resources_msi(&resources, vq), expected[vq]);
        device_resources_done(&resources);
}
END_TEST

START_TEST(test_one_for_all) {
        DeviceResources resources = make(5, 1);

        for (unsigned vq = 0; vq <= 5; vq++)
                ck_assert_uint_eq(device_resources_msi(&resources, vq), 40);
        device_resources_done(&resources);
}
END_TEST

START_TEST(test_copy) {
        DeviceResources resources = make(3, 4), copy, nothing = {};

        ck_assert_int_eq(device_resources_copy(&resources, &copy), 0);
        ck_assert_ptr_ne(copy.ids, resources.ids);
        device_resources_done(&resources);
        ck_assert_uint_eq(copy.n_vqs, 3);
        ck_assert_uint_eq(device_resources_msi(&copy, 3), 43);
        device_resources_done(&copy);
        ck_assert_int_eq(device_resources_copy(&nothing, &copy), 0);
        ck_assert_ptr_null(copy.ids);
}
END_TEST

START_TEST(test_capacity_equal) {
        const Capacity a = { .is_known = true, .total = 8, .reserved_ids = "0-3" };
        Capacity b = a;

        ck_assert(capacity_equal(&a, &b));
        b.reserved_ids[2] = '2';
        ck_assert(!capacity_equal(&a, &b));
        b = a;
        b.source = SOURCE_PCI;
        ck_assert(!capacity_equal(&a, &b));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_an_entry_each);
        tcase_add_test(tcase, test_shared);
        tcase_add_test(tcase, test_one_for_all);
        tcase_add_test(tcase, test_copy);
        tcase_add_test(tcase, test_capacity_equal);
}

int main(void) {
        return unit_main("resource", add);
}
