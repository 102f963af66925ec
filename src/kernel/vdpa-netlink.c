/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/vdpa-netlink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/failure.h"
#include "kernel/vdpa-codec.h"
#include "kernel/vdpa-uapi.h"

/* More than the kernel has numbers for: /dev/vhost-vdpa-N ends at 2^20. */
#define LISTING_MAX (1u << 20)

/* A device has at most this many virtqueues by the virtio specification. */
#define QUEUES_MAX 65536u

#define _cleanup_nlmsg_ _cleanup_(nlmsg_freep)

/* What a command is called and what ENODEV means to it. */
typedef struct Command {
        const char *name;
        ErrorCode not_found;
} Command;

static int command_failure(const Command *command, const char *object, int error, const char *extack, Failure *f) {
        if (error == -EPROTONOSUPPORT)
                return failure_set(
                        f, ERROR_BACKEND_UNAVAILABLE, error,
                        "This kernel has no vDPA here: load it with \"modprobe vdpa\", or use a kernel that "
                        "has it (CONFIG_VDPA). It is only there in the host's own network namespace.");

        return failure_set(f, kernel_error_code(error, command->not_found), error, "%s%s%s%s failed: %s%s%s.",
                           command->name, object[0] ? " of '" : "", object, object[0] ? "'" : "",
                           kernel_error_text(error), extack[0] ? ": " : "", extack);
}

static int run(GenlSocket *s, const Command *command, const char *object, struct nl_msg *m,
               const GenlHandler *handler, Failure *f) {
        char extack[EXTACK_MAX] = "";
        int r;

        r = genl_socket_request(s, m, handler, extack);
        return r < 0 ? command_failure(command, object, r, extack, f) : 0;
}

int vdpa_netlink_probe(GenlSocket *s, Failure *f) {
        static const Command command = { "The check of permissions", ERROR_BACKEND_FAILED };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;
        char extack[EXTACK_MAX] = "";
        int r;

        if (vdpa_build_permission_probe(&m) < 0)
                return kernel_failure_oom(f);

        r = genl_socket_request(s, m, NULL, extack);
        /* The right answers: it names no device; or this kernel does not have the command. */
        if (r == -EINVAL || r == -EOPNOTSUPP)
                return 0;
        if (r == -EPERM)
                return failure_set(f, ERROR_PERMISSION_DENIED, r,
                                   "Making vDPA devices takes CAP_NET_ADMIN, which this process does not have.");

        return command_failure(&command, "", r < 0 ? r : -EBADMSG, extack, f);
}

/* A growing array of what parse() makes of each message of a dump. */
typedef struct Listing {
        int (*parse)(struct nlmsghdr *m, void *item);
        size_t item_size;
        char *items;
        size_t n, n_allocated;
} Listing;

static void listing_done(Listing *l) {
        free(l->items);
}

static int on_listed(void *userdata, struct nlmsghdr *m) {
        Listing *l = userdata;
        int r;

        if (l->n >= l->n_allocated) {
                size_t n = l->n_allocated > 0 ? l->n_allocated * 2 : 16;
                char *items;

                if (n > LISTING_MAX)
                        return -EOVERFLOW;
                items = realloc(l->items, n * l->item_size);
                if (!items)
                        return -ENOMEM;
                l->items = items;
                l->n_allocated = n;
        }

        r = l->parse(m, l->items + l->n * l->item_size);
        /* One that cannot be named here cannot be used or asked about either. */
        if (r == -ENAMETOOLONG)
                return 0;
        if (r < 0)
                return r;

        l->n++;
        return 0;
}

static void on_listing_restart(void *userdata) {
        Listing *l = userdata;

        l->n = 0;
}

static int list(GenlSocket *s, uint8_t command_id, const Command *command, Listing *l, Failure *f) {
        const GenlHandler handler = { .reply = on_listed, .restart = on_listing_restart, .userdata = l };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;

        if (vdpa_build_dump(command_id, &m) < 0)
                return kernel_failure_oom(f);

        return run(s, command, "", m, &handler, f);
}

static int parse_listed_mgmtdev(struct nlmsghdr *m, void *item) {
        return vdpa_parse_mgmtdev(m, item);
}

