/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/devlink-codec.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <string.h>

#include "kernel/genl.h"
#include "util/macro.h"

enum {
        COMMAND_PORT_GET = 5,
        COMMAND_PORT_NEW = 7, /* in replies to PORT_GET */
        COMMAND_RESOURCE_DUMP = 36,
};

enum {
        ATTR_BUS_NAME = 1,
        ATTR_DEV_NAME = 2,
        ATTR_RESOURCE_LIST = 63, /* nest of RESOURCE */
        ATTR_RESOURCE = 64,      /* nest of NAME, SIZE, and RESOURCE_LIST of what it consists of */
        ATTR_RESOURCE_NAME = 65,
        ATTR_RESOURCE_SIZE = 67,       /* u64 */
        ATTR_PORT_FLAVOUR = 77,        /* u16 */
        ATTR_PORT_PCI_VF_NUMBER = 128, /* u16 */
        ATTR_PORT_FUNCTION = 145,      /* nest */
        ATTR_PORT_EXTERNAL = 149,      /* u8 */
        ATTR_PORT_PCI_SF_NUMBER = 164, /* u32 */
        _ATTR_USED_MAX = ATTR_PORT_PCI_SF_NUMBER,
};

/* Of the nest PORT_FUNCTION. */
enum {
        FUNCTION_ATTR_DEVLINK = 5,    /* nest of BUS_NAME, DEV_NAME; since Linux 6.7 */
        FUNCTION_ATTR_MAX_IO_EQS = 6, /* u32; since Linux 6.10 */
        _FUNCTION_ATTR_USED_MAX = FUNCTION_ATTR_MAX_IO_EQS,
};

enum {
        FLAVOUR_PCI_VF = 4,
        FLAVOUR_PCI_SF = 7,
};

#define RESOURCE_DEPTH_MAX 4

/* The sizes are lower bounds, and NLA_STRING means a string with its NUL: libnl checks both. */
static const struct nla_policy policy[_ATTR_USED_MAX + 1] = {
        [ATTR_BUS_NAME] = { .type = NLA_STRING },        [ATTR_DEV_NAME] = { .type = NLA_STRING },
        [ATTR_RESOURCE_LIST] = { .type = NLA_NESTED },   [ATTR_RESOURCE] = { .type = NLA_NESTED },
        [ATTR_RESOURCE_NAME] = { .type = NLA_STRING },   [ATTR_RESOURCE_SIZE] = { .type = NLA_U64 },
        [ATTR_PORT_FLAVOUR] = { .type = NLA_U16 },       [ATTR_PORT_PCI_VF_NUMBER] = { .type = NLA_U16 },
        [ATTR_PORT_FUNCTION] = { .type = NLA_NESTED },   [ATTR_PORT_EXTERNAL] = { .type = NLA_U8 },
        [ATTR_PORT_PCI_SF_NUMBER] = { .type = NLA_U32 },
};

static const struct nla_policy function_policy[_FUNCTION_ATTR_USED_MAX + 1] = {
        [FUNCTION_ATTR_DEVLINK] = { .type = NLA_NESTED },
        [FUNCTION_ATTR_MAX_IO_EQS] = { .type = NLA_U32 },
};

static int build(uint8_t command, int flags, struct nl_msg **ret) {
        return genl_build(command, DEVLINK_FAMILY_VERSION, flags, ret);
}

int devlink_build_port_dump(struct nl_msg **ret) {
        return build(COMMAND_PORT_GET, NLM_F_DUMP, ret);
}

