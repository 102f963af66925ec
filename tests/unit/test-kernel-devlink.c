/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Messages of devlink: what is sent, and what is made of what comes; and which function a port is of. */
#include "kernel/devlink.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "test-pci-tree.h"

#define ATTRIBUTES 200

static struct nl_msg *message(uint8_t command) {
        struct nl_msg *m = nlmsg_alloc();

        ck_assert_ptr_nonnull(m);
        ck_assert_ptr_nonnull(genlmsg_put(m, 1, 1, 30, 0, NLM_F_MULTI, command, 1));
        return m;
}

static void put_handle(struct nl_msg *m, const char *bus, const char *device) {
        nla_put_string(m, 1, bus);
        nla_put_string(m, 2, device);
}

/* As mlx5 on a kernel from 6.10 on says it. */
static struct nl_msg *port_reply(void) {
        struct nl_msg *m = message(7);
        struct nlattr *function, *behind;

        put_handle(m, "pci", "0000:06:00.0");
        nla_put_u32(m, 3, 32768);
        nla_put_u16(m, 77, 7);
        nla_put_u16(m, 127, 0);
        nla_put_u32(m, 164, 88);
        nla_put_u8(m, 149, 0);
        function = nla_nest_start(m, 145);
        nla_put(m, 1, 6, "\0\0\0\0\x88\x88");
        nla_put_u8(m, 2, 1);
        nla_put_u32(m, 6, 24);
        behind = nla_nest_start(m, 5);
        put_handle(m, "auxiliary", "mlx5_core.sf.4");
        nla_nest_end(m, behind);
        nla_nest_end(m, function);
        return m;
}

static void put_resource(struct nl_msg *m, const char *name, uint64_t size, unsigned depth) {
        struct nlattr *resource = nla_nest_start(m, 64), *list;

        nla_put_string(m, 65, name);
        nla_put_u64(m, 67, size);
        nla_put_u64(m, 66, 7);
        if (depth > 0) {
                list = nla_nest_start(m, 63);
                put_resource(m, name, size, depth - 1);
                nla_nest_end(m, list);
        }
        nla_nest_end(m, resource);
}

static struct nl_msg *resource_reply(void) {
        struct nl_msg *m = message(36);
        struct nlattr *list;

        put_handle(m, "pci", "0000:06:00.0");
        list = nla_nest_start(m, 63);
        put_resource(m, "max_SFs", 1500, 0);
        put_resource(m, "max_local_SFs", 1000, 0);
        put_resource(m, "deep", 1, 9);
        nla_nest_end(m, list);
        return m;
}

START_TEST(test_build) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;

        ck_assert_int_eq(devlink_build_port_dump(&m), 0);
        ck_assert_int_eq(nlmsg_hdr(m)->nlmsg_flags, NLM_F_DUMP);
        ck_assert_uint_eq(((const struct genlmsghdr *) nlmsg_data(nlmsg_hdr(m)))->cmd, 5);
        nlmsg_free(m);

        ck_assert_int_eq(devlink_build_resources("pci/0000:06:00.0", &m), 0);
        ck_assert_uint_eq(((const struct genlmsghdr *) nlmsg_data(nlmsg_hdr(m)))->cmd, 36);
        ck_assert_int_eq(genlmsg_parse(nlmsg_hdr(m), 0, attrs, ATTRIBUTES - 1, NULL), 0);
        ck_assert_str_eq(nla_get_string(attrs[1]), "pci");
        ck_assert_str_eq(nla_get_string(attrs[2]), "0000:06:00.0");
        nlmsg_free(m);
        ck_assert_int_eq(devlink_build_resources("nothing", &m), -ENOMEM);
}
END_TEST

START_TEST(test_port) {
        struct nl_msg *m = port_reply();
        DevlinkPort port;

        ck_assert_int_eq(devlink_parse_port(nlmsg_hdr(m), &port), 0);
        ck_assert_str_eq(port.switch_handle, "pci/0000:06:00.0");
        ck_assert_int_eq(port.flavour, DEVLINK_FLAVOUR_PCI_SF);
        ck_assert(!port.is_external);
        ck_assert_uint_eq(port.number, 88);
        ck_assert_str_eq(port.function_handle, "auxiliary/mlx5_core.sf.4");
        ck_assert(port.has_max_io_eqs);
        ck_assert_uint_eq(port.max_io_eqs, 24);
        nlmsg_free(m);
}
END_TEST

