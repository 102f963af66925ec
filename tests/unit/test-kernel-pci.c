/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What sysfs and the configuration space say of PCI functions, on trees made for it: honest ones, and those of
 * hardware that is broken, gone, or made up. */
#include "kernel/pci.h"

#include <errno.h>

#include "test-pci-tree.h"

static PciConfig read_space(const Space *s) {
        tree_pci_config("0000:01:00.0", s);
        return pci_read_config(unit_directory(), "0000:01:00.0");
}

static void check_config(const Space *s, uint32_t msix_size, int pasid_width) {
        PciConfig config = read_space(s);

        ck_assert_uint_eq(config.msix_size, msix_size);
        ck_assert_int_eq(config.has_pasid, pasid_width >= 0);
        ck_assert_uint_eq(config.pasid_width, pasid_width >= 0 ? (unsigned) pasid_width : 0);
}

START_TEST(test_config) {
        Space s = good_space();

        check_config(&s, 2048, 20);
        put_u16(&s, 0xb2, 0);
        put_u16(&s, 0x14c, 0);
        check_config(&s, 1, 0);
        /* Reserved bits do not count. */
        put_u16(&s, 0xb2, 0x3809);
        put_u16(&s, 0x14c, 0xe000 | 5 << 8);
        check_config(&s, 10, 5);
        /* Nor do those of a pointer. */
        s.bytes[0x34] = 0x43;
        s.bytes[0x51] = 0xb1;
        check_config(&s, 10, 5);
        s.bytes[0x34] = 0xb0;
        check_config(&s, 10, 5);
}
END_TEST

START_TEST(test_no_capabilities) {
        Space s = good_space();

        put_u16(&s, 6, 0);
        check_config(&s, 0, 20);
        s = good_space();
        s.bytes[0x34] = 0;
        check_config(&s, 0, 20);
        s = good_space();
        put_u32(&s, 0x100, 0);
        check_config(&s, 2048, -1);
        s = good_space();
        s.bytes[0xb0] = 0x12;
        put_extended(&s, 0x148, 0x001c, 0);
        check_config(&s, 0, -1);
        ck_assert_uint_eq(pci_read_config(unit_directory(), "0000:02:00.0").msix_size, 0);
}
END_TEST

/* 4096 bytes are shown, or 256 of a conventional function, or 64 to the unprivileged; or it ends anywhere. */
START_TEST(test_truncated) {
        Space s = good_space();

        for (s.size = 0; s.size <= 0x160; s.size++)
                check_config(&s, s.size >= 0xb4 ? 2048 : 0, s.size >= 0x14e ? 20 : -1);
}
END_TEST

START_TEST(test_loops) {
        Space s = good_space();

        s.bytes[0xb0] = 0x12;
        s.bytes[0xb1] = 0xb0;
        put_extended(&s, 0x148, 0x0001, 0x100);
        check_config(&s, 0, -1);
        s.bytes[0xb1] = 0x40;
        put_extended(&s, 0x148, 0x0001, 0x148);
        check_config(&s, 0, -1);
        /* Into the header, and to where extended ones cannot be. */
        s.bytes[0x34] = 0x3c;
        put_extended(&s, 0x100, 0x0001, 0x0b0);
        check_config(&s, 0, -1);
        /* Every pointer the same. */
        memset(s.bytes, 0x54, sizeof s.bytes);
        check_config(&s, 0, -1);
}
END_TEST

START_TEST(test_gone) {
        Space s = { .size = SPACE_SIZE };

        check_config(&s, 0, -1);
        memset(s.bytes, 0xff, sizeof s.bytes);
        check_config(&s, 0, -1);
        /* It goes while it is read. */
        s = good_space();
        memset(s.bytes + 0x60, 0xff, sizeof s.bytes - 0x60);
        check_config(&s, 0, -1);
}
END_TEST

START_TEST(test_impossible_pasid_width) {
        Space s = good_space();

        for (unsigned width = 0; width < 32; width++) {
                put_u16(&s, 0x14c, (uint16_t) (width << 8));
                check_config(&s, 2048, width <= 20 ? (int) width : -1);
        }
}
END_TEST

