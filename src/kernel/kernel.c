/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/kernel.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "kernel/accepts.h"
#include "kernel/autoprobe.h"
#include "kernel/binding.h"
#include "kernel/capacity.h"
#include "kernel/device-notes.h"
#include "kernel/devlink.h"
#include "kernel/endpoint.h"
#include "kernel/failure.h"
#include "kernel/msix.h"
#include "kernel/netdev.h"
#include "kernel/pci.h"
#include "kernel/release.h"
#include "kernel/snapshot.h"
#include "kernel/uevent.h"
#include "kernel/users.h"
#include "kernel/vdpa-netlink.h"
#include "kernel/vdpa-sysfs.h"
#include "kernel/vdpa-uapi.h"
#include "kernel/vhost-kinds.h"
#include "kernel/vhost.h"
#include "util/clock.h"
#include "util/crash.h"

/* Leaves most of a sysfs path to sysfs. */
#define ROOT_MAX 256

/* The last device made, and what is known of it already. */
typedef struct Made {
        char name[DEVICE_NAME_MAX];
        bool is_published; /* else nobody has been told of it yet */
        VhostKind kind;
        DeviceStatus status; /* of DEV_GET */
} Made;

typedef struct KernelBackend {
        Backend backend;
        char root[ROOT_MAX];
        GenlSocket *netlink;
        Detached detached;
        DeviceNotes *notes;
        VhostKinds vhost_kinds;
        Accepts *accepts;
        Devlink *devlink;
        Msix *msix;
        Autoprobe *autoprobe;
        UeventMonitor *uevents; /* the loop's */
        Made made;
        Snapshot snapshot;
        char found_name[DEVICE_NAME_MAX]; /* the last device whose endpoint was found, and what that was */
        BusDriver found_driver;
        Endpoint found;
} KernelBackend;

static KernelBackend *kernel_backend(Backend *b) {
        return CONTAINER_OF(b, KernelBackend, backend);
}

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

static int delete_device(KernelBackend *k, const char *name, DeviceUsers *ret_users, Failure *f) {
        int r;

        snapshot_forget(&k->snapshot, name);
        r = release_device(k->root, &k->detached, name, BUS_DRIVER_NONE, ret_users, f);
        CRASH_POINT(KERNEL_BEFORE_DEV_DEL);
        if (r >= 0)
                r = vdpa_netlink_delete(k->netlink, name, f);
        if (r < 0 && r != -ENODEV)
                return r;

        device_notes_remove(k->notes, name);
        if (strcmp(k->made.name, name) == 0)
                k->made.name[0] = '\0';
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
                (void) delete_device(k, made, NULL, &f);
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

static int refuse_spec(const DeviceSpec *spec, Failure *f) {
        if (spec->n_vqs == 0 && spec->n_vq_groups == 0)
                return 0;

        return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                           "The kernel has no way to ask for a number of %s: the management device decides.",
                           spec->n_vqs == 0 ? "virtqueue groups" : "virtqueues");
}

/* What the kernel would do with these is worse than an error: vp-vdpa overwrites its only pointer to the first
 * device even when it then refuses the second one, and frees the wrong memory when either is deleted. */
static int refuse_create(KernelBackend *k, const char *name, const char *mgmtdev, Failure *f) {
        uint32_t limit = vdpa_sysfs_get_device_limit(k->root, mgmtdev), n = 0;
        int r;

        r = vdpa_sysfs_has_device(k->root, name);
        if (r > 0)
                return failure_set(f, ERROR_FOREIGN_DEVICE, EEXIST, "The kernel already has a vDPA device '%s'.",
                                   name);
        if (r >= 0 && limit > 0)
                r = vdpa_sysfs_count_devices(k->root, mgmtdev, &n);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_FAILED, r,
                                   "Could not look into sysfs for the devices there are: %s.",
                                   kernel_error_text(r));
        if (limit > 0 && n >= limit)
                return failure_set(f, ERROR_NO_CAPACITY, ENOSPC,
                                   "The driver of '%s' makes %u vDPA device at a time, and it is there.", mgmtdev,
                                   limit);

        return 0;
}

