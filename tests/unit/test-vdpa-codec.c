/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Messages of the vdpa family: what is sent, and what is made of what comes, from a kernel or from a madman. */
#include "kernel/vdpa-codec.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

#include "kernel/vdpa-uapi.h"
#include "unit.h"

#define ATTRIBUTES 64

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x2a };

/* The attributes of a message that was built, by number; checks what every request has. */
static void read_request(struct nl_msg *m, uint8_t command, int flags, struct nlattr *attrs[ATTRIBUTES]) {
        struct nlmsghdr *header = nlmsg_hdr(m);
        const struct genlmsghdr *generic = nlmsg_data(header);

        ck_assert(genlmsg_valid_hdr(header, 0));
        ck_assert_uint_eq(generic->cmd, command);
        ck_assert_uint_eq(generic->version, 1);
        ck_assert_int_eq(header->nlmsg_flags, flags);
        ck_assert_int_eq(genlmsg_parse(header, 0, attrs, ATTRIBUTES - 1, NULL), 0);
}

static unsigned count(struct nlattr *attrs[ATTRIBUTES]) {
        unsigned n = 0;

        for (size_t i = 0; i < ATTRIBUTES; i++)
                n += attrs[i] != NULL;
        return n;
}

/* The kernel takes it for a C string. */
static void check_string(const struct nlattr *a, const char *text) {
        ck_assert_ptr_nonnull(a);
        ck_assert_int_eq(nla_len(a), (int) strlen(text) + 1);
        ck_assert_mem_eq(nla_data(a), text, strlen(text) + 1);
}

START_TEST(test_build_dump) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;

        ck_assert_int_eq(vdpa_build_dump(VDPA_CMD_MGMTDEV_GET, &m), 0);
        read_request(m, 2, NLM_F_DUMP, attrs);
        ck_assert_uint_eq(count(attrs), 0);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_build_permission_probe) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;

        ck_assert_int_eq(vdpa_build_permission_probe(&m), 0);
        read_request(m, 7, 0, attrs);
        ck_assert_uint_eq(count(attrs), 0);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_build_device) {
        static const uint8_t commands[] = { VDPA_CMD_DEV_DEL, VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET };
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;

        ck_assert_int_eq(vdpa_build_device(commands[_i], "vm42-net0", &m), 0);
        read_request(m, commands[_i], 0, attrs);
        ck_assert_uint_eq(count(attrs), 1);
        check_string(attrs[4], "vm42-net0");
        nlmsg_free(m);
}
END_TEST

static const struct {
        const char *mgmtdev, *bus, *device;
} handles[] = {
        { "vdpasim_net", NULL, "vdpasim_net" },
        { "pci/0000:03:00.2", "pci", "0000:03:00.2" },
        { "auxiliary/mlx5_core.sf.4", "auxiliary", "mlx5_core.sf.4" },
};

START_TEST(test_build_create_handle) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        ck_assert_int_eq(vdpa_build_create("a", handles[_i].mgmtdev, &spec, &m), 0);
        read_request(m, 3, 0, attrs);
        ck_assert_uint_eq(count(attrs), handles[_i].bus ? 3 : 2);
        check_string(attrs[4], "a");
        check_string(attrs[2], handles[_i].device);
        if (handles[_i].bus)
                check_string(attrs[1], handles[_i].bus);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_build_create_net) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        spec.net = (NetSpec){ .has_mac = true, .mtu = 9000, .max_vqp = 4 };
        memcpy(spec.net.mac, mac, sizeof mac);
        spec.has_features = true;
        spec.features = UINT64_C(0x100000028);

        ck_assert_int_eq(vdpa_build_create("a", "vdpasim_net", &spec, &m), 0);
        read_request(m, 3, 0, attrs);
        ck_assert_uint_eq(count(attrs), 6);
        ck_assert_int_eq(nla_len(attrs[10]), 6);
        ck_assert_mem_eq(nla_data(attrs[10]), mac, 6);
        ck_assert_int_eq(nla_len(attrs[13]), 2);
        ck_assert_uint_eq(nla_get_u16(attrs[13]), 9000);
        ck_assert_int_eq(nla_len(attrs[12]), 2);
        ck_assert_uint_eq(nla_get_u16(attrs[12]), 4);
        ck_assert_int_eq(nla_len(attrs[20]), 8);
        ck_assert_uint_eq(nla_get_u64(attrs[20]), UINT64_C(0x100000028));
        nlmsg_free(m);
}
END_TEST