int devlink_build_resources(const char *handle, struct nl_msg **ret) {
        _cleanup_(nlmsg_freep) struct nl_msg *m = NULL;
        const char *slash = strchr(handle, '/');
        char bus[HANDLE_MAX];
        int r;

        if (!slash || (size_t) (slash - handle) >= sizeof bus)
                return -ENOMEM;
        (void) snprintf(bus, sizeof bus, "%.*s", (int) (slash - handle), handle);
        r = build(COMMAND_RESOURCE_DUMP, 0, &m);
        if (r < 0)
                return r;
        if (nla_put_string(m, ATTR_BUS_NAME, bus) < 0 || nla_put_string(m, ATTR_DEV_NAME, slash + 1) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(m);
        return 0;
}

static int parse(struct nlmsghdr *m, uint8_t command, struct nlattr *attrs[_ATTR_USED_MAX + 1]) {
        const struct genlmsghdr *header;

        if (!genlmsg_valid_hdr(m, 0))
                return -EBADMSG;
        header = nlmsg_data(m);
        if (header->cmd != command)
                return -EBADMSG;

        return genlmsg_parse(m, 0, attrs, _ATTR_USED_MAX, policy) < 0 ? -EBADMSG : 0;
}

static int get_handle(struct nlattr **attrs, char ret[HANDLE_MAX]) {
        const char *bus, *device;
        size_t n;

        if (!attrs[ATTR_BUS_NAME] || !attrs[ATTR_DEV_NAME])
                return -EBADMSG;
        bus = nla_get_string(attrs[ATTR_BUS_NAME]);
        device = nla_get_string(attrs[ATTR_DEV_NAME]);
        n = strlen(bus);
        if (n + 1 + strlen(device) >= HANDLE_MAX)
                return -ENAMETOOLONG;

        memcpy(ret, bus, n);
        ret[n] = '/';
        strcpy(ret + n + 1, device);
        return 0;
}

static void get_flavour(struct nlattr **attrs, DevlinkPort *port) {
        unsigned flavour = attrs[ATTR_PORT_FLAVOUR] ? nla_get_u16(attrs[ATTR_PORT_FLAVOUR]) : 0;

        if (flavour == FLAVOUR_PCI_VF && attrs[ATTR_PORT_PCI_VF_NUMBER]) {
                port->flavour = DEVLINK_FLAVOUR_PCI_VF;
                port->number = nla_get_u16(attrs[ATTR_PORT_PCI_VF_NUMBER]);
        } else if (flavour == FLAVOUR_PCI_SF && attrs[ATTR_PORT_PCI_SF_NUMBER]) {
                port->flavour = DEVLINK_FLAVOUR_PCI_SF;
                port->number = nla_get_u32(attrs[ATTR_PORT_PCI_SF_NUMBER]);
        }
        port->is_external = attrs[ATTR_PORT_EXTERNAL] && nla_get_u8(attrs[ATTR_PORT_EXTERNAL]);
}

static int get_function(struct nlattr *nest, DevlinkPort *port) {
        struct nlattr *function[_FUNCTION_ATTR_USED_MAX + 1], *attrs[_ATTR_USED_MAX + 1];

        if (nla_parse_nested(function, _FUNCTION_ATTR_USED_MAX, nest, function_policy) < 0)
                return -EBADMSG;
        if (function[FUNCTION_ATTR_MAX_IO_EQS]) {
                port->has_max_io_eqs = true;
                port->max_io_eqs = nla_get_u32(function[FUNCTION_ATTR_MAX_IO_EQS]);
        }
        if (!function[FUNCTION_ATTR_DEVLINK])
                return 0;
        if (nla_parse_nested(attrs, _ATTR_USED_MAX, function[FUNCTION_ATTR_DEVLINK], policy) < 0)
                return -EBADMSG;

        return get_handle(attrs, port->function_handle);
}

int devlink_parse_port(struct nlmsghdr *m, DevlinkPort *ret) {
        struct nlattr *attrs[_ATTR_USED_MAX + 1];
        DevlinkPort port = {};
        int r;

        r = parse(m, COMMAND_PORT_NEW, attrs);
        if (r >= 0)
                r = get_handle(attrs, port.switch_handle);
        if (r >= 0 && attrs[ATTR_PORT_FUNCTION])
                r = get_function(attrs[ATTR_PORT_FUNCTION], &port);
        if (r < 0)
                return r;

        get_flavour(attrs, &port);
        *ret = port;
        return 0;
}

/* What one message adds up to. */
typedef struct ResourceSum {
        const char *name;
        bool found;
        uint64_t size;
} ResourceSum;

static int add_list(struct nlattr *list, unsigned depth, ResourceSum *sum);

static int add_resource(struct nlattr *resource, unsigned depth, ResourceSum *sum) {
        struct nlattr *attrs[_ATTR_USED_MAX + 1];
        uint64_t size;

        if (nla_parse_nested(attrs, _ATTR_USED_MAX, resource, policy) < 0 || !attrs[ATTR_RESOURCE_NAME] ||
            !attrs[ATTR_RESOURCE_SIZE])
                return -EBADMSG;

        if (strcmp(nla_get_string(attrs[ATTR_RESOURCE_NAME]), sum->name) == 0) {
                size = nla_get_u64(attrs[ATTR_RESOURCE_SIZE]);
                sum->found = true;
                sum->size = sum->size + size < size ? UINT64_MAX : sum->size + size;
        }

        return attrs[ATTR_RESOURCE_LIST] && depth < RESOURCE_DEPTH_MAX
                       ? add_list(attrs[ATTR_RESOURCE_LIST], depth + 1, sum)
                       : 0;
}

static int add_list(struct nlattr *list, unsigned depth, ResourceSum *sum) {
        struct nlattr *a;
        int left, r;

        nla_for_each_nested(a, list, left) {
                if (nla_type(a) != ATTR_RESOURCE)
                        continue;
                r = add_resource(a, depth, sum);
                if (r < 0)
                        return r;
        }

        return 0;
}

int devlink_parse_resource(struct nlmsghdr *m, const char *name, bool *found, uint64_t *size) {
        struct nlattr *attrs[_ATTR_USED_MAX + 1];
        ResourceSum sum = { .name = name, .size = *size };
        int r;

        r = parse(m, COMMAND_RESOURCE_DUMP, attrs);
        if (r >= 0 && attrs[ATTR_RESOURCE_LIST])
                r = add_list(attrs[ATTR_RESOURCE_LIST], 1, &sum);
        if (r < 0)
                return r;

        *found = *found || sum.found;
        *size = sum.size;
        return 0;
}
