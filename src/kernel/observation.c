/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/observation.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/failure.h"
#include "kernel/netdev.h"
#include "kernel/vdpa-sysfs.h"

void observation_note_endpoint(KernelBackend *k, const char *name, BusDriver driver, const Endpoint *endpoint) {
        (void) strlcpy(k->found.name, name, sizeof k->found.name);
        k->found.driver = driver;
        k->found.endpoint = *endpoint;
}

int observation_find_endpoint(KernelBackend *k, const char *name, BusDriver *ret_driver, Endpoint *ret,
                              Failure *f) {
        Endpoint endpoint = {};
        BusDriver driver;
        int r;

        r = vdpa_sysfs_get_driver(k->root, name, &driver);
        if (r < 0)
                return kernel_failure_sysfs(f, name, r);
        if (strcmp(k->found.name, name) != 0 || k->found.driver != driver ||
            !endpoint_is_current(k->root, &k->found.endpoint)) {
                r = endpoint_find(k->root, name, driver, &endpoint);
                if (r < 0 && r != -ENOTUNIQ)
                        return endpoint_failure(k->root, name, driver, r, f);
                observation_note_endpoint(k, name, driver, &endpoint);
        }

        *ret_driver = driver;
        *ret = k->found.endpoint;
        return 0;
}

/* The interface of virtio_vdpa has taken the address from the device when it was made. A daemon that dies between
 * the two changes of an address leaves it the old one, and so can others: then that is the one in effect. An
 * address that the device does not have is not the interface's choice either. */
static void observe_interface(const Endpoint *endpoint, NetSpec *net) {
        static const uint8_t none[6];
        uint8_t mac[6];

        if (endpoint->kind == ENDPOINT_NETDEV && net->has_mac && memcmp(net->mac, none, 6) != 0 &&
            netdev_get_mac(endpoint->name, mac) >= 0)
                memcpy(net->mac, mac, 6);
}

static void take_config(const DeviceStatus *config, DeviceStatus *ret) {
        ret->has_features = config->has_features;
        ret->features = config->features;
        ret->net = config->net;
}

/* What the kernel says of the device; with seen_at, unless it has said so before. Of the one that was made last
 * some of it is known, and all of it where the configuration was asked for as well. */
static int ask_kernel(KernelBackend *k, const char *name, bool is_ours, uint64_t seen_at,
                      char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret, Failure *f) {
        bool is_known = is_ours && strcmp(k->made.name, name) == 0;
        const VdpaStatus *seen = is_known ? NULL : snapshot_find(&k->snapshot, name);
        int r = 0;

        if (seen) {
                (void) strlcpy(ret_mgmtdev, seen->mgmtdev, HANDLE_MAX);
                *ret = seen->status;
                return 0;
        }
        if (is_known) {
                (void) strlcpy(ret_mgmtdev, k->made.kind.mgmtdev, HANDLE_MAX);
                *ret = k->made.status;
        } else
                r = vdpa_netlink_get(k->netlink, name, ret_mgmtdev, ret, f);
        if (r < 0)
                return r;

        ret->seen_at = seen_at;
        if (is_known && k->made.has_config) {
                k->made.has_config = false;
                take_config(&k->made.config, ret);
                return 0;
        }
        /* Only net and block have a configuration that the kernel can tell. */
        r = vdpa_netlink_get_config(k->netlink, name, ret, f);
        return r == -EOPNOTSUPP ? 0 : r;
}

int observation_look(KernelBackend *k, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret,
                     Failure *f) {
        uint64_t seen_at = uevent_count(k->root);
        DeviceStatus status = {};
        VhostGroups groups;
        Endpoint endpoint;
        BusDriver driver = BUS_DRIVER_NONE;
        bool is_ours;
        int r;

        r = observation_find_endpoint(k, name, &driver, &endpoint, f);
        if (r < 0)
                return r;
        is_ours = device_notes_get_groups(k->notes, name, &groups);
        r = ask_kernel(k, name, is_ours, seen_at, ret_mgmtdev, &status, f);
        if (r < 0)
                return r;
        status.driver = driver;
        status.n_vq_groups = groups.n_vq_groups;
        status.n_address_spaces = groups.n_address_spaces;
        status.vq_groups = groups.vqs;
        (void) snprintf(status.endpoint, sizeof status.endpoint, "%s", endpoint.name);
        status.is_unsettled = endpoint_may_be_renamed(k->root, &endpoint);
        status.has_access = endpoint_get_access(k->root, &endpoint, &status.access);
        observe_interface(&endpoint, &status.net);

        *ret = status;
        return 0;
}
