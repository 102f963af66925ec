/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/vdpa-codec.h"

#include <ctype.h>
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <string.h>

#include "kernel/genl.h"
#include "kernel/vdpa-uapi.h"

/* Feature bits that mean the same for every device class; the others depend on it. */
#define FEATURES_OF_ALL_CLASSES (((UINT64_C(1) << 50) - 1) & ~((UINT64_C(1) << 24) - 1))

/* The sizes are lower bounds, and NLA_STRING means a string with its NUL: libnl checks both. */
static const struct nla_policy vdpa_policy[_VDPA_ATTR_USED_MAX + 1] = {
        [VDPA_ATTR_MGMTDEV_BUS_NAME] = { .type = NLA_STRING },
        [VDPA_ATTR_MGMTDEV_DEV_NAME] = { .type = NLA_STRING },
        [VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES] = { .type = NLA_U64 },
        [VDPA_ATTR_DEV_NAME] = { .type = NLA_STRING },
        [VDPA_ATTR_DEV_ID] = { .type = NLA_U32 },
        [VDPA_ATTR_DEV_VENDOR_ID] = { .type = NLA_U32 },
        [VDPA_ATTR_DEV_MAX_VQS] = { .type = NLA_U32 },
        [VDPA_ATTR_DEV_MAX_VQ_SIZE] = { .type = NLA_U16 },
        [VDPA_ATTR_DEV_NET_CFG_MACADDR] = { .minlen = 6 },
        [VDPA_ATTR_DEV_NET_CFG_MAX_VQP] = { .type = NLA_U16 },
        [VDPA_ATTR_DEV_NET_CFG_MTU] = { .type = NLA_U16 },
        [VDPA_ATTR_DEV_MGMTDEV_MAX_VQS] = { .type = NLA_U32 },
        [VDPA_ATTR_DEV_SUPPORTED_FEATURES] = { .type = NLA_U64 },
        [VDPA_ATTR_DEV_QUEUE_INDEX] = { .type = NLA_U32 },
        [VDPA_ATTR_DEV_VENDOR_ATTR_NAME] = { .type = NLA_STRING },
        [VDPA_ATTR_DEV_VENDOR_ATTR_VALUE] = { .type = NLA_U64 },
        [VDPA_ATTR_DEV_FEATURES] = { .type = NLA_U64 },
        [VDPA_ATTR_21] = { .type = NLA_U64 },
};

static int build(uint8_t command, int flags, struct nl_msg **ret) {
        return genl_build(command, VDPA_FAMILY_VERSION, flags, ret);
}

int vdpa_build_dump(uint8_t command, struct nl_msg **ret) {
        return build(command, NLM_F_DUMP, ret);
}

int vdpa_build_permission_probe(struct nl_msg **ret) {
        return build(VDPA_CMD_DEV_VSTATS_GET, 0, ret);
}