/* What belongs to net is not sent for another class, even if it is there; features that are none at all are. */
START_TEST(test_build_create_block) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = CLASS_BLOCK;
        spec.net = (NetSpec){ .has_mac = true, .mtu = 9000, .max_vqp = 4 };
        spec.has_features = true;

        ck_assert_int_eq(vdpa_build_create("a", "vdpasim_blk", &spec, &m), 0);
        read_request(m, 3, 0, attrs);
        ck_assert_uint_eq(count(attrs), 3);
        ck_assert_uint_eq(nla_get_u64(attrs[20]), 0);
        nlmsg_free(m);
}
END_TEST

/* Features that no device has, and more pairs of virtqueues than one can have: nothing can come of it. */
START_TEST(test_build_attribute_probe) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;

        ck_assert_int_eq(vdpa_build_attribute_probe("a", "pci/0000:03:00.2", &m), 0);
        read_request(m, 3, 0, attrs);
        ck_assert_uint_eq(count(attrs), 7);
        check_string(attrs[4], "a");
        check_string(attrs[2], "0000:03:00.2");
        ck_assert_int_eq(nla_len(attrs[10]), 6);
        ck_assert_uint_eq(nla_get_u16(attrs[12]), 65535);
        ck_assert_uint_eq(nla_get_u16(attrs[13]), 65535);
        ck_assert_uint_eq(nla_get_u64(attrs[20]), UINT64_MAX);
        nlmsg_free(m);
}
END_TEST

#define REFUSED "Some provided attributes are not supported: "

static const struct {
        const char *extack;
        uint32_t refused;
} refusals[] = {
        { "vdpa: " REFUSED "0x400", 1u << ATTRIBUTE_MAC },
        { REFUSED "0x1000", 1u << ATTRIBUTE_MAX_VQP },
        { REFUSED "0x3400", 1u << ATTRIBUTE_MAC | 1u << ATTRIBUTE_MTU | 1u << ATTRIBUTE_MAX_VQP },
        { REFUSED "0x103400", VDPA_ATTRIBUTES },
        { REFUSED "0xffffffffffffffff", VDPA_ATTRIBUTES },
        { REFUSED "0x0", 0 },
        { REFUSED "0x", 0 },
        { REFUSED "0x-400", 0 },
        { REFUSED "0x 400", 0 },
        { REFUSED "0x400 and more", 0 },
        { REFUSED "400", 0 },
        { "All provided attributes are not supported", 0 },
        { "0x400", 0 },
        { "", 0 },
};

START_TEST(test_parse_refused) {
        ck_assert_uint_eq(vdpa_parse_refused(refusals[_i].extack), refusals[_i].refused);
}
END_TEST

START_TEST(test_build_set_mac) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;

        ck_assert_int_eq(vdpa_build_set_mac("a", mac, &m), 0);
        read_request(m, 8, 0, attrs);
        ck_assert_uint_eq(count(attrs), 2);
        check_string(attrs[4], "a");
        ck_assert_mem_eq(nla_data(attrs[10]), mac, 6);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_build_get_stats) {
        struct nlattr *attrs[ATTRIBUTES];
        struct nl_msg *m;

        ck_assert_int_eq(vdpa_build_get_stats("a", 7, &m), 0);
        read_request(m, 7, 0, attrs);
        ck_assert_uint_eq(count(attrs), 2);
        ck_assert_int_eq(nla_len(attrs[17]), 4);
        ck_assert_uint_eq(nla_get_u32(attrs[17]), 7);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_build_too_long) {
        char name[8192];
        struct nl_msg *m = NULL;

        memset(name, 'a', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        ck_assert_int_eq(vdpa_build_device(VDPA_CMD_DEV_GET, name, &m), -ENOMEM);
        ck_assert_ptr_null(m);
}
END_TEST

/* A reply as a kernel would send it, to be filled. */
static struct nl_msg *reply(uint8_t command) {
        struct nl_msg *m = nlmsg_alloc_size(16384);

        ck_assert_ptr_nonnull(m);
        ck_assert_ptr_nonnull(genlmsg_put(m, 1, 1, 40, 0, NLM_F_MULTI, command, 1));
        return m;
}

static void put_mgmtdev(struct nl_msg *m, uint64_t classes, uint64_t features) {
        nla_put_string(m, VDPA_ATTR_MGMTDEV_BUS_NAME, "pci");
        nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, "0000:03:00.2");
        /* The kernel aligns 64-bit values by an empty attribute of number 0. */
        nla_put(m, 0, 0, NULL);
        nla_put_u64(m, VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES, classes);
        nla_put_u32(m, VDPA_ATTR_DEV_MGMTDEV_MAX_VQS, 65);
        nla_put(m, 0, 0, NULL);
        nla_put_u64(m, VDPA_ATTR_DEV_SUPPORTED_FEATURES, features);
}

