/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/netdev.h"

#include <bsd/string.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-device.h>

#include "util/macro.h"

bool netdev_is_settled(const char *ifname) {
        _cleanup_(sd_device_unrefp) sd_device *device = NULL;
        int r;

        if (access("/run/udev/control", F_OK) < 0)
                return true;

        /* It has gone, or has another name: there is something to wait for. */
        r = sd_device_new_from_ifname(&device, ifname);
        return r >= 0 && sd_device_get_is_initialized(device) > 0;
}

static int request_address(const char *ifname, unsigned long what, struct ifreq *request) {
        _cleanup_close_ int fd = -1;

        if (strlcpy(request->ifr_name, ifname, sizeof request->ifr_name) >= sizeof request->ifr_name)
                return -ENODEV;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        return ioctl(fd, what, request) < 0 ? -errno : 0;
}

int netdev_get_mac(const char *ifname, uint8_t ret[6]) {
        struct ifreq request = {};
        int r;

        r = request_address(ifname, SIOCGIFHWADDR, &request);
        if (r < 0)
                return r;
        if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
                return -EMEDIUMTYPE;

        memcpy(ret, request.ifr_hwaddr.sa_data, 6);
        return 0;
}

int netdev_set_mac(const char *ifname, const uint8_t mac[6]) {
        struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

        memcpy(request.ifr_hwaddr.sa_data, mac, 6);
        return request_address(ifname, SIOCSIFHWADDR, &request);
}