int vdpa_build_device(uint8_t command, const char *name, struct nl_msg **ret) {
        _cleanup_(nlmsg_freep) struct nl_msg *m = NULL;
        int r;

        r = build(command, 0, &m);
        if (r < 0)
                return r;
        /* The kernel reads it as a C string; this sends the NUL, too. */
        if (nla_put_string(m, VDPA_ATTR_DEV_NAME, name) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(m);
        return 0;
}

/* A handle is "bus/device", or "device" alone for one that is on no bus: the kernel then wants no bus name at
 * all, not an empty one. */
static int put_handle(struct nl_msg *m, const char *handle) {
        const char *slash = strchr(handle, '/');
        char bus[HANDLE_MAX];

        if (slash) {
                if ((size_t) (slash - handle) >= sizeof bus)
                        return -ENOMEM;
                memcpy(bus, handle, (size_t) (slash - handle));
                bus[slash - handle] = '\0';
                if (nla_put_string(m, VDPA_ATTR_MGMTDEV_BUS_NAME, bus) < 0)
                        return -ENOMEM;
        }

        return nla_put_string(m, VDPA_ATTR_MGMTDEV_DEV_NAME, slash ? slash + 1 : handle) < 0 ? -ENOMEM : 0;
}

static int put_net(struct nl_msg *m, const NetSpec *net) {
        if (net->has_mac && nla_put(m, VDPA_ATTR_DEV_NET_CFG_MACADDR, sizeof net->mac, net->mac) < 0)
                return -ENOMEM;
        if (net->mtu > 0 && nla_put_u16(m, VDPA_ATTR_DEV_NET_CFG_MTU, net->mtu) < 0)
                return -ENOMEM;
        if (net->max_vqp > 0 && nla_put_u16(m, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, net->max_vqp) < 0)
                return -ENOMEM;

        return 0;
}

int vdpa_build_create(const char *name, const char *mgmtdev, const DeviceSpec *spec, struct nl_msg **ret) {
        _cleanup_(nlmsg_freep) struct nl_msg *m = NULL;
        int r;

        r = vdpa_build_device(VDPA_CMD_DEV_NEW, name, &m);
        if (r < 0)
                return r;
        r = put_handle(m, mgmtdev);
        if (r < 0)
                return r;
        if (spec->class == CLASS_NET) {
                r = put_net(m, &spec->net);
                if (r < 0)
                        return r;
        }
        if (spec->has_features && nla_put_u64(m, VDPA_ATTR_DEV_FEATURES, spec->features) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(m);
        return 0;
}

int vdpa_build_attribute_probe(const char *name, const char *mgmtdev, struct nl_msg **ret) {
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        spec.net = (NetSpec){ .has_mac = true, .mac = { 0x02 }, .mtu = UINT16_MAX, .max_vqp = UINT16_MAX };
        spec.has_features = true;
        spec.features = UINT64_MAX;
        return vdpa_build_create(name, mgmtdev, &spec, ret);
}

int vdpa_build_set_mac(const char *name, const uint8_t mac[6], struct nl_msg **ret) {
        _cleanup_(nlmsg_freep) struct nl_msg *m = NULL;
        int r;

        r = vdpa_build_device(VDPA_CMD_DEV_ATTR_SET, name, &m);
        if (r < 0)
                return r;
        if (nla_put(m, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(m);
        return 0;
}

int vdpa_build_get_stats(const char *name, uint32_t queue, struct nl_msg **ret) {
        _cleanup_(nlmsg_freep) struct nl_msg *m = NULL;
        int r;

        r = vdpa_build_device(VDPA_CMD_DEV_VSTATS_GET, name, &m);
        if (r < 0)
                return r;
        if (nla_put_u32(m, VDPA_ATTR_DEV_QUEUE_INDEX, queue) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(m);
        return 0;
}

static int parse(struct nlmsghdr *m, uint8_t command, struct nlattr *attrs[_VDPA_ATTR_USED_MAX + 1]) {
        const struct genlmsghdr *header;

        if (!genlmsg_valid_hdr(m, 0))
                return -EBADMSG;
        header = nlmsg_data(m);
        if (header->cmd != command)
                return -EBADMSG;

        return genlmsg_parse(m, 0, attrs, _VDPA_ATTR_USED_MAX, vdpa_policy) < 0 ? -EBADMSG : 0;
}

static int get_handle(struct nlattr **attrs, char ret[HANDLE_MAX]) {
        const char *bus = "", *slash = "";
        size_t n;

        if (!attrs[VDPA_ATTR_MGMTDEV_DEV_NAME])
                return -EBADMSG;
        if (attrs[VDPA_ATTR_MGMTDEV_BUS_NAME]) {
                bus = nla_get_string(attrs[VDPA_ATTR_MGMTDEV_BUS_NAME]);
                slash = "/";
        }

        n = strlen(bus) + strlen(slash) + strlen(nla_get_string(attrs[VDPA_ATTR_MGMTDEV_DEV_NAME]));
        if (n >= HANDLE_MAX)
                return -ENAMETOOLONG;
        (void) snprintf(ret, HANDLE_MAX, "%s%s%s", bus, slash, nla_get_string(attrs[VDPA_ATTR_MGMTDEV_DEV_NAME]));
        return 0;
}

static uint64_t get_u64(const struct nlattr *a) {
        return a ? nla_get_u64(a) : 0;
}

static uint32_t get_u32(const struct nlattr *a) {
        return a ? nla_get_u32(a) : 0;
}

static uint16_t get_u16(const struct nlattr *a) {
        return a ? nla_get_u16(a) : 0;
}

int vdpa_parse_mgmtdev(struct nlmsghdr *m, MgmtdevInfo *ret) {
        struct nlattr *attrs[_VDPA_ATTR_USED_MAX + 1];
        MgmtdevInfo info = { .numa_node = -1 };
        uint64_t features;
        int r;

        r = parse(m, VDPA_CMD_MGMTDEV_NEW, attrs);
        if (r < 0)
                return r;
        r = get_handle(attrs, info.handle);
        if (r < 0)
                return r;

        /* Bit 0 is the reserved device type. */
        info.classes = get_u64(attrs[VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES]) & ~UINT64_C(1);
        info.max_vqs = get_u32(attrs[VDPA_ATTR_DEV_MGMTDEV_MAX_VQS]);

        /* The kernel has one set of features for all classes. With several classes nobody can say whose bit 5 it
         * is; only the bits that do not depend on the class are sure. */
        features = get_u64(attrs[VDPA_ATTR_DEV_SUPPORTED_FEATURES]);
        if (info.classes & (info.classes - 1))
                features &= FEATURES_OF_ALL_CLASSES;
        for (unsigned class = 1; class <= CLASS_MAX; class ++)
                if (info.classes & (UINT64_C(1) << class))
                        info.features[class] = features;

        *ret = info;
        return 0;
}

static int get_device(struct nlattr **attrs, BackendDevice *ret) {
        int r;

        if (!attrs[VDPA_ATTR_DEV_NAME] || !attrs[VDPA_ATTR_DEV_ID])
                return -EBADMSG;
        r = get_handle(attrs, ret->mgmtdev);
        if (r < 0)
                return r;

        (void) snprintf(ret->name, sizeof ret->name, "%s", nla_get_string(attrs[VDPA_ATTR_DEV_NAME]));
        ret->class = nla_get_u32(attrs[VDPA_ATTR_DEV_ID]);
        return 0;
}

int vdpa_parse_device(struct nlmsghdr *m, BackendDevice *ret) {
        struct nlattr *attrs[_VDPA_ATTR_USED_MAX + 1];
        BackendDevice device = {};
        int r;

        r = parse(m, VDPA_CMD_DEV_NEW, attrs);
        if (r < 0)
                return r;
        r = get_device(attrs, &device);
        if (r < 0)
                return r;

        *ret = device;
        return 0;
}

int vdpa_parse_name(struct nlmsghdr *m, uint8_t command, char ret[DEVICE_NAME_MAX]) {
        struct nlattr *attrs[_VDPA_ATTR_USED_MAX + 1];
        const char *name;
        int r;

        r = parse(m, command, attrs);
        if (r < 0)
                return r;
        if (!attrs[VDPA_ATTR_DEV_NAME])
                return -EBADMSG;
        name = nla_get_string(attrs[VDPA_ATTR_DEV_NAME]);
        if (strlen(name) >= DEVICE_NAME_MAX)
                return -ENAMETOOLONG;

        strcpy(ret, name);
        return 0;
}

int vdpa_parse_status(struct nlmsghdr *m, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *status) {
        struct nlattr *attrs[_VDPA_ATTR_USED_MAX + 1];
        BackendDevice device = {};
        int r;

        r = parse(m, VDPA_CMD_DEV_NEW, attrs);
        if (r < 0)
                return r;
        r = get_device(attrs, &device);
        if (r < 0)
                return r;

        strcpy(ret_mgmtdev, device.mgmtdev);
        status->class = device.class;
        status->vendor_id = get_u32(attrs[VDPA_ATTR_DEV_VENDOR_ID]);
        status->max_vqs = get_u32(attrs[VDPA_ATTR_DEV_MAX_VQS]);
        status->vq_size = get_u16(attrs[VDPA_ATTR_DEV_MAX_VQ_SIZE]);
        return 0;
}

static void get_net(struct nlattr **attrs, NetSpec *ret) {
        *ret = (NetSpec){
                .mtu = get_u16(attrs[VDPA_ATTR_DEV_NET_CFG_MTU]),
                /* Only told of a device with several; without that feature there is exactly one. */
                .max_vqp = attrs[VDPA_ATTR_DEV_NET_CFG_MAX_VQP] ? nla_get_u16(attrs[VDPA_ATTR_DEV_NET_CFG_MAX_VQP])
                                                                : 1,
        };
        if (attrs[VDPA_ATTR_DEV_NET_CFG_MACADDR]) {
                ret->has_mac = true;
                memcpy(ret->mac, nla_data(attrs[VDPA_ATTR_DEV_NET_CFG_MACADDR]), sizeof ret->mac);
        }
}

int vdpa_parse_config(struct nlmsghdr *m, DeviceStatus *status) {
        struct nlattr *attrs[_VDPA_ATTR_USED_MAX + 1];
        const struct nlattr *features;
        uint32_t class;
        int r;

        r = parse(m, VDPA_CMD_DEV_CONFIG_GET, attrs);
        if (r < 0)
                return r;
        if (!attrs[VDPA_ATTR_DEV_ID])
                return -EBADMSG;

        class = nla_get_u32(attrs[VDPA_ATTR_DEV_ID]);
        features = attrs[VDPA_ATTR_DEV_FEATURES];
        if (!features && class != CLASS_BLOCK)
                features = attrs[VDPA_ATTR_21];

        status->has_features = features != NULL;
        status->features = get_u64(features);
        if (class == CLASS_NET)
                get_net(attrs, &status->net);
        return 0;
}

/* Names and values come in turn, in one flat list, so that no table of attributes can hold them. */
int vdpa_parse_stats(struct nlmsghdr *m, uint32_t queue, BackendStat *stats, size_t max, size_t *ret_n) {
        struct nlattr *attrs[_VDPA_ATTR_USED_MAX + 1], *a;
        const char *name = NULL;
        size_t n = 0;
        int left, r;

        /* This checks every attribute against the policy, also those that come more than once. */
        r = parse(m, VDPA_CMD_DEV_VSTATS_GET, attrs);
        if (r < 0)
                return r;

        nla_for_each_attr(a, genlmsg_attrdata(nlmsg_data(m), 0), genlmsg_attrlen(nlmsg_data(m), 0), left) {
                if (nla_type(a) == VDPA_ATTR_DEV_VENDOR_ATTR_NAME)
                        name = nla_get_string(a);
                if (nla_type(a) != VDPA_ATTR_DEV_VENDOR_ATTR_VALUE || !name || n >= max)
                        continue;
                stats[n] = (BackendStat){ .queue = queue, .value = nla_get_u64(a) };
                (void) snprintf(stats[n].name, sizeof stats[n].name, "%s", name);
                name = NULL;
                n++;
        }

        *ret_n = n;
        return 0;
}

uint32_t vdpa_parse_refused(const char *extack) {
        static const char words[] = "attributes are not supported: 0x";
        static const uint8_t numbers[_ATTRIBUTE_MAX] = {
                [ATTRIBUTE_MAC] = VDPA_ATTR_DEV_NET_CFG_MACADDR,
                [ATTRIBUTE_MTU] = VDPA_ATTR_DEV_NET_CFG_MTU,
                [ATTRIBUTE_MAX_VQP] = VDPA_ATTR_DEV_NET_CFG_MAX_VQP,
                [ATTRIBUTE_FEATURES] = VDPA_ATTR_DEV_FEATURES,
        };
        const char *digits = strstr(extack, words);
        uint32_t attributes = 0;
        uint64_t mask;
        char *end;

        if (!digits)
                return 0;
        digits += strlen(words);
        mask = strtoull(digits, &end, 16);
        if (!isxdigit((unsigned char) digits[0]) || *end)
                return 0;

        for (MgmtdevAttribute i = 0; i < _ATTRIBUTE_MAX; i++)
                if (numbers[i] > 0 && mask >> numbers[i] & 1)
                        attributes |= 1u << i;
        return attributes;
}
