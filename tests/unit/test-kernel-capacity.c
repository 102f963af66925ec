/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What management devices have how much of, where it comes from, and which functions they are. */
#include "kernel/capacity.h"

#include "test-pci-tree.h"

static MgmtdevInfo describe(const char *handle, uint32_t max_vqs) {
        _cleanup_(devlink_freep) Devlink *devlink = NULL;
        MgmtdevInfo info = { .max_vqs = max_vqs };

        (void) snprintf(info.handle, sizeof info.handle, "%s", handle);
        ck_assert_int_eq(devlink_new(unit_directory(), &devlink), 0);
        capacity_describe(unit_directory(), devlink, &info);
        return info;
}

static void set_driver(const char *address, const char *driver) {
        char target[256];

        (void) snprintf(target, sizeof target, "drivers/%s", driver);
        tree_pci_link(address, "driver", target);
}

static void check(const MgmtdevInfo *info, Resource resource, uint32_t total, ResourceSource source,
                  ResourceEnforcer enforcer) {
        const Capacity *c = &info->capacity[resource];

        ck_assert_int_eq(c->is_known, total > 0);
        ck_assert_uint_eq(c->total, total);
        ck_assert_int_eq(c->source, source);
        ck_assert_int_eq(c->enforcer, enforcer);
        ck_assert_uint_eq(c->n_reserved, 0);
        ck_assert_str_eq(c->reserved_ids, resource == RESOURCE_ASIDS && source == SOURCE_PCI ? "0" : "");
}

static void check_unknown(const MgmtdevInfo *info, Resource resource) {
        bool is_the_drivers = resource == RESOURCE_DEVICES || resource == RESOURCE_VQS;

        check(info, resource, 0, SOURCE_DRIVER, is_the_drivers ? ENFORCER_KERNEL : ENFORCER_LEDGER);
}

START_TEST(test_simulator) {
        MgmtdevInfo info = describe("vdpasim_net", 3);

        for (Resource r = 0; r < _RESOURCE_MAX; r++)
                check_unknown(&info, r);
        ck_assert_int_eq(info.asid_kind, ASID_DEVICE_MMU);
        ck_assert_int_eq(info.transport, TRANSPORT_OTHER);
        ck_assert_int_eq(info.vf_index, -1);
        ck_assert_str_eq(info.pci_function, "");
        ck_assert_str_eq(info.pci_pf, "");
}
END_TEST

START_TEST(test_function) {
        Space s = good_space();
        MgmtdevInfo info;

        tree_pci_function("0000:01:00.0");
        tree_pci_config("0000:01:00.0", &s);
        set_driver("0000:01:00.0", "vp-vdpa");
        info = describe("pci/0000:01:00.0", 9);

        check(&info, RESOURCE_DEVICES, 1, SOURCE_DRIVER, ENFORCER_KERNEL);
        check(&info, RESOURCE_VQS, 9, SOURCE_DRIVER, ENFORCER_KERNEL);
        check(&info, RESOURCE_ASIDS, 1048576, SOURCE_PCI, ENFORCER_LEDGER);
        check(&info, RESOURCE_MSIS, 2048, SOURCE_PCI, ENFORCER_LEDGER);
        ck_assert_int_eq(info.asid_kind, ASID_PASID);
        ck_assert_str_eq(info.pci_function, "0000:01:00.0");
        ck_assert_str_eq(info.pci_pf, "");
        ck_assert_int_eq(info.vf_index, -1);
}
END_TEST

/* Of a driver that takes any number of devices nobody knows how many virtqueues there are in all. */
START_TEST(test_plain_function) {
        Space s = good_space();
        MgmtdevInfo info;

        put_u16(&s, 0xb2, 9);
        put_u16(&s, 0x14c, 0);
        tree_pci_function("0000:01:00.0");
        tree_pci_config("0000:01:00.0", &s);
        set_driver("0000:01:00.0", "something");
        info = describe("pci/0000:01:00.0", 9);

        check_unknown(&info, RESOURCE_DEVICES);
        check_unknown(&info, RESOURCE_VQS);
        check_unknown(&info, RESOURCE_ASIDS);
        check(&info, RESOURCE_MSIS, 10, SOURCE_PCI, ENFORCER_LEDGER);
        ck_assert_int_eq(info.asid_kind, ASID_DEVICE_MMU);
}
END_TEST

