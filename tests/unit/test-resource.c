/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a device holds, and how its virtqueues share MSI entries. */
#include "inventory/resource.h"

#include <errno.h>

#include "inventory/vq-groups.h"
#include "unit.h"

static DeviceResources make(uint16_t n_vqs, uint16_t n_msis) {
        DeviceResources resources;
        uint32_t *ids;

        ck_assert_int_eq(device_resources_allocate(&resources, 2, n_vqs, n_msis), 0);
        ids = device_resources_ids(&resources);
        ids[0] = 17;
        ids[1] = 18;
        for (uint16_t i = 0; i < n_msis; i++)
                ids[2 + i] = 40u + i;
        return resources;
}

START_TEST(test_an_entry_each) {
        DeviceResources resources = make(3, 4);

        ck_assert_uint_eq(device_resources_asids(&resources)[1], 18);
        for (unsigned vq = 0; vq <= 3; vq++)
                ck_assert_uint_eq(device_resources_msi(&resources, vq), 40 + vq);
        device_resources_done(&resources);
        ck_assert(!resources.is_held);
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

/* A few, which are in the structure itself, and many. */
START_TEST(test_copy) {
        uint16_t n_vqs = _i == 0 ? DEVICE_IDS_FEW - 3 : DEVICE_IDS_FEW - 2;
        DeviceResources resources = make(n_vqs, (uint16_t) (n_vqs + 1)), copy, nothing = {};

        ck_assert_int_eq(device_resources_copy(&resources, &copy), 0);
        ck_assert_ptr_ne(device_resources_asids(&copy), device_resources_asids(&resources));
        device_resources_done(&resources);
        ck_assert(copy.is_held);
        ck_assert_uint_eq(copy.n_vqs, n_vqs);
        ck_assert_uint_eq(device_resources_asids(&copy)[1], 18);
        ck_assert_uint_eq(device_resources_msi(&copy, n_vqs), 40u + n_vqs);
        device_resources_done(&copy);
        ck_assert_int_eq(device_resources_copy(&nothing, &copy), 0);
        ck_assert(!copy.is_held);
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

/* What is written is read, and nothing else. */
START_TEST(test_vq_groups) {
        static const uint16_t numbers[] = { 0, 0, 1, 7, 7, 65535 };
        char text[VQ_GROUPS_TEXT_MAX];
        VqGroups groups = {}, again;

        ck_assert_str_eq(vq_groups_format(&groups, text), "");
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                ck_assert_int_eq(vq_groups_append(&groups, numbers[i]), 0);
        ck_assert_uint_eq(groups.n_vqs, ELEMENTSOF(numbers));
        ck_assert_str_eq(vq_groups_format(&groups, text), "2*0+1*1+2*7+1*65535");
        ck_assert_int_eq(vq_groups_parse(text, &again), 0);
        ck_assert_mem_eq(&groups, &again, sizeof groups);
        ck_assert_int_eq(vq_groups_parse("", &again), 0);
        ck_assert_uint_eq(again.n_runs, 0);
}
END_TEST

START_TEST(test_vq_groups_full) {
        char text[VQ_GROUPS_TEXT_MAX];
        VqGroups groups = {}, again;
        uint16_t group = 0;

        while (vq_groups_append(&groups, group) == 0)
                group++;
        ck_assert_uint_eq(group, VQ_GROUP_RUNS_MAX);
        while (vq_groups_append(&groups, (uint16_t) (group - 1)) == 0)
                ;
        ck_assert_uint_eq(groups.n_vqs, DEVICE_VQS_MAX);
        ck_assert_int_eq(vq_groups_parse(vq_groups_format(&groups, text), &again), 0);
        ck_assert_mem_eq(&groups, &again, sizeof groups);
}
END_TEST

static const char *const bad_vq_groups[] = {
        "x",
        "1",
        "1*",
        "1*x",
        "0*1",
        "1025*0",
        "1024*0+1*1",
        "1*65536",
        "-1*0",
        "1*-1",
        " 1*0",
        "1* 0",
        "1*0+",
        "+1*0",
        "1*0++1*1",
        "1*01",
        "1*0+1*0",
        "1*0 +1*1",
        "1*0+1*1x",
        "99999999999*1",
        "1*0\n",
        "1*1000000000000",
        "1*0,1*1",
        "1*0\t",
        "1*0+1*1+1*2+1*3+1*4+1*5+1*6+1*7+1*8",
};

START_TEST(test_bad_vq_groups) {
        VqGroups groups = { .n_runs = 5 };

        ck_assert_int_eq(vq_groups_parse(bad_vq_groups[_i], &groups), -EINVAL);
        ck_assert_uint_eq(groups.n_runs, 5);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_vq_groups);
        tcase_add_test(tcase, test_vq_groups_full);
        tcase_add_loop_test(tcase, test_bad_vq_groups, 0, ELEMENTSOF(bad_vq_groups));
        tcase_add_test(tcase, test_an_entry_each);
        tcase_add_test(tcase, test_shared);
        tcase_add_test(tcase, test_one_for_all);
        tcase_add_test(tcase, test_copy);
        tcase_add_test(tcase, test_capacity_equal);
}

int main(void) {
        return unit_main("resource", add);
}
