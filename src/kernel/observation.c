/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/observation.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/failure.h"
#include "kernel/netdev.h"
#include "kernel/vdpa-sysfs.h"

void observation_note_endpoint(KernelBackend *k, const char *name, BusDriver driver, const Endpoint *endpoint,
                               uint64_t seen_at) {
        k->found = (Found){ .driver = driver, .endpoint = *endpoint, .seen_at = seen_at };
        (void) strlcpy(k->found.name, name, sizeof k->found.name);
}

void observation_note_access(KernelBackend *k, const char *name, const EndpointSpec *access) {
        if (k->found.seen_at == 0 || strcmp(k->found.name, name) != 0)
                return;
        k->found.has_access = true;
        k->found.access = *access;
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
                observation_note_endpoint(k, name, driver, &endpoint, 0);
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
                (void) strlcpy(ret_mgmtdev, k->made.mgmtdev, HANDLE_MAX);
                *ret = k->made.answers.status;
        } else
                r = vdpa_netlink_get(k->netlink, name, ret_mgmtdev, ret, f);
        if (r < 0)
                return r;

        ret->seen_at = seen_at;
        if (is_known && k->made.answers.has_config) {
                k->made.answers.has_config = false;
                take_config(&k->made.answers.config, ret);
                return 0;
        }
        return vdpa_netlink_get_config(k->netlink, name, ret, f);
}

/* What sysfs and our notes say. */
typedef struct Sight {
        uint64_t at; /* uevent_count() */
        BusDriver driver;
        Endpoint endpoint;
        VhostGroups groups;
        bool is_ours, has_access;
        EndpointSpec access;
} Sight;

/* Of the device that was made, bound and published just now, and of no other: what is known of it, once. Whatever
 * others have done since comes with events that are not counted yet. */
static bool see_new(KernelBackend *k, const char *name, Sight *ret) {
        if (k->found.seen_at == 0 || strcmp(k->found.name, name) != 0 || strcmp(k->made.name, name) != 0)
                return false;

        *ret = (Sight){
                .at = k->found.seen_at,
                .driver = k->found.driver,
                .endpoint = k->found.endpoint,
                .groups = k->made.answers.groups,
                .is_ours = true,
                .has_access = k->found.has_access,
                .access = k->found.access,
        };
        k->found.seen_at = 0;
        return true;
}

static int see(KernelBackend *k, const char *name, Sight *ret, Failure *f) {
        int r;

        ret->at = uevent_count(k->uevent_counter);
        r = observation_find_endpoint(k, name, &ret->driver, &ret->endpoint, f);
        if (r >= 0)
                ret->is_ours = device_notes_get_groups(k->notes, name, &ret->groups);
        return r;
}

int observation_look(KernelBackend *k, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret,
                     Failure *f) {
        DeviceStatus status = {};
        Sight sight = {};
        int r;

        r = see_new(k, name, &sight) ? 0 : see(k, name, &sight, f);
        if (r >= 0)
                r = ask_kernel(k, name, sight.is_ours, sight.at, ret_mgmtdev, &status, f);
        if (r < 0)
                return r;
        status.driver = sight.driver;
        status.n_vq_groups = sight.groups.n_vq_groups;
        status.n_address_spaces = sight.groups.n_address_spaces;
        status.vq_groups = sight.groups.vqs;
        (void) snprintf(status.endpoint, sizeof status.endpoint, "%s", sight.endpoint.name);
        status.is_unsettled = endpoint_may_be_renamed(k->root, &sight.endpoint);
        status.access = sight.access;
        status.has_access = sight.has_access || endpoint_get_access(k->root, &sight.endpoint, &status.access);
        observe_interface(&sight.endpoint, &status.net);

        *ret = status;
        return 0;
}
