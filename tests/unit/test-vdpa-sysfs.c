/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What sysfs says of vDPA: the bus, its devices, their endpoints, and the devices behind management devices. */
#include "kernel/vdpa-sysfs.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "kernel/endpoint.h"
#include "kernel/openers.h"
#include "kernel/users.h"
#include "test-kernel.h"
#include "util/clock.h"

START_TEST(test_bus) {
        const char *root = unit_directory();

        ck_assert(!vdpa_sysfs_has_bus(root));
        ck_assert(!vdpa_sysfs_has_driver(root, BUS_DRIVER_VHOST_VDPA));
        ck_assert(!vdpa_sysfs_get_autoprobe(root));

        tree_bus();
        ck_assert(vdpa_sysfs_has_bus(root));
        ck_assert(vdpa_sysfs_has_driver(root, BUS_DRIVER_VHOST_VDPA));
        ck_assert(vdpa_sysfs_has_driver(root, BUS_DRIVER_VIRTIO_VDPA));
        ck_assert(!vdpa_sysfs_has_driver(root, BUS_DRIVER_NONE));
        ck_assert(vdpa_sysfs_get_autoprobe(root));

        tree_file(VDPA "/drivers_autoprobe", "0\n");
        ck_assert(!vdpa_sysfs_get_autoprobe(root));
}
END_TEST

START_TEST(test_device) {
        const char *root = unit_directory();
        BusDriver driver = BUS_DRIVER_OTHER;

        tree_bus();
        ck_assert_int_eq(vdpa_sysfs_has_device(root, "a"), 0);
        ck_assert_int_eq(vdpa_sysfs_get_driver(root, "a", &driver), -ENODEV);
        ck_assert_int_eq(driver, BUS_DRIVER_OTHER);

        tree_device("a");
        ck_assert_int_eq(vdpa_sysfs_has_device(root, "a"), 1);
        ck_assert_int_eq(vdpa_sysfs_get_driver(root, "a", &driver), 0);
        ck_assert_int_eq(driver, BUS_DRIVER_NONE);
}
END_TEST

/* Without the file system nothing is certain; without the module there certainly is no device. */
START_TEST(test_no_sysfs) {
        const char *root = unit_directory();

        ck_assert_int_eq(vdpa_sysfs_has_device(root, "a"), -ENOENT);
        tree_directory("sys/bus");
        ck_assert_int_eq(vdpa_sysfs_has_device(root, "a"), 0);
}
END_TEST

static const struct {
        const char *name;
        BusDriver driver;
} drivers[] = {
        { "vhost_vdpa", BUS_DRIVER_VHOST_VDPA },
        { "virtio_vdpa", BUS_DRIVER_VIRTIO_VDPA },
        { "vhost-vdpa", BUS_DRIVER_OTHER },
};

START_TEST(test_driver) {
        BusDriver driver;

        tree_bus();
        tree_device("a");
        tree_driver("a", drivers[_i].name);
        ck_assert_int_eq(vdpa_sysfs_get_driver(unit_directory(), "a", &driver), 0);
        ck_assert_int_eq(driver, drivers[_i].driver);
}
END_TEST

START_TEST(test_values) {
        char text[SYSFS_VALUE_MAX] = "old", path[512], longer[2 * SYSFS_VALUE_MAX];
        long number = 5;

        tree_file("number", "-12\n");
        ck_assert_int_eq(sysfs_read_number(tree_path(path, "number"), &number), 0);
        ck_assert_int_eq(number, -12);
        tree_file("number", "0x0002\n");
        ck_assert_int_eq(sysfs_read_number(tree_path(path, "number"), &number), 0);
        ck_assert_int_eq(number, 2);
        tree_file("number", "12 13\n");
        ck_assert_int_eq(sysfs_read_number(tree_path(path, "number"), &number), -EINVAL);
        tree_file("number", "\n");
        ck_assert_int_eq(sysfs_read_number(tree_path(path, "number"), &number), -EINVAL);
        ck_assert_int_eq(number, 2);

        memset(longer, 'x', sizeof longer);
        longer[sizeof longer - 1] = '\0';
        tree_file("text", longer);
        ck_assert_int_eq(sysfs_read(tree_path(path, "text"), text), -EMSGSIZE);
        ck_assert_str_eq(text, "old");
        longer[SYSFS_VALUE_MAX - 1] = '\0';
        tree_file("text", longer);
        ck_assert_int_eq(sysfs_read(tree_path(path, "text"), text), 0);
        ck_assert_str_eq(text, longer);
        ck_assert_int_eq(sysfs_read(tree_path(path, "nothing"), text), -ENOENT);
        ck_assert_int_eq(sysfs_write(tree_path(path, "nothing"), "x"), -ENOENT);
}
END_TEST