START_TEST(test_vf) {
        Space pf = good_space(), vf = space_with_list(0x40);
        MgmtdevInfo info;

        put_capability(&vf, 0x40, 0x11, 0);
        put_u16(&vf, 0x42, 31);
        put_u16(&pf, 0x14c, 16 << 8);
        tree_pci_pf("0000:01:00.0", "8\n", "8\n", "16\n", "1\n");
        tree_pci_config("0000:01:00.0", &pf);
        tree_pci_vf("0000:01:02.3", "0000:01:00.0", 3);
        tree_pci_config("0000:01:02.3", &vf);
        tree_pci_file("0000:01:02.3", "numa_node", "1\n");
        set_driver("0000:01:02.3", "mlx5_core");
        info = describe("pci/0000:01:02.3", 33);

        ck_assert_int_eq(info.transport, TRANSPORT_PCI_VF);
        ck_assert_int_eq(info.numa_node, 1);
        ck_assert_str_eq(info.pci_function, "0000:01:02.3");
        ck_assert_str_eq(info.pci_pf, "0000:01:00.0");
        ck_assert_int_eq(info.vf_index, 3);
        check(&info, RESOURCE_DEVICES, 1, SOURCE_DRIVER, ENFORCER_KERNEL);
        check(&info, RESOURCE_VQS, 33, SOURCE_DRIVER, ENFORCER_KERNEL);
        check(&info, RESOURCE_ASIDS, 65536, SOURCE_PCI, ENFORCER_LEDGER);
        check(&info, RESOURCE_MSIS, 32, SOURCE_PCI, ENFORCER_LEDGER);
        ck_assert_int_eq(info.asid_kind, ASID_PASID);
}
END_TEST

/* All subfunctions of a function do their DMA as that function, and share its MSI-X table. */
START_TEST(test_subfunction) {
        Space s = good_space();
        MgmtdevInfo info;

        tree_pci_function("0000:01:00.0");
        tree_pci_config("0000:01:00.0", &s);
        tree_directory("sys/devices/pci0/0000:01:00.0/mlx5_core.sf.4");
        tree_link("sys/devices/pci0/0000:01:00.0/mlx5_core.sf.4/driver",
                  "../../bus/auxiliary/drivers/mlx5_core.sf");
        tree_link("sys/bus/auxiliary/devices/mlx5_core.sf.4", "../../../devices/pci0/0000:01:00.0/mlx5_core.sf.4");
        info = describe("auxiliary/mlx5_core.sf.4", 33);

        ck_assert_int_eq(info.transport, TRANSPORT_SUBFUNCTION);
        ck_assert_str_eq(info.pci_function, "0000:01:00.0");
        ck_assert_int_eq(info.asid_kind, ASID_PASID);
        check(&info, RESOURCE_ASIDS, 1048576, SOURCE_PCI, ENFORCER_LEDGER);
        check_unknown(&info, RESOURCE_MSIS);
        check(&info, RESOURCE_VQS, 33, SOURCE_DRIVER, ENFORCER_KERNEL);
}
END_TEST

START_TEST(test_nonsense) {
        MgmtdevInfo info;

        tree_pci_function("0000:01:00.0");
        set_driver("0000:01:00.0", "vp-vdpa");
        tree_pci_link("0000:01:00.0", "physfn", "0000:01:00.0");
        tree_pci_file("0000:01:00.0", "config", "short");
        info = describe("pci/0000:01:00.0", UINT32_MAX);
        check_unknown(&info, RESOURCE_ASIDS);
        check_unknown(&info, RESOURCE_MSIS);
        check(&info, RESOURCE_VQS, UINT32_MAX, SOURCE_DRIVER, ENFORCER_KERNEL);
        ck_assert_int_eq(info.vf_index, -1);

        info = describe("pci/../x", 1);
        check_unknown(&info, RESOURCE_DEVICES);
        ck_assert_str_eq(info.pci_function, "");
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, test_simulator);
        tcase_add_test(tcase, test_function);
        tcase_add_test(tcase, test_plain_function);
        tcase_add_test(tcase, test_vf);
        tcase_add_test(tcase, test_subfunction);
        tcase_add_test(tcase, test_nonsense);
}

int main(void) {
        return unit_main("kernel-capacity", add_tests);
}