START_TEST(test_garbage) {
        Space s = { .size = SPACE_SIZE };

        for (unsigned round = 0; round < (unit_is_slow() ? 50 : 2000); round++) {
                PciConfig config;

                for (size_t i = 0; i < s.size; i++)
                        s.bytes[i] = (uint8_t) unit_random(256);
                put_u16(&s, 6, 0x10);
                config = read_space(&s);
                ck_assert_uint_le(config.msix_size, 2048);
                ck_assert_uint_le(config.pasid_width, 20);
        }
}
END_TEST

static void check_function(const char *directory, const char *address) {
        char path[512], found[PCI_ADDRESS_MAX] = "";

        ck_assert_int_eq(pci_find_function(tree_path(path, "%s", directory), found), address ? 0 : -ENODEV);
        ck_assert_str_eq(found, address ? address : "");
}

START_TEST(test_find_function) {
        tree_pci_function("0000:01:00.0");
        tree_link("sys/bus/auxiliary/devices/mlx5_core.sf.4",
                  "../../../devices/pci0/0000:01:00.0/0000:01:00.2/mlx5_core.sf.4");
        tree_directory("sys/devices/pci0/0000:01:00.0/0000:01:00.2/mlx5_core.sf.4");
        tree_link("sys/bus/auxiliary/devices/x.y.0", "../../../devices/platform/x.y.0");
        tree_directory("sys/devices/platform/x.y.0");

        check_function(PCI "/0000:01:00.0", "0000:01:00.0");
        check_function("sys/bus/auxiliary/devices/mlx5_core.sf.4", "0000:01:00.2");
        check_function("sys/bus/auxiliary/devices/x.y.0", NULL);
        check_function("sys/bus/auxiliary/devices/nothing", NULL);
}
END_TEST

static void check_vf(const char *address, const char *pf, int index) {
        char found[PCI_ADDRESS_MAX] = "";
        int found_index = -7;

        ck_assert_int_eq(pci_find_pf(unit_directory(), address, found, &found_index), pf ? 0 : -ENODEV);
        ck_assert_str_eq(found, pf ? pf : "");
        ck_assert_int_eq(found_index, pf ? index : -7);
}

START_TEST(test_find_pf) {
        tree_pci_pf("0000:01:00.0", "8\n", "3\n", "128\n", "2\n");
        tree_pci_vf("0000:01:10.0", "0000:01:00.0", 0);
        tree_pci_vf("0000:01:10.2", "0000:01:00.0", 1);
        tree_pci_vf("0000:01:10.4", "0000:01:00.0", 2);

        check_vf("0000:01:00.0", NULL, 0);
        check_vf("0000:02:00.0", NULL, 0);
        check_vf("0000:01:10.0", "0000:01:00.0", 0);
        check_vf("0000:01:10.2", "0000:01:00.0", 1);
        check_vf("0000:01:10.4", "0000:01:00.0", 2);
}
END_TEST

/* Files that do not fit together: no index is better than a wrong one. */
START_TEST(test_find_pf_without_index) {
        tree_pci_pf("0000:01:00.0", "8\n", "3\n", "128\n", "2\n");
        tree_pci_vf("0000:01:10.4", "0000:01:00.0", 1);
        tree_pci_vf("0000:00:01.0", "0000:01:00.0", 0);
        check_vf("0000:01:10.4", "0000:01:00.0", -1);
        check_vf("0000:00:01.0", "0000:01:00.0", -1);

        /* One VF has no stride. */
        tree_pci_pf("0000:02:00.0", "1\n", "1\n", "1\n", "0\n");
        tree_pci_vf("0000:02:00.1", "0000:02:00.0", 0);
        check_vf("0000:02:00.1", "0000:02:00.0", 0);

        tree_pci_pf("0000:03:00.0", "1\n", "1\n", "x\n", "1\n");
        tree_pci_vf("0000:03:00.1", "0000:03:00.0", 0);
        check_vf("0000:03:00.1", "0000:03:00.0", -1);

        tree_pci_function("0000:04:00.1");
        tree_pci_link("0000:04:00.1", "physfn", "not-an-address");
        check_vf("0000:04:00.1", NULL, 0);
}
END_TEST

static BackendSriov *list(size_t n) {
        BackendSriov *functions = NULL;
        size_t found = 99;

        ck_assert_int_eq(pci_list_sriov(unit_directory(), &functions, &found), 0);
        ck_assert_uint_eq(found, n);
        return functions;
}