static struct nl_msg *mgmtdev_reply(void) {
        struct nl_msg *m = reply(VDPA_CMD_MGMTDEV_NEW);

        put_mgmtdev(m, 1 << CLASS_NET, UINT64_C(0x308830028));
        return m;
}

static struct nl_msg *device_reply(void) {
        struct nl_msg *m = reply(VDPA_CMD_DEV_NEW);

        nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, "vdpasim_net");
        nla_put_string(m, VDPA_ATTR_DEV_NAME, "vm42-net0");
        nla_put_u32(m, VDPA_ATTR_DEV_ID, CLASS_NET);
        nla_put_u32(m, VDPA_ATTR_DEV_VENDOR_ID, 0x1af4);
        nla_put_u32(m, VDPA_ATTR_DEV_MAX_VQS, 3);
        nla_put_u16(m, VDPA_ATTR_DEV_MAX_VQ_SIZE, 256);
        nla_put_u16(m, 9, 1);
        return m;
}

static struct nl_msg *config_reply(uint32_t class) {
        struct nl_msg *m = reply(VDPA_CMD_DEV_CONFIG_GET);

        nla_put_string(m, VDPA_ATTR_DEV_NAME, "vm42-net0");
        nla_put_u32(m, VDPA_ATTR_DEV_ID, class);
        return m;
}

static struct nl_msg *net_config_reply(void) {
        struct nl_msg *m = config_reply(CLASS_NET);

        nla_put_u64(m, VDPA_ATTR_DEV_FEATURES, 0x28);
        nla_put_u16(m, VDPA_ATTR_DEV_NET_CFG_MTU, 1400);
        nla_put(m, VDPA_ATTR_DEV_NET_CFG_MACADDR, sizeof mac, mac);
        /* The link's status: the kernel's own header has another size for it than the kernel. */
        nla_put_u16(m, 11, 1);
        nla_put_u16(m, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 4);
        return m;
}

static struct nl_msg *stats_reply(unsigned n) {
        struct nl_msg *m = reply(VDPA_CMD_DEV_VSTATS_GET);

        nla_put_string(m, VDPA_ATTR_DEV_NAME, "vm42-net0");
        nla_put_u32(m, VDPA_ATTR_DEV_ID, CLASS_NET);
        nla_put_u32(m, VDPA_ATTR_DEV_QUEUE_INDEX, 2);
        for (unsigned i = 0; i < n; i++) {
                nla_put_string(m, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, i == 0 ? "rx packets" : "rx bytes");
                nla_put_u64(m, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE, UINT64_MAX - i);
        }
        return m;
}

START_TEST(test_parse_mgmtdev) {
        struct nl_msg *m = mgmtdev_reply();
        MgmtdevInfo info;

        ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m), &info), 0);
        ck_assert_str_eq(info.handle, "pci/0000:03:00.2");
        ck_assert_uint_eq(info.classes, 1 << CLASS_NET);
        ck_assert_uint_eq(info.features[CLASS_NET], UINT64_C(0x308830028));
        ck_assert_uint_eq(info.features[CLASS_BLOCK], 0);
        ck_assert_uint_eq(info.max_vqs, 65);
        ck_assert_uint_eq(info.capacity[RESOURCE_DEVICES].total, 0);
        ck_assert_int_eq(info.numa_node, -1);
        ck_assert(!info.simulated);
        nlmsg_free(m);
}
END_TEST