int vdpa_netlink_list_mgmtdevs(GenlSocket *s, MgmtdevInfo **ret, size_t *ret_n, Failure *f) {
        static const Command command = { "The kernel's list of management devices (MGMTDEV_GET)",
                                         ERROR_BACKEND_FAILED };
        _cleanup_(listing_done) Listing l = { .parse = parse_listed_mgmtdev, .item_size = sizeof(MgmtdevInfo) };
        int r;

        r = list(s, VDPA_CMD_MGMTDEV_GET, &command, &l, f);
        if (r < 0)
                return r;

        *ret_n = l.n;
        *ret = (void *) TAKE_PTR(l.items);
        return 0;
}

static int parse_listed_device(struct nlmsghdr *m, void *item) {
        return vdpa_parse_device(m, item);
}

int vdpa_netlink_list_devices(GenlSocket *s, BackendDevice **ret, size_t *ret_n, Failure *f) {
        static const Command command = { "The kernel's list of devices (DEV_GET)", ERROR_BACKEND_FAILED };
        _cleanup_(listing_done) Listing l = { .parse = parse_listed_device, .item_size = sizeof(BackendDevice) };
        int r;

        r = list(s, VDPA_CMD_DEV_GET, &command, &l, f);
        if (r < 0)
                return r;

        *ret_n = l.n;
        *ret = (void *) TAKE_PTR(l.items);
        return 0;
}

static int parse_listed_status(struct nlmsghdr *m, void *item) {
        VdpaStatus status = {};
        int r;

        r = vdpa_parse_name(m, VDPA_CMD_DEV_NEW, status.name);
        if (r >= 0)
                r = vdpa_parse_status(m, status.mgmtdev, &status.status);
        if (r < 0)
                return r;

        *(VdpaStatus *) item = status;
        return 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(((const VdpaStatus *) a)->name, ((const VdpaStatus *) b)->name);
}

static int compare_with_name(const void *name, const void *status) {
        return strcmp(name, ((const VdpaStatus *) status)->name);
}

VdpaStatus *vdpa_status_find(VdpaStatus *statuses, size_t n, const char *name) {
        return n > 0 ? bsearch(name, statuses, n, sizeof *statuses, compare_with_name) : NULL;
}

/* What makes no sense here is for who asks for that device to find out. */
static int on_listed_config(void *userdata, struct nlmsghdr *m) {
        const Listing *l = userdata;
        char name[DEVICE_NAME_MAX];
        VdpaStatus *status;

        if (vdpa_parse_name(m, VDPA_CMD_DEV_CONFIG_GET, name) < 0)
                return 0;
        status = vdpa_status_find((void *) l->items, l->n, name);
        if (status && vdpa_parse_config(m, &status->status) >= 0)
                status->has_config = true;
        return 0;
}

int vdpa_netlink_list_statuses(GenlSocket *s, VdpaStatus **ret, size_t *ret_n, Failure *f) {
        static const Command command = { "The kernel's list of devices (DEV_GET)", ERROR_BACKEND_FAILED },
                             config_command = { "The kernel's list of configurations (DEV_CONFIG_GET)",
                                                ERROR_BACKEND_FAILED };
        _cleanup_(listing_done) Listing l = { .parse = parse_listed_status, .item_size = sizeof(VdpaStatus) };
        const GenlHandler on_config = { .reply = on_listed_config, .userdata = &l };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;
        Failure ignored;
        int r;

        r = list(s, VDPA_CMD_DEV_GET, &command, &l, f);
        if (r < 0)
                return r;
        if (vdpa_build_dump(VDPA_CMD_DEV_CONFIG_GET, &m) < 0)
                return kernel_failure_oom(f);

        if (l.n > 0)
                qsort(l.items, l.n, sizeof(VdpaStatus), compare_names);
        /* It ends at a device that is neither net nor block, and some kernels may not have it. */
        (void) run(s, &config_command, "", m, &on_config, &ignored);

        *ret_n = l.n;
        *ret = (void *) TAKE_PTR(l.items);
        return 0;
}

/* The attributes that a creation has. */
static uint32_t get_asked(const DeviceSpec *spec) {
        const bool net = spec->class == CLASS_NET;

        return (net && spec->net.has_mac ? 1u << ATTRIBUTE_MAC : 0) |
               (net && spec->net.mtu > 0 ? 1u << ATTRIBUTE_MTU : 0) |
               (net && spec->net.max_vqp > 0 ? 1u << ATTRIBUTE_MAX_VQP : 0) |
               (spec->has_features ? 1u << ATTRIBUTE_FEATURES : 0);
}