/* The kernel is not told which class to make: a management device with several decides by itself. */
static int check_class(const DeviceStatus *status, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        if (status->class == spec->class)
                return 0;

        return failure_set(f, ERROR_UNSATISFIABLE, EINVAL,
                           "'%s' made a device of virtio type %u where %u was asked for, and the kernel has no "
                           "way to ask for one.",
                           mgmtdev, status->class, spec->class);
}

static const VhostAnswers *find_kind(const KernelBackend *k, const VhostKind *kind) {
        return vhost_kinds_find(&k->vhost_kinds, kind, clock_monotonic_usec());
}

/* What was made, if it is what was asked for; as it is where the same was a moment ago. To ask the kernel again for
 * each has a price: it goes through all devices for a name. */
static int take_made(KernelBackend *k, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        Made made = { .kind = vhost_kind(k->root, name, mgmtdev, spec) };
        const VhostAnswers *known = find_kind(k, &made.kind);
        int r = 0;

        if (known)
                made.status = known->status;
        else
                r = vdpa_netlink_get(k->netlink, name, made.kind.mgmtdev, &made.status, f);
        if (r >= 0)
                r = check_class(&made.status, mgmtdev, spec, f);
        if (r < 0)
                return r;

        device_notes_take(k->notes, name);
        (void) strlcpy(made.name, name, sizeof made.name);
        k->made = made;
        return 0;
}

/* An answer that got lost can have been another one; but not where someone else was faster. */
static void not_made(KernelBackend *k, const char *name, int error) {
        if (error == -EEXIST || vdpa_sysfs_has_device(k->root, name) <= 0)
                device_notes_remove(k->notes, name);
}

static int kernel_create(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        KernelBackend *k = kernel_backend(b);
        Failure failure = FAILURE_INIT, undo = FAILURE_INIT;
        uint32_t refused;
        int r;

        r = refuse_spec(spec, f);
        if (r >= 0)
                r = refuse_create(k, name, mgmtdev, f);
        if (r < 0)
                return r;
        device_notes_expect(k->notes, name);
        r = vdpa_netlink_create(k->netlink, name, mgmtdev, spec, &refused, f);
        accepts_note_refused(k->accepts, mgmtdev, refused);
        if (r < 0) {
                not_made(k, name, r);
                return r;
        }
        CRASH_POINT(KERNEL_AFTER_DEV_NEW);
        r = take_made(k, name, mgmtdev, spec, &failure);
        if (r >= 0)
                return 0;

        if (delete_device(k, name, NULL, &undo) < 0)
                failure_append(&failure, " Deleting it again failed: %s", undo.detail);
        else
                failure_append(&failure, " It was deleted again.");
        return failure_set(f, failure.code, failure.error, "%s", failure.detail);
}

static bool is_unpublished(const KernelBackend *k, const char *name) {
        return strcmp(k->made.name, name) == 0 && !k->made.is_published;
}

/* A device without an answer works as well. */
static void learn_groups(KernelBackend *k, const char *name) {
        const Made made = is_unpublished(k, name) ? k->made : (Made){};
        const VhostAnswers *known = find_kind(k, &made.kind);
        VhostAnswers answers = { .status = made.status };

        if (!known && vhost_ask_groups(k->root, &k->detached, name, &answers.groups) >= 0) {
                vhost_kinds_add(&k->vhost_kinds, &made.kind, &answers, clock_monotonic_usec());
                known = &answers;
        }
        if (known)
                device_notes_put_groups(k->notes, name, &known->groups);
}

static void note_endpoint(KernelBackend *k, const char *name, BusDriver driver, const Endpoint *endpoint) {
        (void) strlcpy(k->found_name, name, sizeof k->found_name);
        k->found_driver = driver;
        k->found = *endpoint;
}

static int kernel_bind(Backend *b, const char *name, BusDriver driver, Failure *f) {
        KernelBackend *k = kernel_backend(b);
        bool is_new = is_unpublished(k, name);
        BusDriver before = driver;
        Endpoint endpoint;
        int r;

        if (!is_new)
                (void) vdpa_sysfs_get_driver(k->root, name, &before);
        r = binding_attach(k->root, &k->detached, name, driver, is_new, &endpoint, f);
        if (r < 0)
                return r;
        note_endpoint(k, name, driver, &endpoint);

        /* The node is new, so that it has no user yet. */
        if (driver == BUS_DRIVER_VHOST_VDPA && (before != driver || is_new))
                learn_groups(k, name);
        return 0;
}

