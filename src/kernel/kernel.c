/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/kernel.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernel/binding.h"
#include "kernel/capacity.h"
#include "kernel/context.h"
#include "kernel/creation.h"
#include "kernel/failure.h"
#include "kernel/netdev.h"
#include "kernel/observation.h"
#include "kernel/pci.h"
#include "kernel/release.h"
#include "kernel/users.h"
#include "kernel/vdpa-netlink.h"
#include "kernel/vdpa-sysfs.h"
#include "kernel/vdpa-uapi.h"
#include "util/crash.h"

static int kernel_get_host(Backend *b, BackendHost *ret, Failure *f) {
        KernelBackend *k = kernel_backend(b);
        BackendHost host = {};
        Failure why = FAILURE_INIT;

        autoprobe_apply(k->autoprobe);
        host.can_vhost_vdpa = vdpa_sysfs_has_driver(k->root, BUS_DRIVER_VHOST_VDPA);
        host.can_virtio_vdpa = vdpa_sysfs_has_driver(k->root, BUS_DRIVER_VIRTIO_VDPA);
        host.autoprobe = vdpa_sysfs_get_autoprobe(k->root);
        if (vdpa_netlink_probe(k->netlink, &why) < 0)
                (void) strlcpy(host.reason, why.detail, sizeof host.reason);
        else if (!vdpa_sysfs_has_bus(k->root))
                (void) snprintf(host.reason, sizeof host.reason,
                                "The kernel has vDPA, but there is no /sys/bus/vdpa: mount sysfs on /sys.");
        else
                host.available = true;

        *ret = host;
        return 0;
}

static int kernel_list_devices(Backend *b, BackendDevice **ret, size_t *ret_n, Failure *f) {
        KernelBackend *k = kernel_backend(b);

        snapshot_expire(&k->snapshot);
        return vdpa_netlink_list_devices(k->netlink, ret, ret_n, f);
}

static int kernel_list_sriov(Backend *b, BackendSriov **ret, size_t *ret_n, Failure *f) {
        KernelBackend *k = kernel_backend(b);

        if (pci_list_sriov(k->root, ret, ret_n) < 0)
                return kernel_failure_oom(f);

        for (size_t i = 0; i < *ret_n; i++)
                if (!devlink_get_max_subfunctions(k->devlink, (*ret)[i].pf, &(*ret)[i].max_subfunctions))
                        (*ret)[i].max_subfunctions = 0;
        return 0;
}

static void describe_mgmtdev(KernelBackend *k, MgmtdevInfo *info) {
        char made[DEVICE_NAME_MAX];
        Failure f = FAILURE_INIT;

        capacity_describe(k->root, k->devlink, info);
        if (msix_is_in_force(k->msix, info))
                info->capacity[RESOURCE_MSIS].enforcer = ENFORCER_KERNEL;
        accepts_describe(k->accepts, k->netlink, info, made);
        if (made[0])
                (void) creation_delete(k, made, NULL, &f);
}

static int kernel_list_mgmtdevs(Backend *b, MgmtdevInfo **ret, size_t *ret_n, Failure *f) {
        KernelBackend *k = kernel_backend(b);
        MgmtdevInfo *infos;
        size_t n_all, n = 0;
        int r;

        r = vdpa_netlink_list_mgmtdevs(k->netlink, &infos, &n_all, f);
        if (r < 0)
                return r;

        msix_apply(k->msix);
        devlink_refresh(k->devlink);
        accepts_begin_listing(k->accepts);
        for (size_t i = 0; i < n_all; i++) {
                if (!handle_is_valid(infos[i].handle))
                        continue;
                infos[n] = infos[i];
                describe_mgmtdev(k, &infos[n++]);
        }
        accepts_end_listing(k->accepts);

        *ret = infos;
        *ret_n = n;
        return 0;
}

static void kernel_prepare(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec) {
        creation_prepare(kernel_backend(b), name, mgmtdev, spec);
}

static int kernel_create(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        return creation_make(kernel_backend(b), name, mgmtdev, spec, f);
}

/* What is made one after the other mostly goes this way. */
static bool take_next(KernelBackend *k, const char *name) {
        uint64_t seen_at = uevent_count(k->uevent_counter), inode;
        Endpoint endpoint;

        if (!binding_take_next(k->root, name, &k->found.endpoint, &endpoint, &inode))
                return false;
        observation_note_endpoint(k, name, BUS_DRIVER_VHOST_VDPA, &endpoint, seen_at);
        creation_note_bound(k, name, inode);
        return true;
}

