/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The MSI-X entries that VFs are given, while they have no driver, and only then. */
#include "kernel/msix.h"

#include "test-pci-tree.h"

#define PF "0000:01:00.0"
#define VF "0000:01:00.1"

static ConfiguredMgmtdev want(const char *handle, uint32_t total) {
        ConfiguredMgmtdev c = { .settings.budgets[RESOURCE_MSIS] = { .has_total = true, .total = total } };

        (void) snprintf(c.handle, sizeof c.handle, "%s", handle);
        return c;
}

static Msix *wishes(const char *handle, uint32_t total) {
        ConfiguredMgmtdev configured[] = {
                want("vdpasim_net", 1), want(handle, total), want("pci/nonsense", 7), {}
        };
        Msix *m = NULL;

        ck_assert_int_eq(msix_new(unit_directory(), configured, ELEMENTSOF(configured), &m), 0);
        return m;
}

/* A VF with a table of so many entries. */
static void add_vf(const char *vf_total, uint16_t size) {
        Space s = space_with_list(0x40);

        put_capability(&s, 0x40, 0x11, 0);
        put_u16(&s, 0x42, (uint16_t) (size - 1));
        tree_pci_pf(PF, "4\n", "1\n", "1\n", "1\n");
        tree_pci_file(PF, "sriov_vf_total_msix", vf_total);
        tree_pci_vf(VF, PF, 0);
        tree_pci_config(VF, &s);
        tree_pci_file(VF, "sriov_vf_msix_count", "untouched");
}

static void check_written(const char *text) {
        tree_check_file(PCI "/" VF "/sriov_vf_msix_count", text);
}

static bool is_in_force(const Msix *m, uint32_t total, ResourceSource source) {
        MgmtdevInfo info = { .handle = "pci/" VF, .pci_pf = PF };

        info.capacity[RESOURCE_MSIS] = (Capacity){ .is_known = true, .total = total, .source = source };
        return msix_is_in_force(m, &info);
}

START_TEST(test_apply) {
        _cleanup_(msix_freep) Msix *m = wishes("pci/" VF, 32);

        msix_apply(m);
        add_vf("1000\n", 12);
        msix_apply(m);
        /* The file is the test's, and keeps what is longer. */
        check_written("32touched");
        ck_assert(!is_in_force(m, 12, SOURCE_PCI));
        ck_assert(is_in_force(m, 32, SOURCE_PCI));
        ck_assert(!is_in_force(m, 32, SOURCE_DEVLINK));
}
END_TEST

START_TEST(test_leave_alone) {
        _cleanup_(msix_freep) Msix *m = wishes("pci/" VF, 32), *other = wishes("pci/0000:01:00.2", 32),
                                   *none = wishes("pci/" VF, 0);

        add_vf("1000\n", 12);
        msix_apply(other);
        msix_apply(none);
        check_written("untouched");
        tree_pci_link(VF, "driver", "drivers/mlx5_core");
        msix_apply(m);
        check_written("untouched");
        ck_assert(!is_in_force(other, 32, SOURCE_PCI));
}
END_TEST

START_TEST(test_has_it_already) {
        _cleanup_(msix_freep) Msix *m = wishes("pci/" VF, 32);

        add_vf("1000\n", 32);
        msix_apply(m);
        check_written("untouched");
        ck_assert(is_in_force(m, 32, SOURCE_PCI));
}
END_TEST

/* Nothing can be set, and so it is no more than what we account for. */
START_TEST(test_pf_that_deals_out_nothing) {
        _cleanup_(msix_freep) Msix *m = wishes("pci/" VF, 32);

        add_vf("0\n", 12);
        msix_apply(m);
        check_written("untouched");
        ck_assert(!is_in_force(m, 32, SOURCE_PCI));
}
END_TEST

/* It is not read, so what was written is what there is: until it is another VF. */
START_TEST(test_unreadable) {
        _cleanup_(msix_freep) Msix *m = wishes("pci/" VF, 32);
        char from[512], to[512];

        add_vf("1000\n", 12);
        tree_pci_config(VF, &(Space){ .size = 64 });
        msix_apply(m);
        check_written("32touched");
        tree_pci_file(VF, "sriov_vf_msix_count", "untouched");
        msix_apply(m);
        check_written("untouched");

        ck_assert_int_eq(rename(tree_path(from, "sys/devices/pci0/" VF), tree_path(to, "sys/devices/old")), 0);
        tree_pci_file(VF, "sriov_vf_msix_count", "untouched");
        tree_pci_link(VF, "physfn", PF);
        tree_pci_config(VF, &(Space){ .size = 64 });
        msix_apply(m);
        check_written("32touched");
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_apply);
        tcase_add_test(tcase, test_leave_alone);
        tcase_add_test(tcase, test_has_it_already);
        tcase_add_test(tcase, test_unreadable);
        tcase_add_test(tcase, test_pf_that_deals_out_nothing);
}

int main(void) {
        return unit_main("kernel-msix", add);
}