/* The kernel says which attributes it does not like by their numbers; this says what they were. */
static void append_asked(uint32_t asked, Failure *f) {
        const char *separator = " Asked for: ";

        for (MgmtdevAttribute i = 0; i < _ATTRIBUTE_MAX; i++)
                if (asked >> i & 1) {
                        failure_append(f, "%s%s", separator, mgmtdev_attribute_name(i));
                        separator = ", ";
                }
        if (asked)
                failure_append(f, ".");
}

/* Older kernels do not name what they refuse; if it was just one there is no doubt. */
static uint32_t get_refused(int error, const char *extack, uint32_t asked) {
        uint32_t refused = vdpa_parse_refused(extack);

        if (error != -EOPNOTSUPP)
                return 0;
        return refused                                                                        ? refused
               : strstr(extack, "attributes are not supported") && (asked & (asked - 1)) == 0 ? asked
                                                                                              : 0;
}

int vdpa_netlink_create(GenlSocket *s, const char *name, const char *mgmtdev, const DeviceSpec *spec,
                        uint32_t *ret_refused, Failure *f) {
        static const Command command = { "DEV_NEW", ERROR_MGMTDEV_NOT_FOUND };
        char object[DEVICE_NAME_MAX + HANDLE_MAX + 16], extack[EXTACK_MAX] = "";
        _cleanup_nlmsg_ struct nl_msg *m = NULL;
        int r;

        *ret_refused = 0;
        if (vdpa_build_create(name, mgmtdev, spec, &m) < 0)
                return kernel_failure_oom(f);

        (void) snprintf(object, sizeof object, "%s' on '%s", name, mgmtdev);
        r = genl_socket_request(s, m, NULL, extack);
        if (r >= 0)
                return 0;

        *ret_refused = get_refused(r, extack, get_asked(spec));
        r = command_failure(&command, object, r, extack, f);
        if (f && f->code == ERROR_NOT_SUPPORTED)
                append_asked(get_asked(spec), f);
        return r;
}

/* What the driver says of features and of a number of virtqueues that it does not have; and ENOSPC if it would not
 * even look at them, since its only device is there. */
static bool comes_from_driver(int error) {
        return error == -EINVAL || error == -ENOSPC;
}

int vdpa_netlink_probe_attributes(GenlSocket *s, const char *name, const MgmtdevInfo *mgmtdev, uint32_t *ret) {
        const bool net = mgmtdev->classes >> CLASS_NET & 1;
        _cleanup_nlmsg_ struct nl_msg *m = NULL;
        char extack[EXTACK_MAX] = "";
        uint32_t refused;
        int r;

        /* One that says nothing of features may not look at them, or be of a kernel that cannot send them, as those
         * before 6.1. VDUSE has none by itself. */
        if (net && mgmtdev->features[CLASS_NET] == 0 && !mgmtdev->only_by_name)
                return -EOPNOTSUPP;
        if (vdpa_build_attribute_probe(name, mgmtdev->handle, &m) < 0)
                return -ENOMEM;

        r = genl_socket_request(s, m, NULL, extack);
        refused = get_refused(r, extack, VDPA_ATTRIBUTES);
        if (r < 0 && refused == 0 && !comes_from_driver(r))
                return r;

        *ret = VDPA_ATTRIBUTES & ~refused;
        /* Whatever is said of the attributes of net devices, here there are none. */
        if (!net)
                *ret &= 1u << ATTRIBUTE_FEATURES;
        return r >= 0 ? 1 : 0;
}

int vdpa_netlink_delete(GenlSocket *s, const char *name, Failure *f) {
        static const Command command = { "DEV_DEL", ERROR_DEVICE_NOT_FOUND };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;

        if (vdpa_build_device(VDPA_CMD_DEV_DEL, name, &m) < 0)
                return kernel_failure_oom(f);

        return run(s, &command, name, m, NULL, f);
}

typedef struct StatusReply {
        char *mgmtdev;
        DeviceStatus *status;
} StatusReply;

static int on_status(void *userdata, struct nlmsghdr *m) {
        const StatusReply *reply = userdata;

        return vdpa_parse_status(m, reply->mgmtdev, reply->status);
}