static int kernel_bind(Backend *b, const char *name, BusDriver driver, Failure *f) {
        KernelBackend *k = kernel_backend(b);
        bool is_new = creation_is_unpublished(k, name);
        BusDriver before = driver;
        Endpoint endpoint;
        int r;

        if (is_new && driver == BUS_DRIVER_VHOST_VDPA && take_next(k, name))
                return 0;
        if (!is_new)
                (void) vdpa_sysfs_get_driver(k->root, name, &before);
        r = binding_attach(k->root, &k->detached, name, driver, is_new, f);
        if (r < 0)
                return r;
        r = binding_wait(k->root, name, driver, &endpoint, f);
        if (r < 0)
                return r;
        observation_note_endpoint(k, name, driver, &endpoint, 0);

        /* The node is new, so that it has no user yet. */
        if (driver == BUS_DRIVER_VHOST_VDPA && (before != driver || is_new))
                creation_note_bound(k, name, 0);
        return 0;
}

static int kernel_publish(Backend *b, const char *name, const EndpointSpec *spec, Failure *f) {
        KernelBackend *k = kernel_backend(b);
        bool is_new = creation_is_unpublished(k, name);
        Endpoint endpoint = k->found.endpoint;
        BusDriver driver;
        int r = 0;

        if (is_new)
                k->made.is_published = true;
        if (!is_new || strcmp(k->found.name, name) != 0)
                r = observation_find_endpoint(k, name, &driver, &endpoint, f);
        if (r < 0)
                return r;
        r = endpoint_publish(k->root, &endpoint, spec);
        if (r < 0)
                return failure_set(f, kernel_error_code(r, ERROR_BACKEND_FAILED), r,
                                   "Could not set owner and mode of the endpoint of '%s': %s.", name,
                                   kernel_error_text(r));

        if (endpoint.kind != ENDPOINT_VHOST || !is_new)
                device_notes_take(k->notes, name);
        observation_note_access(k, name, spec);
        return 0;
}

/* The kernel answers with success also where it has done nothing. */
static int set_device_mac(KernelBackend *k, const char *name, const uint8_t mac[6], Failure *f) {
        DeviceStatus status = {};
        int r;

        snapshot_forget(&k->snapshot, name);
        k->made.answers.has_config = false;
        r = vdpa_netlink_set_mac(k->netlink, name, mac, f);
        if (r < 0)
                return r;
        r = vdpa_netlink_get_config(k->netlink, name, &status, f);
        if (r < 0)
                return r;
        if (!status.net.has_mac || memcmp(status.net.mac, mac, sizeof status.net.mac) != 0)
                return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                                   "The management device of '%s' does not set MAC addresses in place.", name);

        return 0;
}

/* An interface of virtio_vdpa has a copy of the address, from when it was made; it has to be told, too. */
static int kernel_set_mac(Backend *b, const char *name, const uint8_t mac[6], Failure *f) {
        KernelBackend *k = kernel_backend(b);
        Endpoint endpoint = {};
        BusDriver driver;
        int r;

        r = observation_find_endpoint(k, name, &driver, &endpoint, f);
        if (r < 0)
                return r;
        if (endpoint.kind == ENDPOINT_NETDEV_MOVED)
                return failure_set(
                        f, ERROR_IN_USE, EBUSY,
                        "The interface of '%s' is in another network namespace, where its address cannot be "
                        "set from here.",
                        name);

        r = set_device_mac(k, name, mac, f);
        CRASH_POINT(KERNEL_MAC_SET);
        if (r < 0 || endpoint.kind != ENDPOINT_NETDEV)
                return r;
        r = netdev_set_mac(endpoint.name, mac);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_FAILED, r,
                                   "The device '%s' has the new MAC address, but its interface %s does not: %s.",
                                   name, endpoint.name, kernel_error_text(r));

        return 0;
}

static int kernel_observe(Backend *b, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret,
                          Failure *f) {
        return observation_look(kernel_backend(b), name, ret_mgmtdev, ret, f);
}

static void kernel_observe_all(Backend *b) {
        KernelBackend *k = kernel_backend(b);

        snapshot_take(&k->snapshot, k->netlink, uevent_count(k->uevent_counter));
}

static int kernel_destroy(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        KernelBackend *k = kernel_backend(b);

        return creation_delete(k, name, ret_users, f);
}

/* The kernel resets a device that loses its driver. It keeps counting. */
static int kernel_scrub(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        KernelBackend *k = kernel_backend(b);

        return release_device(k->root, &k->detached, name, BUS_DRIVER_NONE, ret_users, f);
}

static bool kernel_is_ours(Backend *b, const char *name) {
        return device_notes_is_ours(kernel_backend(b)->notes, name);
}

static const char *kernel_get_command(Backend *b) {
        static const char *const names[] = {
                [2] = "VDPA_CMD_MGMTDEV_GET",  [3] = "VDPA_CMD_DEV_NEW",        [4] = "VDPA_CMD_DEV_DEL",
                [5] = "VDPA_CMD_DEV_GET",      [6] = "VDPA_CMD_DEV_CONFIG_GET", [7] = "VDPA_CMD_DEV_VSTATS_GET",
                [8] = "VDPA_CMD_DEV_ATTR_SET",
        };
        KernelBackend *k = kernel_backend(b);
        int command = genl_socket_command(k->netlink);

        if (command < 0)
                command = maker_command(k->maker);
        return command >= 0 && (size_t) command < ELEMENTSOF(names) ? names[command] : NULL;
}