START_TEST(test_list_sriov) {
        _cleanup_free_ BackendSriov *functions = NULL;
        Space s = good_space();

        tree_pci_pf("0000:e0:00.0", "65535\n", "0\n", "1\n", "1\n");
        tree_pci_pf("0000:01:00.0", "300\n", "16\n", "128\n", "1\n");
        tree_pci_file("0000:01:00.0", "sriov_vf_device", "101e\n");
        tree_pci_file("0000:01:00.0", "sriov_vf_total_msix", "1000\n");
        tree_pci_config("0000:01:00.0", &s);
        tree_pci_pf("0000:02:00.0", "0\n", "0\n", "0\n", "0\n");
        tree_pci_function("0000:03:00.0");

        functions = list(2);
        ck_assert_str_eq(functions[0].pf, "0000:01:00.0");
        ck_assert_uint_eq(functions[0].total_vfs, 300);
        ck_assert_uint_eq(functions[0].num_vfs, 16);
        ck_assert_uint_eq(functions[0].vf_device_id, 0x101e);
        ck_assert_uint_eq(functions[0].msix_size, 2048);
        ck_assert(functions[0].has_vf_total_msix);
        ck_assert_uint_eq(functions[0].vf_total_msix, 1000);
        ck_assert(functions[0].has_buses);
        ck_assert_uint_eq(functions[0].n_buses, 1);
        ck_assert_uint_eq(functions[0].max_buses, 2);
        ck_assert_uint_eq(functions[0].n_lost_vfs, 0);

        ck_assert_str_eq(functions[1].pf, "0000:e0:00.0");
        ck_assert_uint_eq(functions[1].msix_size, 0);
        ck_assert_uint_eq(functions[1].vf_device_id, 0);
        ck_assert(!functions[1].has_vf_total_msix);
        ck_assert_uint_eq(functions[1].n_buses, 1);
        ck_assert_uint_eq(functions[1].max_buses, 32);
        ck_assert_uint_eq(functions[1].n_lost_vfs, 65535 - 32 * 256 + 1);
}
END_TEST

START_TEST(test_list_sriov_of_nonsense) {
        _cleanup_free_ BackendSriov *functions = NULL, *none = NULL;

        none = list(0);
        tree_directory(PCI "/lost+found");
        tree_pci_pf("0000:01:00.0", "99999999999999999999\n", "1\n", "1\n", "1\n");
        tree_pci_pf("0000:02:00.0", "-1\n", "1\n", "1\n", "1\n");
        tree_pci_pf("0000:03:00.0", "65536\n", "1\n", "1\n", "1\n");
        tree_pci_pf("0000:04:00.0", "eight\n", "1\n", "1\n", "1\n");
        tree_pci_pf("0000:05:00.0", "8\n", "-3\n", "65536\n", "1\n");
        tree_pci_file("0000:05:00.0", "sriov_vf_device", "101e0\n");
        tree_pci_file("0000:05:00.0", "sriov_vf_total_msix", "0\n");

        functions = list(1);
        ck_assert_str_eq(functions[0].pf, "0000:05:00.0");
        ck_assert_uint_eq(functions[0].num_vfs, 0);
        ck_assert_uint_eq(functions[0].vf_device_id, 0);
        ck_assert(!functions[0].has_buses && !functions[0].has_vf_total_msix);
}
END_TEST

START_TEST(test_list_many) {
        _cleanup_free_ BackendSriov *functions = NULL;
        char address[PCI_ADDRESS_MAX];

        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(address, sizeof address, "0000:%02x:00.0", (i * 37) % 100);
                tree_pci_pf(address, "1\n", "0\n", "1\n", "1\n");
        }
        functions = list(100);
        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(address, sizeof address, "0000:%02x:00.0", i);
                ck_assert_str_eq(functions[i].pf, address);
        }
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, test_config);
        tcase_add_test(tcase, test_no_capabilities);
        tcase_add_test(tcase, test_truncated);
        tcase_add_test(tcase, test_loops);
        tcase_add_test(tcase, test_gone);
        tcase_add_test(tcase, test_impossible_pasid_width);
        tcase_add_test(tcase, test_garbage);
        tcase_add_test(tcase, test_find_function);
        tcase_add_test(tcase, test_find_pf);
        tcase_add_test(tcase, test_find_pf_without_index);
        tcase_add_test(tcase, test_list_sriov);
        tcase_add_test(tcase, test_list_sriov_of_nonsense);
        tcase_add_test(tcase, test_list_many);
}

int main(void) {
        return unit_main("kernel-pci", add_tests);
}
