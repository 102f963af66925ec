/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>

#include "kernel/driver-writes.h"
#include "kernel/endpoint.h"
#include "util/clock.h"

/* A kernel that does not know the question, or a driver that has no answer, leaves 0. */
static uint32_t ask(int fd, unsigned long question) {
        uint32_t answer = 0;

        return ioctl(fd, question, &answer) < 0 ? 0 : answer;
}

/* Of virtqueues only the owner may ask, which we are until the node is closed. None is known if one is not. */
static VqGroups ask_vqs(int fd) {
        uint32_t n = ask(fd, VHOST_VDPA_GET_VQS_COUNT);
        VqGroups groups = {};

        if (ioctl(fd, VHOST_SET_OWNER) < 0)
                return (VqGroups){};
        for (uint32_t i = 0; i < n; i++) {
                struct vhost_vring_state state = { .index = i };

                if (ioctl(fd, VHOST_VDPA_GET_VRING_GROUP, &state) < 0 || state.num > UINT16_MAX ||
                    vq_groups_append(&groups, (uint16_t) state.num) < 0)
                        return (VqGroups){};
        }

        return groups;
}

int vhost_ask_groups(const char *root, Detached *detached, const char *name, VhostGroups *ret) {
        _cleanup_close_ int fd = -1;
        char path[SYSFS_PATH_MAX];
        Endpoint endpoint;
        int r;

        r = endpoint_find(root, name, BUS_DRIVER_VHOST_VDPA, &endpoint);
        if (r < 0)
                return r;
        if (endpoint.kind != ENDPOINT_VHOST || !endpoint.name[0])
                return -ENOENT;
        r = sysfs_path(path, "%s%s", root, endpoint.name);
        if (r < 0)
                return r;

        fd = r = detached_open(detached, name, path, O_RDWR, clock_monotonic_usec() + DRIVER_WRITES_USEC);
        if (r < 0)
                return r;
        if (!endpoint_is_node(&endpoint, fd))
                return -ENXIO;

        *ret = (VhostGroups){
                .n_vq_groups = ask(fd, VHOST_VDPA_GET_GROUP_NUM),
                .n_address_spaces = ask(fd, VHOST_VDPA_GET_AS_NUM),
                .vqs = ask_vqs(fd),
        };
        return 0;
}