/* One bitmap of features for several classes: only the bits that all classes have in common are known. */
START_TEST(test_parse_mgmtdev_classes) {
        struct nl_msg *m = reply(VDPA_CMD_MGMTDEV_NEW);
        MgmtdevInfo info;

        put_mgmtdev(m, UINT64_MAX, UINT64_MAX);
        ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m), &info), 0);
        ck_assert_uint_eq(info.classes, UINT64_MAX - 1);
        ck_assert_uint_eq(info.features[0], 0);
        for (unsigned class = 1; class <= CLASS_MAX; class ++)
                ck_assert_uint_eq(info.features[class], UINT64_C(0x0003ffffff000000));
        nlmsg_free(m);
}
END_TEST

START_TEST(test_parse_mgmtdev_minimal) {
        struct nl_msg *m = reply(VDPA_CMD_MGMTDEV_NEW);
        MgmtdevInfo info;

        ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m), &info), -EBADMSG);
        nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, "vduse");
        ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m), &info), 0);
        ck_assert_str_eq(info.handle, "vduse");
        ck_assert_uint_eq(info.classes, 0);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_parse_mgmtdev_long_handle) {
        struct nl_msg *m = reply(VDPA_CMD_MGMTDEV_NEW);
        char name[HANDLE_MAX];
        MgmtdevInfo info;

        memset(name, 'a', sizeof name);
        name[HANDLE_MAX - 5] = '\0';
        nla_put_string(m, VDPA_ATTR_MGMTDEV_BUS_NAME, "pci");
        nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, name);
        ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m), &info), 0);
        ck_assert_uint_eq(strlen(info.handle), HANDLE_MAX - 1);
        nlmsg_free(m);

        m = reply(VDPA_CMD_MGMTDEV_NEW);
        nla_put_string(m, VDPA_ATTR_MGMTDEV_BUS_NAME, "bus+");
        nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, name);
        ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m), &info), -ENAMETOOLONG);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_parse_device) {
        struct nl_msg *m = device_reply();
        BackendDevice device;
        DeviceStatus status = { .driver = BUS_DRIVER_VHOST_VDPA };
        char mgmtdev[HANDLE_MAX], device_name[DEVICE_NAME_MAX];

        ck_assert_int_eq(vdpa_parse_device(nlmsg_hdr(m), &device), 0);
        ck_assert_str_eq(device.name, "vm42-net0");
        ck_assert_str_eq(device.mgmtdev, "vdpasim_net");
        ck_assert_uint_eq(device.class, CLASS_NET);

        ck_assert_int_eq(vdpa_parse_name(nlmsg_hdr(m), VDPA_CMD_DEV_NEW, device_name), 0);
        ck_assert_str_eq(device_name, "vm42-net0");
        ck_assert_int_eq(vdpa_parse_name(nlmsg_hdr(m), VDPA_CMD_DEV_CONFIG_GET, device_name), -EBADMSG);

        ck_assert_int_eq(vdpa_parse_status(nlmsg_hdr(m), mgmtdev, &status), 0);
        ck_assert_str_eq(mgmtdev, "vdpasim_net");
        ck_assert_uint_eq(status.class, CLASS_NET);
        ck_assert_uint_eq(status.vendor_id, 0x1af4);
        ck_assert_uint_eq(status.max_vqs, 3);
        ck_assert_uint_eq(status.vq_size, 256);
        ck_assert_int_eq(status.driver, BUS_DRIVER_VHOST_VDPA);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_parse_device_long_name) {
        struct nl_msg *m = reply(VDPA_CMD_DEV_NEW);
        char name[1000], device_name[DEVICE_NAME_MAX];
        BackendDevice device;

        memset(name, 'a', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, "vdpasim_net");
        nla_put_string(m, VDPA_ATTR_DEV_NAME, name);
        nla_put_u32(m, VDPA_ATTR_DEV_ID, UINT32_MAX);
        ck_assert_int_eq(vdpa_parse_device(nlmsg_hdr(m), &device), 0);
        ck_assert_uint_eq(strlen(device.name), sizeof device.name - 1);
        ck_assert_uint_eq(device.class, UINT32_MAX);
        ck_assert_int_eq(vdpa_parse_name(nlmsg_hdr(m), VDPA_CMD_DEV_NEW, device_name), -ENAMETOOLONG);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_parse_config_net) {
        struct nl_msg *m = net_config_reply();
        DeviceStatus status = {};

        ck_assert_int_eq(vdpa_parse_config(nlmsg_hdr(m), &status), 0);
        ck_assert(status.has_features);
        ck_assert_uint_eq(status.features, 0x28);
        ck_assert(status.net.has_mac);
        ck_assert_mem_eq(status.net.mac, mac, 6);
        ck_assert_uint_eq(status.net.mtu, 1400);
        ck_assert_uint_eq(status.net.max_vqp, 4);
        nlmsg_free(m);
}
END_TEST