int vdpa_netlink_get(GenlSocket *s, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *status,
                     Failure *f) {
        static const Command command = { "DEV_GET", ERROR_DEVICE_NOT_FOUND };
        StatusReply reply = { ret_mgmtdev, status };
        const GenlHandler handler = { .reply = on_status, .userdata = &reply };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;
        int r;

        if (vdpa_build_device(VDPA_CMD_DEV_GET, name, &m) < 0)
                return kernel_failure_oom(f);

        ret_mgmtdev[0] = '\0';
        r = run(s, &command, name, m, &handler, f);
        if (r >= 0 && !ret_mgmtdev[0])
                r = command_failure(&command, name, -EBADMSG, "", f);
        return r;
}

static int on_config(void *userdata, struct nlmsghdr *m) {
        return vdpa_parse_config(m, userdata);
}

int vdpa_netlink_get_config(GenlSocket *s, const char *name, DeviceStatus *status, Failure *f) {
        static const Command command = { "DEV_CONFIG_GET", ERROR_DEVICE_NOT_FOUND };
        const GenlHandler handler = { .reply = on_config, .userdata = status };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;
        int r;

        if (vdpa_build_device(VDPA_CMD_DEV_CONFIG_GET, name, &m) < 0)
                return kernel_failure_oom(f);

        r = run(s, &command, name, m, &handler, f);
        return r == -EOPNOTSUPP ? 0 : r;
}

int vdpa_netlink_set_mac(GenlSocket *s, const char *name, const uint8_t mac[6], Failure *f) {
        static const Command command = { "DEV_ATTR_SET", ERROR_DEVICE_NOT_FOUND };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;

        if (vdpa_build_set_mac(name, mac, &m) < 0)
                return kernel_failure_oom(f);

        return run(s, &command, name, m, NULL, f);
}

/* The counters of one virtqueue. */
typedef struct QueueStats {
        uint32_t queue;
        size_t n;
        BackendStat stats[VDPA_QUEUE_STATS_MAX];
} QueueStats;

static int on_stats(void *userdata, struct nlmsghdr *m) {
        QueueStats *q = userdata;

        return vdpa_parse_stats(m, q->queue, q->stats, VDPA_QUEUE_STATS_MAX, &q->n);
}

static int get_queue_stats(GenlSocket *s, const char *name, QueueStats *q, Failure *f) {
        static const Command command = { "DEV_VSTATS_GET", ERROR_DEVICE_NOT_FOUND };
        const GenlHandler handler = { .reply = on_stats, .userdata = q };
        _cleanup_nlmsg_ struct nl_msg *m = NULL;

        if (vdpa_build_get_stats(name, q->queue, &m) < 0)
                return kernel_failure_oom(f);

        return run(s, &command, name, m, &handler, f);
}

static int append_stats(BackendStat **stats, size_t *n, const QueueStats *q) {
        BackendStat *more;

        if (q->n == 0)
                return 0;
        more = realloc(*stats, (*n + q->n) * sizeof *more);
        if (!more)
                return -ENOMEM;

        memcpy(more + *n, q->stats, q->n * sizeof *more);
        *stats = more;
        *n += q->n;
        return 0;
}

/* A queue that no driver has started (EAGAIN) has no counters, nor has one that only exists with features which
 * nobody has negotiated (EINVAL); the others may. Only if none has any it is an answer. */
static bool queue_has_no_stats(int error) {
        return error == -EAGAIN || error == -EINVAL;
}

int vdpa_netlink_get_stats(GenlSocket *s, const char *name, BackendStat **ret, size_t *ret_n, Failure *f) {
        _cleanup_free_ BackendStat *stats = NULL;
        Failure failure, first = FAILURE_INIT;
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status = {};
        size_t n = 0;
        int r;

        r = vdpa_netlink_get(s, name, mgmtdev, &status, f);
        if (r < 0)
                return r;

        for (uint32_t queue = 0; queue < status.max_vqs && queue < QUEUES_MAX; queue++) {
                QueueStats q = { .queue = queue };

                r = get_queue_stats(s, name, &q, &failure);
                if (r >= 0 && append_stats(&stats, &n, &q) < 0)
                        return kernel_failure_oom(f);
                if (r < 0 && first.code == ERROR_NONE)
                        first = failure;
                if (r < 0 && !queue_has_no_stats(r))
                        return failure_set(f, failure.code, failure.error, "%s", failure.detail);
        }
        if (n == 0 && first.code != ERROR_NONE)
                return failure_set(f, first.error == EAGAIN ? ERROR_NOT_READY : first.code, first.error, "%s",
                                   first.detail);

        *ret = TAKE_PTR(stats);
        *ret_n = n;
        return 0;
}