/* A physical port of an older kernel, and a VF of another host. */
START_TEST(test_plain_ports) {
        struct nl_msg *m = message(7);
        DevlinkPort port = { .number = 7 };

        put_handle(m, "pci", "0000:06:00.0");
        ck_assert_int_eq(devlink_parse_port(nlmsg_hdr(m), &port), 0);
        ck_assert_int_eq(port.flavour, DEVLINK_FLAVOUR_OTHER);
        ck_assert(!port.has_max_io_eqs && !port.function_handle[0] && port.number == 0);

        nla_put_u16(m, 77, 4);
        nla_put_u16(m, 128, 3);
        nla_put_u8(m, 149, 1);
        ck_assert_int_eq(devlink_parse_port(nlmsg_hdr(m), &port), 0);
        ck_assert_int_eq(port.flavour, DEVLINK_FLAVOUR_PCI_VF);
        ck_assert_uint_eq(port.number, 3);
        ck_assert(port.is_external);
        nlmsg_free(m);

        m = message(7);
        ck_assert_int_eq(devlink_parse_port(nlmsg_hdr(m), &port), -EBADMSG);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_long_handle) {
        char name[HANDLE_MAX];
        struct nl_msg *m = message(7);
        DevlinkPort port;

        memset(name, 'x', sizeof name);
        name[sizeof name - 1] = '\0';
        put_handle(m, "pci", name);
        ck_assert_int_eq(devlink_parse_port(nlmsg_hdr(m), &port), -ENAMETOOLONG);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_resource) {
        struct nl_msg *m = resource_reply();
        bool found = false;
        uint64_t size = 0;

        ck_assert_int_eq(devlink_parse_resource(nlmsg_hdr(m), "nothing", &found, &size), 0);
        ck_assert(!found);
        ck_assert_int_eq(devlink_parse_resource(nlmsg_hdr(m), "max_local_SFs", &found, &size), 0);
        ck_assert(found);
        ck_assert_uint_eq(size, 1000);
        /* The answer goes on in the next message. */
        ck_assert_int_eq(devlink_parse_resource(nlmsg_hdr(m), "max_local_SFs", &found, &size), 0);
        ck_assert_uint_eq(size, 2000);
        size = UINT64_MAX - 1;
        ck_assert_int_eq(devlink_parse_resource(nlmsg_hdr(m), "max_local_SFs", &found, &size), 0);
        ck_assert_uint_eq(size, UINT64_MAX);
        /* There is an end to the depth. */
        size = 0;
        ck_assert_int_eq(devlink_parse_resource(nlmsg_hdr(m), "deep", &found, &size), 0);
        ck_assert_uint_eq(size, 4);
        nlmsg_free(m);
}
END_TEST

static struct nl_msg *any_reply(int i) {
        return i == 0 ? port_reply() : resource_reply();
}

static void parse_any(struct nlmsghdr *m) {
        DevlinkPort port;
        bool found = false;
        uint64_t size = 0;

        if (devlink_parse_port(m, &port) >= 0)
                ck_assert_uint_lt(strlen(port.function_handle), HANDLE_MAX);
        (void) devlink_parse_resource(m, "max_local_SFs", &found, &size);
}

/* Every byte in turn is something else, and every length. What is parsed is a copy of just that length, so that
 * nothing past it is read unnoticed. */
START_TEST(test_hostile) {
        struct nl_msg *m = any_reply(_i);
        size_t length = nlmsg_hdr(m)->nlmsg_len;

        for (size_t n = NLMSG_HDRLEN; n <= length; n++) {
                struct nlmsghdr *copy = malloc(n);

                ck_assert_ptr_nonnull(copy);
                memcpy(copy, nlmsg_hdr(m), n);
                copy->nlmsg_len = (uint32_t) n;
                parse_any(copy);
                free(copy);
        }
        for (size_t at = NLMSG_HDRLEN; at < length; at++)
                for (unsigned value = 0; value < 256; value += unit_is_slow() ? 85 : 5) {
                        struct nlmsghdr *copy = malloc(length);

                        ck_assert_ptr_nonnull(copy);
                        memcpy(copy, nlmsg_hdr(m), length);
                        ((uint8_t *) copy)[at] = (uint8_t) value;
                        parse_any(copy);
                        free(copy);
                }
        nlmsg_free(m);
}
END_TEST