/* A device without MAC, MTU and MQ: one pair all the same. */
START_TEST(test_parse_config_plain) {
        struct nl_msg *m = config_reply(CLASS_NET);
        DeviceStatus status = { .net = { .has_mac = true, .mtu = 1, .max_vqp = 9 } };

        ck_assert_int_eq(vdpa_parse_config(nlmsg_hdr(m), &status), 0);
        ck_assert(!status.has_features);
        ck_assert(!status.net.has_mac);
        ck_assert_uint_eq(status.net.mtu, 0);
        ck_assert_uint_eq(status.net.max_vqp, 1);
        nlmsg_free(m);
}
END_TEST

static const struct {
        uint32_t class;
        bool has_20, has_features;
        uint64_t features;
} meanings[] = {
        { CLASS_NET, false, true, 21 },  /* an old kernel */
        { CLASS_NET, true, true, 20 },   /* one that sends both */
        { CLASS_BLOCK, true, true, 20 }, /* here it is the capacity */
        { CLASS_BLOCK, false, false, 0 },
};

START_TEST(test_parse_config_21) {
        struct nl_msg *m = config_reply(meanings[_i].class);
        DeviceStatus status = {};

        if (meanings[_i].has_20)
                nla_put_u64(m, VDPA_ATTR_DEV_FEATURES, 20);
        nla_put_u64(m, 21, 21);
        ck_assert_int_eq(vdpa_parse_config(nlmsg_hdr(m), &status), 0);
        ck_assert(status.has_features == meanings[_i].has_features);
        ck_assert_uint_eq(status.features, meanings[_i].features);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_parse_stats) {
        struct nl_msg *m = stats_reply(2);
        BackendStat stats[4];
        size_t n = 99;

        ck_assert_int_eq(vdpa_parse_stats(nlmsg_hdr(m), 2, stats, ELEMENTSOF(stats), &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(stats[0].name, "rx packets");
        ck_assert_uint_eq(stats[0].value, UINT64_MAX);
        ck_assert_uint_eq(stats[0].queue, 2);
        ck_assert_str_eq(stats[1].name, "rx bytes");
        ck_assert_uint_eq(stats[1].value, UINT64_MAX - 1);
        nlmsg_free(m);
}
END_TEST

START_TEST(test_parse_stats_many) {
        struct nl_msg *m = stats_reply(100);
        BackendStat stats[8];
        size_t n;

        ck_assert_int_eq(vdpa_parse_stats(nlmsg_hdr(m), 2, stats, ELEMENTSOF(stats), &n), 0);
        ck_assert_uint_eq(n, ELEMENTSOF(stats));
        nlmsg_free(m);
}
END_TEST

/* A value without a name, a name without a value, a name that does not fit. */
START_TEST(test_parse_stats_odd) {
        struct nl_msg *m = reply(VDPA_CMD_DEV_VSTATS_GET);
        char name[200];
        BackendStat stats[4];
        size_t n;

        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        nla_put_u64(m, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE, 1);
        nla_put_string(m, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, "lost");
        nla_put_string(m, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, name);
        nla_put_u64(m, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE, 2);
        nla_put_u64(m, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE, 3);
        ck_assert_int_eq(vdpa_parse_stats(nlmsg_hdr(m), 0, stats, ELEMENTSOF(stats), &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(stats[0].value, 2);
        ck_assert_uint_eq(strlen(stats[0].name), sizeof stats[0].name - 1);
        nlmsg_free(m);
}
END_TEST

/* Everything that can be parsed, by every parser. The message is a copy of exactly its size, so that whoever reads
 * behind it is caught by the sanitizer. */
static void parse_all(const void *data, size_t size) {
        struct nlmsghdr *m = malloc(size);
        char mgmtdev[HANDLE_MAX], name[DEVICE_NAME_MAX];
        DeviceStatus status = {};
        BackendDevice device;
        BackendStat stats[4];
        MgmtdevInfo info;
        size_t n;

        ck_assert_ptr_nonnull(m);
        memcpy(m, data, size);
        if (size >= sizeof *m && nlmsg_ok(m, (int) size)) {
                (void) vdpa_parse_mgmtdev(m, &info);
                (void) vdpa_parse_device(m, &device);
                (void) vdpa_parse_name(m, VDPA_CMD_DEV_NEW, name);
                (void) vdpa_parse_status(m, mgmtdev, &status);
                (void) vdpa_parse_config(m, &status);
                (void) vdpa_parse_stats(m, 0, stats, ELEMENTSOF(stats), &n);
        }
        free(m);
}

static struct nl_msg *any_reply(int i) {
        switch (i) {
        case 0:
                return mgmtdev_reply();
        case 1:
                return device_reply();
        case 2:
                return net_config_reply();
        }
        return stats_reply(3);
}

#define N_REPLIES 4

START_TEST(test_hostile_truncated) {
        struct nl_msg *m = any_reply(_i);
        struct nlmsghdr *header = nlmsg_hdr(m);
        uint32_t length = header->nlmsg_len;

        for (uint32_t n = sizeof *header; n <= length; n++) {
                header->nlmsg_len = n;
                parse_all(header, n);
        }
        nlmsg_free(m);
}
END_TEST

START_TEST(test_hostile_mutated) {
        struct nl_msg *m = any_reply(_i);
        size_t length = nlmsg_hdr(m)->nlmsg_len;
        unsigned n_rounds = unit_is_slow() ? 500 : 50000;
        uint8_t *copy = malloc(length);

        ck_assert_ptr_nonnull(copy);
        for (unsigned round = 0; round < n_rounds; round++) {
                memcpy(copy, nlmsg_hdr(m), length);
                for (uint32_t k = unit_random(4) + 1; k > 0; k--)
                        copy[unit_random((uint32_t) length)] = (uint8_t) unit_random(256);
                parse_all(copy, length);
        }
        free(copy);
        nlmsg_free(m);
}
END_TEST

/* An attribute of every number that is one byte too short, or a string without its end. */
START_TEST(test_hostile_sizes) {
        static const uint8_t letters[9] = "aaaaaaaa";
        static const struct {
                int attribute, size;
        } bad[] = {
                { VDPA_ATTR_MGMTDEV_BUS_NAME, 4 },
                { VDPA_ATTR_MGMTDEV_BUS_NAME, 0 },
                { VDPA_ATTR_MGMTDEV_DEV_NAME, 4 },
                { VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES, 7 },
                { VDPA_ATTR_DEV_NAME, 8 },
                { VDPA_ATTR_DEV_ID, 3 },
                { VDPA_ATTR_DEV_VENDOR_ID, 3 },
                { VDPA_ATTR_DEV_MAX_VQS, 3 },
                { VDPA_ATTR_DEV_MAX_VQ_SIZE, 1 },
                { VDPA_ATTR_DEV_NET_CFG_MACADDR, 5 },
                { VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 1 },
                { VDPA_ATTR_DEV_NET_CFG_MTU, 1 },
                { VDPA_ATTR_DEV_MGMTDEV_MAX_VQS, 3 },
                { VDPA_ATTR_DEV_SUPPORTED_FEATURES, 7 },
                { VDPA_ATTR_DEV_VENDOR_ATTR_NAME, 8 },
                { VDPA_ATTR_DEV_VENDOR_ATTR_VALUE, 7 },
                { VDPA_ATTR_DEV_FEATURES, 7 },
                { VDPA_ATTR_21, 7 },
        };
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status = {}, empty = {};
        BackendDevice device;
        BackendStat stats[4];
        MgmtdevInfo info;
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                struct nl_msg *m[N_REPLIES];

                for (int k = 0; k < N_REPLIES; k++) {
                        m[k] = any_reply(k);
                        ck_assert_int_eq(nla_put(m[k], bad[i].attribute, bad[i].size, letters), 0);
                }
                ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m[0]), &info), -EBADMSG);
                ck_assert_int_eq(vdpa_parse_device(nlmsg_hdr(m[1]), &device), -EBADMSG);
                ck_assert_int_eq(vdpa_parse_status(nlmsg_hdr(m[1]), mgmtdev, &status), -EBADMSG);
                ck_assert_int_eq(vdpa_parse_config(nlmsg_hdr(m[2]), &status), -EBADMSG);
                ck_assert_int_eq(vdpa_parse_stats(nlmsg_hdr(m[3]), 0, stats, ELEMENTSOF(stats), &n), -EBADMSG);
                for (int k = 0; k < N_REPLIES; k++)
                        nlmsg_free(m[k]);
        }
        ck_assert_mem_eq(&status, &empty, sizeof status);
}
END_TEST