/* The endpoint as it is now; none if nobody can say which it is. What is done to one device looks for it several
 * times, so that the last one is kept: to see that it is still there is quicker than to find it. */
static int find_endpoint(KernelBackend *k, const char *name, BusDriver *ret_driver, Endpoint *ret, Failure *f) {
        Endpoint endpoint = {};
        BusDriver driver;
        int r;

        r = vdpa_sysfs_get_driver(k->root, name, &driver);
        if (r < 0)
                return kernel_failure_sysfs(f, name, r);
        if (strcmp(k->found_name, name) != 0 || k->found_driver != driver ||
            !endpoint_is_current(k->root, &k->found)) {
                r = endpoint_find(k->root, name, driver, &endpoint);
                if (r < 0 && r != -ENOTUNIQ)
                        return endpoint_failure(k->root, name, driver, r, f);
                note_endpoint(k, name, driver, &endpoint);
        }

        *ret_driver = driver;
        *ret = k->found;
        return 0;
}

static int kernel_publish(Backend *b, const char *name, const EndpointSpec *spec, Failure *f) {
        KernelBackend *k = kernel_backend(b);
        bool is_new = is_unpublished(k, name);
        Endpoint endpoint = k->found;
        BusDriver driver;
        int r = 0;

        if (is_new)
                k->made.is_published = true;
        if (!is_new || strcmp(k->found_name, name) != 0)
                r = find_endpoint(k, name, &driver, &endpoint, f);
        if (r < 0)
                return r;
        r = endpoint_publish(k->root, &endpoint, spec);
        if (r < 0)
                return failure_set(f, kernel_error_code(r, ERROR_BACKEND_FAILED), r,
                                   "Could not set owner and mode of the endpoint of '%s': %s.", name,
                                   kernel_error_text(r));

        if (!is_new)
                device_notes_take(k->notes, name);
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

/* What the kernel says of the device; with seen_at, unless it has said so before. Of the one that was made last
 * some of it is known. */
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
        /* Only net and block have a configuration that the kernel can tell. */
        r = vdpa_netlink_get_config(k->netlink, name, ret, f);
        return r == -EOPNOTSUPP ? 0 : r;
}

static int kernel_observe(Backend *b, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret,
                          Failure *f) {
        KernelBackend *k = kernel_backend(b);
        uint64_t seen_at = uevent_count(k->root);
        DeviceStatus status = {};
        VhostGroups groups;
        Endpoint endpoint;
        BusDriver driver = BUS_DRIVER_NONE;
        bool is_ours;
        int r;

        r = find_endpoint(k, name, &driver, &endpoint, f);
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

/* The kernel answers with success also where it has done nothing. */
static int set_device_mac(KernelBackend *k, const char *name, const uint8_t mac[6], Failure *f) {
        DeviceStatus status = {};
        int r;

        snapshot_forget(&k->snapshot, name);
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

        r = find_endpoint(k, name, &driver, &endpoint, f);
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

static void kernel_observe_all(Backend *b) {
        KernelBackend *k = kernel_backend(b);

        snapshot_take(&k->snapshot, k->netlink, k->root);
}

static int kernel_destroy(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        KernelBackend *k = kernel_backend(b);

        return delete_device(k, name, ret_users, f);
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
        int command = genl_socket_command(kernel_backend(b)->netlink);

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
        genl_socket_free(k->netlink);
        accepts_free(k->accepts);
        devlink_free(k->devlink);
        msix_free(k->msix);
        autoprobe_free(k->autoprobe);
        device_notes_free(k->notes);
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

        /* Before a core is dumped the kernel waits for every thread, with all descriptors open; and a thread that
         * unbinds waits for one of those to be closed (see kernel/detached.c): neither would ever end. */
        (void) prctl(PR_SET_DUMPABLE, 0);
        r = genl_socket_new(VDPA_FAMILY, &k->netlink);
        if (r < 0)
                return r;
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