START_TEST(test_named_function) {
        DevlinkPort port = { .switch_handle = "pci/0000:06:00.0",
                             .flavour = DEVLINK_FLAVOUR_PCI_SF,
                             .number = 88,
                             .function_handle = "auxiliary/mlx5_core.sf.4" };
        MgmtdevInfo info = { .handle = "auxiliary/mlx5_core.sf.4", .transport = TRANSPORT_SUBFUNCTION };

        ck_assert(devlink_port_is_of(&port, unit_directory(), &info));
        strcpy(info.handle, "auxiliary/mlx5_core.sf.88");
        ck_assert(!devlink_port_is_of(&port, unit_directory(), &info));
}
END_TEST

START_TEST(test_numbered_subfunction) {
        DevlinkPort port = { .switch_handle = "pci/0000:06:00.0", .flavour = DEVLINK_FLAVOUR_PCI_SF, .number = 88 };
        MgmtdevInfo info = { .handle = "auxiliary/mlx5_core.sf.4",
                             .transport = TRANSPORT_SUBFUNCTION,
                             .pci_function = "0000:06:00.0",
                             .vf_index = -1 };

        ck_assert(!devlink_port_is_of(&port, unit_directory(), &info));
        tree_file("sys/bus/auxiliary/devices/mlx5_core.sf.4/sfnum", "88\n");
        ck_assert(devlink_port_is_of(&port, unit_directory(), &info));
        port.number = 4;
        ck_assert(!devlink_port_is_of(&port, unit_directory(), &info));
        port.number = 88;
        strcpy(info.pci_function, "0000:06:00.1");
        ck_assert(!devlink_port_is_of(&port, unit_directory(), &info));
}
END_TEST

START_TEST(test_numbered_vf) {
        DevlinkPort port = { .switch_handle = "pci/0000:06:00.0", .flavour = DEVLINK_FLAVOUR_PCI_VF, .number = 3 };
        MgmtdevInfo info = { .handle = "pci/0000:06:00.5", .pci_pf = "0000:06:00.0", .vf_index = 3 };

        ck_assert(devlink_port_is_of(&port, unit_directory(), &info));
        info.vf_index = -1;
        ck_assert(!devlink_port_is_of(&port, unit_directory(), &info));
        info.vf_index = 3;
        strcpy(info.pci_pf, "0000:07:00.0");
        ck_assert(!devlink_port_is_of(&port, unit_directory(), &info));
        port.flavour = DEVLINK_FLAVOUR_OTHER;
        ck_assert(!devlink_port_is_of(&port, unit_directory(), &info));
}
END_TEST

/* Whatever this host has, nothing is known of what is not there. */
START_TEST(test_this_host) {
        _cleanup_(devlink_freep) Devlink *d = NULL;
        MgmtdevInfo info = { .handle = "vdpasim_net", .vf_index = -1 };
        uint32_t n = 7;

        ck_assert_int_eq(devlink_new("", &d), 0);
        devlink_refresh(d);
        devlink_refresh(d);
        ck_assert(!devlink_get_max_io_eqs(d, &info, &n));
        ck_assert(!devlink_get_max_subfunctions(d, "ffff:ff:1f.7", &n));
        ck_assert_uint_eq(n, 7);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_build);
        tcase_add_test(tcase, test_port);
        tcase_add_test(tcase, test_plain_ports);
        tcase_add_test(tcase, test_long_handle);
        tcase_add_test(tcase, test_resource);
        tcase_add_loop_test(tcase, test_hostile, 0, 2);
        tcase_add_test(tcase, test_named_function);
        tcase_add_test(tcase, test_numbered_subfunction);
        tcase_add_test(tcase, test_numbered_vf);
        tcase_add_test(tcase, test_this_host);
}

int main(void) {
        return unit_main("kernel-devlink", add);
}