static int kernel_find_users(Backend *b, const char *name, DeviceUsers *ret) {
        KernelBackend *k = kernel_backend(b);
        DeviceUsers users = {};
        Endpoint endpoint;
        BusDriver driver;
        int r;

        r = vdpa_sysfs_get_driver(k->root, name, &driver);
        if (r >= 0)
                r = endpoint_find(k->root, name, driver, &endpoint);
        if (r >= 0)
                r = users_find(k->root, &endpoint, &users);
        if (r >= 0)
                *ret = users;
        return r;
}

static int kernel_get_stats(Backend *b, const char *name, BackendStat **ret, size_t *ret_n, Failure *f) {
        return vdpa_netlink_get_stats(kernel_backend(b)->netlink, name, ret, ret_n, f);
}

static int kernel_check_idle(Backend *b, const char *name, Failure *f) {
        KernelBackend *k = kernel_backend(b);

        return release_check_idle(k->root, &k->detached, name, f);
}

static int kernel_watch(Backend *b, sd_event *event, const BackendWatcher *watcher) {
        return uevent_monitor_new(event, watcher, &kernel_backend(b)->uevents);
}

static void kernel_unwatch(Backend *b) {
        KernelBackend *k = kernel_backend(b);

        k->uevents = uevent_monitor_free(k->uevents);
}

static KernelBackend *kernel_backend_free(KernelBackend *k) {
        uevent_monitor_free(k->uevents);
        detached_done(&k->detached);
        snapshot_done(&k->snapshot);
        maker_free(k->maker);
        genl_socket_free(k->netlink);
        accepts_free(k->accepts);
        devlink_free(k->devlink);
        msix_free(k->msix);
        autoprobe_free(k->autoprobe);
        device_notes_free(k->notes);
        if (k->uevent_counter >= 0)
                (void) close(k->uevent_counter);
        free(k);
        return NULL;
}
DEFINE_CLEANUP(KernelBackend *, kernel_backend_free)

static Backend *kernel_free(Backend *b) {
        kernel_backend_free(kernel_backend(b));
        return NULL;
}

/* No driver lets anyone choose them: what is held is our account of what it takes. */
static int kernel_assign(Backend *b, const char *name, const DeviceResources *resources, Failure *f) {
        return 0;
}

static const BackendOps kernel_ops = {
        .name = "kernel",
        .get_host = kernel_get_host,
        .list_mgmtdevs = kernel_list_mgmtdevs,
        .list_devices = kernel_list_devices,
        .list_sriov = kernel_list_sriov,
        .prepare = kernel_prepare,
        .create = kernel_create,
        .assign = kernel_assign,
        .bind = kernel_bind,
        .publish = kernel_publish,
        .observe = kernel_observe,
        .observe_all = kernel_observe_all,
        .set_mac = kernel_set_mac,
        .destroy = kernel_destroy,
        .scrub = kernel_scrub,
        .is_ours = kernel_is_ours,
        .get_command = kernel_get_command,
        .find_users = kernel_find_users,
        .get_stats = kernel_get_stats,
        .check_idle = kernel_check_idle,
        .watch = kernel_watch,
        .unwatch = kernel_unwatch,
        .free = kernel_free,
};

int kernel_backend_new(const char *root, const char *runtime_dir, bool exclusive,
                       const ConfiguredMgmtdev *configured, size_t n_configured, Backend **ret) {
        _cleanup_(kernel_backend_freep) KernelBackend *k = NULL;
        int r;

        if (strlen(root) >= ROOT_MAX)
                return -ENAMETOOLONG;
        k = calloc(1, sizeof *k);
        if (!k)
                return -ENOMEM;

        k->backend.ops = &kernel_ops;
        strcpy(k->root, root);
        k->uevent_counter = uevent_counter_open(root);

        /* Before a core is dumped the kernel waits for every thread, with all descriptors open; and a thread that
         * unbinds waits for one of those to be closed (see kernel/detached.c): neither would ever end. */
        (void) prctl(PR_SET_DUMPABLE, 0);
        r = genl_socket_new(VDPA_FAMILY, &k->netlink);
        if (r < 0)
                return r;
        r = maker_new(&k->maker);
        if (r >= 0)
                r = accepts_new(k->root, &k->accepts);
        if (r >= 0)
                r = devlink_new(k->root, &k->devlink);
        if (r >= 0)
                r = msix_new(k->root, configured, n_configured, &k->msix);
        if (r >= 0)
                r = autoprobe_new(k->root, runtime_dir, exclusive, &k->autoprobe);
        if (r >= 0)
                r = device_notes_new(k->root, runtime_dir, &k->notes);
        if (r < 0)
                return r;

        *ret = &TAKE_PTR(k)->backend;
        return 0;
}
