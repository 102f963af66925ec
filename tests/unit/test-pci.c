/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Addresses of PCI functions, and the bus numbers that VFs use up. */
#include "inventory/pci.h"

#include <errno.h>

#include "unit.h"

static const struct {
        const char *text;
        uint32_t domain;
        uint16_t routing_id;
} addresses[] = {
        { "0000:00:00.0", 0, 0 },
        { "0000:01:00.2", 0, 0x102 },
        { "10000:fF:1f.7", 0x10000, 0xffff },
        { "ffffffff:00:02.0", UINT32_MAX, 0x10 },
};

START_TEST(test_parse) {
        PciAddress address;

        ck_assert_int_eq(pci_address_parse(addresses[_i].text, &address), 0);
        ck_assert_uint_eq(address.domain, addresses[_i].domain);
        ck_assert_uint_eq(address.routing_id, addresses[_i].routing_id);
}
END_TEST

static const char *const no_addresses[] = {
        "",
        "0000",
        "0000:01",
        "0000:01:00",
        "0000:01:00.",
        "01:00.0",
        "000:01:00.0",
        "100000000:01:00.0",
        "0000:1:00.0",
        "0000:001:00.0",
        "0000:01:20.0",
        "0000:01:00.8",
        "0000:01:00.00",
        "0000:01:00.0 ",
        " 0000:01:00.0",
        "0000:01:0g.0",
        "-000:01:00.0",
        "vdpasim_net",
};

START_TEST(test_no_address) {
        PciAddress address = { .domain = 5 };

        ck_assert_int_eq(pci_address_parse(no_addresses[_i], &address), -EINVAL);
        ck_assert_uint_eq(address.domain, 5);
}
END_TEST

static const struct {
        const char *pf;
        uint16_t offset, stride, n_vfs;
        uint32_t n_buses, n_lost;
} splits[] = {
        { "0000:01:00.0", 1, 1, 0, 1, 0 },
        { "0000:01:00.0", 1, 1, 255, 1, 0 },
        { "0000:01:00.0", 1, 1, 256, 2, 0 },
        { "0000:01:00.0", 0x80, 1, 0x100, 2, 0 },
        /* Only the second bus has VFs, beside the one with the PF. */
        { "0000:01:00.0", 0x100, 1, 256, 2, 0 },
        { "0000:01:00.0", 0x200, 1, 1, 2, 0 },
        { "0000:01:00.0", 0x100, 0x100, 4, 5, 0 },
        /* The last bus is full. */
        { "0000:ff:00.0", 1, 1, 255, 1, 0 },
        { "0000:ff:00.0", 1, 1, 300, 1, 45 },
        { "0000:00:00.0", 1, 1, 65535, 256, 0 },
        { "0000:01:00.0", 1, 1, 65535, 255, 256 },
        { "0000:ff:1f.7", 0xffff, 0xffff, 0xffff, 1, 0xffff },
        { "0000:01:00.0", 0, 0, 100, 1, 0 },
};

START_TEST(test_count_buses) {
        PciAddress pf;
        PciBuses buses;

        ck_assert_int_eq(pci_address_parse(splits[_i].pf, &pf), 0);
        buses = pci_count_buses(&pf, splits[_i].offset, splits[_i].stride, splits[_i].n_vfs);
        ck_assert_uint_eq(buses.n_buses, splits[_i].n_buses);
        ck_assert_uint_eq(buses.n_lost, splits[_i].n_lost);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_loop_test(tcase, test_parse, 0, ELEMENTSOF(addresses));
        tcase_add_loop_test(tcase, test_no_address, 0, ELEMENTSOF(no_addresses));
        tcase_add_loop_test(tcase, test_count_buses, 0, ELEMENTSOF(splits));
}

int main(void) {
        return unit_main("pci", add_tests);
}