START_TEST(test_find) {
        char path[512], first[SYSFS_VALUE_MAX] = "";
        unsigned n = 9;

        tree_directory("d/vhost-vdpa-12");
        tree_directory("d/vhost-vdpa-");
        tree_directory("d/vhost-vdpa-1x");
        tree_directory("d/driver");
        ck_assert_int_eq(sysfs_find(tree_path(path, "d"), "vhost-vdpa-", first, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(first, "vhost-vdpa-12");
        ck_assert_int_eq(sysfs_find(path, "virtio", first, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(sysfs_find(path, "", NULL, &n), 0);
        ck_assert_uint_eq(n, 4);
        ck_assert_int_eq(sysfs_find(tree_path(path, "e"), "", NULL, &n), -ENOENT);
}
END_TEST

static MgmtdevInfo describe(const char *handle) {
        MgmtdevInfo info = { .transport = TRANSPORT_SUBFUNCTION, .numa_node = 7 };

        (void) snprintf(info.handle, sizeof info.handle, "%s", handle);
        vdpa_sysfs_describe_mgmtdev(unit_directory(), &info);
        return info;
}

static uint32_t limit_of(const char *handle) {
        return vdpa_sysfs_get_device_limit(unit_directory(), handle);
}

START_TEST(test_mgmtdev_without_bus) {
        MgmtdevInfo info = describe("vdpasim_net");
        uint32_t n = 9;

        ck_assert_int_eq(info.transport, TRANSPORT_OTHER);
        ck_assert_int_eq(info.numa_node, -1);
        ck_assert_uint_eq(limit_of("vdpasim_net"), 0);
        ck_assert_int_eq(vdpa_sysfs_count_devices(unit_directory(), "vdpasim_net", &n), 0);
        ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_mgmtdev_pci) {
        MgmtdevInfo info;

        tree_file("sys/bus/pci/devices/0000:01:00.0/numa_node", "1\n");
        tree_link("sys/bus/pci/devices/0000:01:00.0/driver", "../../../../bus/pci/drivers/vp-vdpa");
        tree_file("sys/bus/pci/devices/0000:01:00.1/numa_node", "-1\n");
        tree_link("sys/bus/pci/devices/0000:01:00.1/driver", "../../../../bus/pci/drivers/something");
        tree_link("sys/bus/pci/devices/0000:01:00.1/physfn", "../0000:01:00.0");

        info = describe("pci/0000:01:00.0");
        ck_assert_int_eq(info.transport, TRANSPORT_PCI_PF);
        ck_assert_int_eq(info.numa_node, 1);
        ck_assert_uint_eq(limit_of("pci/0000:01:00.0"), 1);
        info = describe("pci/0000:01:00.1");
        ck_assert_int_eq(info.transport, TRANSPORT_PCI_VF);
        ck_assert_int_eq(info.numa_node, -1);
        ck_assert_uint_eq(limit_of("pci/0000:01:00.1"), 0);
}
END_TEST

/* An auxiliary device has no NUMA node of its own, and a link leads to it: what is above it is above its real
 * place. */
START_TEST(test_mgmtdev_auxiliary) {
        MgmtdevInfo info;

        tree_file("sys/devices/pci0/0000:01:00.0/numa_node", "2\n");
        tree_file("sys/devices/pci0/0000:01:00.0/vendor", "0x15b3\n");
        tree_link("sys/devices/pci0/0000:01:00.0/mlx5_core.sf.4/driver",
                  "../../bus/auxiliary/drivers/mlx5_core.sf");
        tree_link("sys/bus/auxiliary/devices/mlx5_core.sf.4", "../../../devices/pci0/0000:01:00.0/mlx5_core.sf.4");
        tree_link("sys/devices/pci0/0000:01:00.2/physfn", "../0000:01:00.0");
        tree_directory("sys/devices/pci0/0000:01:00.2/pds_core.vDPA.1");
        tree_link("sys/bus/auxiliary/devices/pds_core.vDPA.1",
                  "../../../devices/pci0/0000:01:00.2/pds_core.vDPA.1");
        tree_directory("sys/devices/pci0/0000:01:00.0/other.vdpa.1");
        tree_link("sys/bus/auxiliary/devices/other.vdpa.1", "../../../devices/pci0/0000:01:00.0/other.vdpa.1");

        info = describe("auxiliary/mlx5_core.sf.4");
        ck_assert_int_eq(info.transport, TRANSPORT_SUBFUNCTION);
        ck_assert_int_eq(info.numa_node, 2);
        ck_assert_uint_eq(limit_of("auxiliary/mlx5_core.sf.4"), 1);
        ck_assert_int_eq(describe("auxiliary/pds_core.vDPA.1").transport, TRANSPORT_PCI_VF);
        ck_assert_int_eq(describe("auxiliary/other.vdpa.1").transport, TRANSPORT_PCI_PF);
        ck_assert_int_eq(describe("auxiliary/nothing").transport, TRANSPORT_OTHER);
}
END_TEST

/* A handle never leads out of the directory of its bus. */
START_TEST(test_mgmtdev_escape) {
        static const char *const handles[] = { "../x", "pci/..", "pci/.", "pci/a/b", "pci/" };
        uint32_t n;

        tree_file("sys/bus/pci/numa_node", "1\n");
        for (size_t i = 0; i < ELEMENTSOF(handles); i++) {
                ck_assert_int_eq(describe(handles[i]).numa_node, -1);
                ck_assert_int_eq(vdpa_sysfs_count_devices(unit_directory(), handles[i], &n), -EINVAL);
        }
}
END_TEST

START_TEST(test_count_devices) {
        uint32_t n;

        tree_bus();
        tree_link("sys/bus/pci/devices/0000:01:00.0", "../../../devices/pci0/0000:01:00.0");
        ck_assert_int_eq(vdpa_sysfs_count_devices(unit_directory(), "pci/0000:01:00.0", &n), -ENOENT);

        tree_pci_device("0000:01:00.0", "a");
        tree_pci_device("0000:01:00.0", "b");
        tree_directory("sys/devices/pci0/0000:01:00.0/power");
        tree_link("sys/devices/pci0/0000:01:00.0/subsystem", "../../../bus/pci");
        ck_assert_int_eq(vdpa_sysfs_count_devices(unit_directory(), "pci/0000:01:00.0", &n), 0);
        ck_assert_uint_eq(n, 2);
}
END_TEST

static Endpoint find(const char *name, BusDriver driver) {
        Endpoint endpoint = { .kind = ENDPOINT_VIRTIO };

        ck_assert_int_eq(endpoint_find(unit_directory(), name, driver, &endpoint), 0);
        return endpoint;
}

/* Nodes can only be made with privileges. */
static bool make_node(const char *path, mode_t type, dev_t rdev) {
        char buffer[512];

        return mknod(tree_path(buffer, "%s", path), type | 0600, rdev) >= 0;
}

START_TEST(test_endpoint_vhost) {
        Endpoint endpoint;

        tree_bus();
        tree_device("a");
        ck_assert_int_eq(find("a", BUS_DRIVER_NONE).kind, ENDPOINT_NONE);
        ck_assert_int_eq(find("a", BUS_DRIVER_VHOST_VDPA).kind, ENDPOINT_NONE);
        ck_assert_int_eq(find("b", BUS_DRIVER_VHOST_VDPA).kind, ENDPOINT_NONE);

        /* Not yet in /dev, and then something else in its place. */
        tree_file("sys/devices/a/vhost-vdpa-7/dev", "1:3\n");
        endpoint = find("a", BUS_DRIVER_VHOST_VDPA);
        ck_assert_int_eq(endpoint.kind, ENDPOINT_VHOST);
        ck_assert_str_eq(endpoint.name, "");
        ck_assert_uint_eq(endpoint.rdev, makedev(1, 3));
        tree_file("dev/vhost-vdpa-7", "");
        ck_assert_str_eq(find("a", BUS_DRIVER_VHOST_VDPA).name, "");
        tree_remove("dev/vhost-vdpa-7");
        tree_link("dev/vhost-vdpa-7", "/dev/null");
        endpoint = find("a", BUS_DRIVER_VHOST_VDPA);
        ck_assert_str_eq(endpoint.name, "");
        ck_assert(!endpoint_is_current(unit_directory(), &endpoint));
        tree_remove("dev/vhost-vdpa-7");

        if (!make_node("dev/vhost-vdpa-7", S_IFCHR, makedev(1, 3)))
                return;
        ck_assert_str_eq(find("a", BUS_DRIVER_VHOST_VDPA).name, "/dev/vhost-vdpa-7");
        tree_file("sys/devices/a/vhost-vdpa-7/dev", "1:5\n");
        ck_assert_str_eq(find("a", BUS_DRIVER_VHOST_VDPA).name, "");
}
END_TEST

/* As long as the device has it, and its node is what it was. */
START_TEST(test_endpoint_is_current) {
        Endpoint endpoint;

        tree_bus();
        tree_device("a");
        tree_file("sys/devices/a/vhost-vdpa-7/dev", "1:3\n");
        if (!make_node("dev/vhost-vdpa-7", S_IFCHR, makedev(1, 3)))
                return;
        endpoint = find("a", BUS_DRIVER_VHOST_VDPA);
        ck_assert(endpoint_is_current(unit_directory(), &endpoint));

        tree_remove("dev/vhost-vdpa-7");
        ck_assert(!endpoint_is_current(unit_directory(), &endpoint));
        ck_assert(make_node("dev/vhost-vdpa-7", S_IFCHR, makedev(1, 5)));
        ck_assert(!endpoint_is_current(unit_directory(), &endpoint));
        tree_remove("dev/vhost-vdpa-7");
        ck_assert(make_node("dev/vhost-vdpa-7", S_IFCHR, makedev(1, 3)));
        ck_assert(endpoint_is_current(unit_directory(), &endpoint));

        tree_remove("sys/devices/a/vhost-vdpa-7/dev");
        tree_remove("sys/devices/a/vhost-vdpa-7");
        ck_assert(!endpoint_is_current(unit_directory(), &endpoint));
        endpoint = find("a", BUS_DRIVER_VHOST_VDPA);
        ck_assert(!endpoint_is_current(unit_directory(), &endpoint));
}
END_TEST

START_TEST(test_endpoint_netdev) {
        Endpoint endpoint;

        tree_bus();
        tree_device("a");
        tree_file("sys/devices/a/virtio3/device", "0x0001\n");
        ck_assert_int_eq(find("a", BUS_DRIVER_VIRTIO_VDPA).kind, ENDPOINT_NONE);

        tree_directory("sys/devices/a/virtio3/net");
        endpoint = find("a", BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_int_eq(endpoint.kind, ENDPOINT_NETDEV_MOVED);
        ck_assert_str_eq(endpoint.name, "virtio3");

        tree_directory("sys/devices/a/virtio3/net/eth1");
        endpoint = find("a", BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_int_eq(endpoint.kind, ENDPOINT_NETDEV);
        ck_assert_str_eq(endpoint.name, "eth1");
        /* The other driver's endpoint is not looked for. */
        ck_assert_int_eq(find("a", BUS_DRIVER_VHOST_VDPA).kind, ENDPOINT_NONE);
}
END_TEST

START_TEST(test_endpoint_block) {
        Endpoint endpoint;

        tree_bus();
        tree_device("a");
        tree_file("sys/devices/a/virtio3/device", "0x0002\n");
        ck_assert_int_eq(find("a", BUS_DRIVER_VIRTIO_VDPA).kind, ENDPOINT_NONE);

        tree_file("sys/devices/a/virtio3/block/vdb/dev", "254:16\n");
        endpoint = find("a", BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_int_eq(endpoint.kind, ENDPOINT_BLOCK);
        ck_assert_str_eq(endpoint.name, "");
        if (!make_node("dev/vdb", S_IFBLK, makedev(254, 16)))
                return;
        ck_assert_str_eq(find("a", BUS_DRIVER_VIRTIO_VDPA).name, "/dev/vdb");
}
END_TEST

START_TEST(test_endpoint_virtio) {
        Endpoint endpoint;

        tree_bus();
        tree_device("a");
        tree_file("sys/devices/a/virtio31/device", "0x001a\n");
        endpoint = find("a", BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_int_eq(endpoint.kind, ENDPOINT_VIRTIO);
        ck_assert_str_eq(endpoint.name, "virtio31");
}
END_TEST

/* With real hardware the virtio device is the vDPA device's sibling. */
START_TEST(test_endpoint_of_parent) {
        Endpoint endpoint = { .kind = ENDPOINT_VIRTIO };

        tree_bus();
        tree_pci_device("0000:01:00.0", "a");
        tree_driver("a", "virtio_vdpa");
        tree_link("sys/devices/pci0/0000:01:00.0/subsystem", "../../../bus/pci");
        tree_file("sys/devices/pci0/0000:01:00.0/virtio3/device", "0x0001\n");
        tree_directory("sys/devices/pci0/0000:01:00.0/virtio3/net/eth1");
        ck_assert_str_eq(find("a", BUS_DRIVER_VIRTIO_VDPA).name, "eth1");

        /* A brother of the other driver makes no doubt; one of the same does. */
        tree_pci_device("0000:01:00.0", "b");
        tree_driver("b", "vhost_vdpa");
        ck_assert_str_eq(find("a", BUS_DRIVER_VIRTIO_VDPA).name, "eth1");
        tree_remove("sys/devices/pci0/0000:01:00.0/b/driver");
        tree_driver("b", "virtio_vdpa");
        ck_assert_int_eq(endpoint_find(unit_directory(), "a", BUS_DRIVER_VIRTIO_VDPA, &endpoint), -ENOTUNIQ);
        ck_assert_int_eq(endpoint.kind, ENDPOINT_VIRTIO);
}
END_TEST

/* What has no parent stands among all that have none; whose is whose is not asked of such neighbours. */
START_TEST(test_endpoint_of_stranger) {
        tree_bus();
        tree_device("a");
        tree_file("sys/devices/virtio3/device", "0x0001\n");
        tree_directory("sys/devices/virtio3/net/eth1");
        ck_assert_int_eq(find("a", BUS_DRIVER_VIRTIO_VDPA).kind, ENDPOINT_NONE);
}
END_TEST

START_TEST(test_endpoint_nonsense) {
        Endpoint endpoint;

        tree_bus();
        tree_device("a");
        tree_file("sys/devices/a/vhost-vdpa-7/dev", "seven\n");
        ck_assert_int_eq(endpoint_find(unit_directory(), "a", BUS_DRIVER_VHOST_VDPA, &endpoint), -EBADMSG);
        tree_file("sys/devices/a/virtio3/device", "net\n");
        ck_assert_int_eq(endpoint_find(unit_directory(), "a", BUS_DRIVER_VIRTIO_VDPA, &endpoint), -EINVAL);
}
END_TEST

START_TEST(test_endpoint_wait) {
        Endpoint endpoint;
        uint64_t start;

        tree_bus();
        ck_assert_int_eq(endpoint_wait(unit_directory(), "a", BUS_DRIVER_VIRTIO_VDPA, USEC_PER_SEC, &endpoint),
                         -ENODEV);
        tree_device("a");
        start = clock_monotonic_usec();
        ck_assert_int_eq(
                endpoint_wait(unit_directory(), "a", BUS_DRIVER_VIRTIO_VDPA, 20 * USEC_PER_MSEC, &endpoint),
                -ETIMEDOUT);
        ck_assert_uint_ge(clock_monotonic_usec() - start, 20 * USEC_PER_MSEC);

        tree_file("sys/devices/a/virtio3/device", "0x0001\n");
        tree_directory("sys/devices/a/virtio3/net/eth1");
        ck_assert_int_eq(endpoint_wait(unit_directory(), "a", BUS_DRIVER_VIRTIO_VDPA, 0, &endpoint), 0);
        ck_assert_str_eq(endpoint.name, "eth1");
}
END_TEST

START_TEST(test_publish) {
        static const EndpointSpec specs[] = { { 107, 108, 0640 }, { 107, 108, 0640 }, { 0, 0, 0600 } };
        char path[512];
        Endpoint endpoint;
        struct stat st;

        tree_bus();
        tree_device("a");
        tree_file("sys/devices/a/vhost-vdpa-7/dev", "1:3\n");
        if (!make_node("dev/vhost-vdpa-7", S_IFCHR, makedev(1, 3)))
                return;

        endpoint = find("a", BUS_DRIVER_VHOST_VDPA);
        tree_path(path, "dev/vhost-vdpa-7");
        for (size_t i = 0; i < ELEMENTSOF(specs); i++) {
                ck_assert_int_eq(endpoint_publish(unit_directory(), &endpoint, &specs[i]), 0);
                ck_assert_int_eq(stat(path, &st), 0);
                ck_assert_uint_eq(st.st_mode & 07777, specs[i].mode);
                ck_assert_uint_eq(st.st_uid, specs[i].uid);
                ck_assert_uint_eq(st.st_gid, specs[i].gid);
        }

        /* What has taken its place in the meantime is left alone, also behind a link. */
        tree_remove("dev/vhost-vdpa-7");
        tree_file("victim", "");
        ck_assert_int_eq(chmod(tree_path(path, "victim"), 0604), 0);
        tree_link("dev/vhost-vdpa-7", "../victim");
        ck_assert_int_eq(endpoint_publish(unit_directory(), &endpoint, &specs[0]), -ENXIO);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0604);
        ck_assert_uint_eq(st.st_uid, geteuid());
}
END_TEST

START_TEST(test_publish_nothing) {
        static const EndpointSpec spec = { 0, 0, 0600 };
        Endpoint endpoint = { .kind = ENDPOINT_NETDEV, .name = "eth1" };

        ck_assert_int_eq(endpoint_publish(unit_directory(), &endpoint, &spec), 0);
}
END_TEST

START_TEST(test_openers) {
        const Nodes block = { .type = S_IFBLK, .n = 1, .rdev = { makedev(1, 3) } };
        const Nodes nodes = { .type = S_IFCHR, .n = 2, .rdev = { makedev(1, 77), makedev(1, 3) } };
        DeviceUsers users = {};

        ck_assert(!openers_find(unit_directory(), &nodes, &users));
        tree_file("proc/4242/comm", "qemu-system-x86\n");
        tree_link("proc/4242/fd/0", "/dev/zero");
        tree_link("proc/4242/fd/5", "/nowhere");
        tree_link("proc/self", "4242");
        ck_assert(openers_find(unit_directory(), &nodes, &users));
        ck_assert_uint_eq(users.n, 0);

        tree_link("proc/4242/fd/17", "/dev/null");
        ck_assert(openers_find(unit_directory(), &block, &users));
        ck_assert_uint_eq(users.n, 0);
        ck_assert(openers_find(unit_directory(), &nodes, &users));
        ck_assert_uint_eq(users.n, 1);
        ck_assert_int_eq(users.user[0].pid, 4242);
        ck_assert_int_eq(users.user[0].fd, 17);
        ck_assert_str_eq(users.user[0].name, "qemu-system-x86");
}
END_TEST

static void check_user(const DeviceUsers *users, unsigned i, DeviceUserKind kind, const char *name) {
        ck_assert_uint_lt(i, users->n);
        ck_assert_int_eq(users->user[i].kind, kind);
        ck_assert_str_eq(users->user[i].name, name);
}

/* Without the kernel there is no disk to be had here; the numbers in the tables are enough for most of it. */
START_TEST(test_users_of_disk) {
        char sysfs[512], text[DEVICE_USERS_TEXT_MAX];
        Endpoint endpoint = { .kind = ENDPOINT_BLOCK, .name = "/dev/vda", .rdev = makedev(254, 0) };
        DeviceUsers users = {};

        strcpy(endpoint.sysfs, tree_path(sysfs, "sys/block/vda"));
        tree_file("proc/4242/comm", "dd\n");
        tree_directory("proc/4242/fd");
        tree_file("proc/1/mountinfo", "22 1 254:7 / / rw - ext4 /dev/vdb rw\n");
        tree_file("proc/swaps", "Filename\tType\n/dev/vdx partition 8 0 -2\n");
        tree_directory("sys/block/vda/holders");
        ck_assert_int_eq(users_find(unit_directory(), &endpoint, &users), 0);
        ck_assert_uint_eq(users.n, 0);

        tree_directory("sys/block/vda/holders/dm-0");
        tree_file("sys/block/vda/vda1/dev", "254:1\n");
        tree_file("sys/block/vda/vda1/partition", "1\n");
        tree_directory("sys/block/vda/vda1/holders/md127");
        tree_file("sys/block/vda/queue/dev", "254:2\n");
        tree_file("proc/1/mountinfo",
                  "22 1 254:7 / / rw - ext4 /dev/vdb rw\n23 1 254:1 / /mnt rw - ext4 /dev/vda1 rw\n"
                  "24 1 254:2 / /no rw - ext4 x rw\n");
        ck_assert_int_eq(users_find(unit_directory(), &endpoint, &users), 1);
        ck_assert_uint_eq(users.n, 3);
        check_user(&users, 0, USER_DEVICE, "dm-0");
        check_user(&users, 1, USER_DEVICE, "md127");
        check_user(&users, 2, USER_MOUNT, "/mnt");
        ck_assert_str_eq(device_users_format(&users, text), "under dm-0; under md127; mounted on /mnt");

        for (unsigned i = 0; i < 2 * DEVICE_USERS_MAX; i++)
                device_users_add(&users, &users.user[2]);
        ck_assert(users.has_more);
        ck_assert_uint_eq(users.n, DEVICE_USERS_MAX);
        memset(users.user[7].name, 'x', sizeof users.user[7].name - 1);
        memset(users.user[6].name, 'x', sizeof users.user[6].name - 1);
        ck_assert_uint_eq(strlen(device_users_format(&users, text)), DEVICE_USERS_TEXT_MAX - 1);
}
END_TEST

START_TEST(test_users_of_interface) {
        const Endpoint here = { .kind = ENDPOINT_NETDEV, .name = "eth1" };
        const Endpoint moved = { .kind = ENDPOINT_NETDEV_MOVED, .name = "virtio3" };
        const Endpoint none = { .kind = ENDPOINT_NONE };
        DeviceUsers users = {};

        ck_assert_int_eq(users_find(unit_directory(), &here, &users), 0);
        ck_assert_int_lt(users_find(unit_directory(), &none, &users), 0);
        ck_assert_int_eq(users_find(unit_directory(), &moved, &users), 1);
        check_user(&users, 0, USER_NETNS, "");
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_bus);
        tcase_add_test(tcase, test_device);
        tcase_add_test(tcase, test_no_sysfs);
        tcase_add_loop_test(tcase, test_driver, 0, ELEMENTSOF(drivers));
        tcase_add_test(tcase, test_values);
        tcase_add_test(tcase, test_find);
        tcase_add_test(tcase, test_mgmtdev_without_bus);
        tcase_add_test(tcase, test_mgmtdev_pci);
        tcase_add_test(tcase, test_mgmtdev_auxiliary);
        tcase_add_test(tcase, test_mgmtdev_escape);
        tcase_add_test(tcase, test_count_devices);
        tcase_add_test(tcase, test_endpoint_vhost);
        tcase_add_test(tcase, test_endpoint_is_current);
        tcase_add_test(tcase, test_endpoint_netdev);
        tcase_add_test(tcase, test_endpoint_block);
        tcase_add_test(tcase, test_endpoint_virtio);
        tcase_add_test(tcase, test_endpoint_of_parent);
        tcase_add_test(tcase, test_endpoint_of_stranger);
        tcase_add_test(tcase, test_endpoint_nonsense);
        tcase_add_test(tcase, test_endpoint_wait);
        tcase_add_test(tcase, test_publish);
        tcase_add_test(tcase, test_publish_nothing);
        tcase_add_test(tcase, test_openers);
        tcase_add_test(tcase, test_users_of_disk);
        tcase_add_test(tcase, test_users_of_interface);
}

int main(void) {
        return unit_main("vdpa-sysfs", add);
}