/* The answer to something else. */
START_TEST(test_hostile_command) {
        BackendStat stats[4];
        DeviceStatus status;
        BackendDevice device;
        MgmtdevInfo info;
        size_t n;

        for (int i = 0; i < N_REPLIES; i++) {
                struct nl_msg *m = any_reply(i);

                ck_assert_int_eq(vdpa_parse_mgmtdev(nlmsg_hdr(m), &info), i == 0 ? 0 : -EBADMSG);
                ck_assert_int_eq(vdpa_parse_device(nlmsg_hdr(m), &device), i == 1 ? 0 : -EBADMSG);
                ck_assert_int_eq(vdpa_parse_config(nlmsg_hdr(m), &status), i == 2 ? 0 : -EBADMSG);
                ck_assert_int_eq(vdpa_parse_stats(nlmsg_hdr(m), 0, stats, ELEMENTSOF(stats), &n),
                                 i == 3 ? 0 : -EBADMSG);
                nlmsg_free(m);
        }
}
END_TEST

/* Attributes from the future are not ours to judge. */
START_TEST(test_unknown_attributes) {
        struct nl_msg *m = device_reply();
        BackendDevice device;

        nla_put_u8(m, 22, 1);
        nla_put_u8(m, 200, 1);
        ck_assert_int_eq(vdpa_parse_device(nlmsg_hdr(m), &device), 0);
        nlmsg_free(m);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_build_dump);
        tcase_add_test(tcase, test_build_permission_probe);
        tcase_add_loop_test(tcase, test_build_device, 0, 3);
        tcase_add_loop_test(tcase, test_build_create_handle, 0, ELEMENTSOF(handles));
        tcase_add_test(tcase, test_build_create_net);
        tcase_add_test(tcase, test_build_create_block);
        tcase_add_test(tcase, test_build_attribute_probe);
        tcase_add_loop_test(tcase, test_parse_refused, 0, ELEMENTSOF(refusals));
        tcase_add_test(tcase, test_build_set_mac);
        tcase_add_test(tcase, test_build_get_stats);
        tcase_add_test(tcase, test_build_too_long);
        tcase_add_test(tcase, test_parse_mgmtdev);
        tcase_add_test(tcase, test_parse_mgmtdev_classes);
        tcase_add_test(tcase, test_parse_mgmtdev_minimal);
        tcase_add_test(tcase, test_parse_mgmtdev_long_handle);
        tcase_add_test(tcase, test_parse_device);
        tcase_add_test(tcase, test_parse_device_long_name);
        tcase_add_test(tcase, test_parse_config_net);
        tcase_add_test(tcase, test_parse_config_plain);
        tcase_add_loop_test(tcase, test_parse_config_21, 0, ELEMENTSOF(meanings));
        tcase_add_test(tcase, test_parse_stats);
        tcase_add_test(tcase, test_parse_stats_many);
        tcase_add_test(tcase, test_parse_stats_odd);
        tcase_add_loop_test(tcase, test_hostile_truncated, 0, N_REPLIES);
        tcase_add_loop_test(tcase, test_hostile_mutated, 0, N_REPLIES);
        tcase_add_test(tcase, test_hostile_sizes);
        tcase_add_test(tcase, test_hostile_command);
        tcase_add_test(tcase, test_unknown_attributes);
}

int main(void) {
        return unit_main("vdpa-codec", add);
}
