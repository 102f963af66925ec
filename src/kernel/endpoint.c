/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/endpoint.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "inventory/class.h"
#include "kernel/failure.h"
#include "kernel/netdev.h"
#include "kernel/vdpa-sysfs.h"
#include "util/clock.h"
#include "util/crash.h"

/* Waiting begins with short looks, since most endpoints are there at once, and gets more patient. */
#define POLL_FIRST_USEC (1 * USEC_PER_MSEC)
#define POLL_LAST_USEC  (100 * USEC_PER_MSEC)

static void sleep_usec(uint64_t usec) {
        struct timespec ts = {
                .tv_sec = (time_t) (usec / USEC_PER_SEC),
                .tv_nsec = (long) (usec % USEC_PER_SEC) * 1000,
        };

        while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
                ;
}

bool endpoint_pause(uint64_t *step, uint64_t deadline_usec) {
        uint64_t now = clock_monotonic_usec();

        if (now >= deadline_usec)
                return false;
        *step = *step == 0 ? POLL_FIRST_USEC : *step * 2 < POLL_LAST_USEC ? *step * 2 : POLL_LAST_USEC;
        sleep_usec(*step < deadline_usec - now ? *step : deadline_usec - now);
        return true;
}

static mode_t node_type(const Endpoint *endpoint) {
        return endpoint->kind == ENDPOINT_BLOCK ? S_IFBLK : S_IFCHR;
}

static bool is_node(const Endpoint *endpoint, const struct stat *st) {
        return (st->st_mode & S_IFMT) == node_type(endpoint) && st->st_rdev == endpoint->rdev;
}

static bool has_node(const char *root, const Endpoint *endpoint, struct stat *ret) {
        char path[SYSFS_PATH_MAX];

        return endpoint->name[0] && sysfs_path(path, "%s%s", root, endpoint->name) >= 0 && lstat(path, ret) >= 0 &&
               is_node(endpoint, ret);
}

/* It is in the directory of the device itself, and nobody else's; virtio devices can hang on a common parent. */
bool endpoint_is_current(const char *root, const Endpoint *endpoint) {
        struct stat st;

        return endpoint->kind == ENDPOINT_VHOST && sysfs_exists(endpoint->sysfs) && has_node(root, endpoint, &st);
}

/* The number in the name is the minor number; a node that has another one is not taken for it. */
bool endpoint_take_next(const char *root, const char *name, int directory, const Endpoint *last, Endpoint *ret) {
        unsigned number = minor(last->rdev) + 1;
        Endpoint next = { .kind = ENDPOINT_VHOST, .rdev = makedev(major(last->rdev), number) };
        const char *entry = next.name + strlen("/dev/");
        struct stat st;

        (void) snprintf(next.name, sizeof next.name, "/dev/vhost-vdpa-%u", number);
        if (last->kind != ENDPOINT_VHOST ||
            sysfs_path(next.sysfs, "%s/sys/bus/vdpa/devices/%s/%s", root, name, entry) < 0 ||
            faccessat(directory, entry, F_OK, AT_SYMLINK_NOFOLLOW) < 0 || !has_node(root, &next, &st))
                return false;

        *ret = next;
        return true;
}

/* Sets what an endpoint with a node has; its name only if the node is there and is the one that sysfs means. */
static int find_node(const char *root, const char *directory, const char *entry, EndpointKind kind, Endpoint *ret) {
        char path[SYSFS_PATH_MAX], text[SYSFS_VALUE_MAX];
        unsigned major_number, minor_number;
        Endpoint endpoint = { .kind = kind };
        struct stat st;
        int r;

        r = sysfs_path(endpoint.sysfs, "%s/%s", directory, entry);
        if (r >= 0)
                r = sysfs_path(path, "%s/dev", endpoint.sysfs);
        if (r >= 0)
                r = sysfs_read(path, text);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (sscanf(text, "%u:%u", &major_number, &minor_number) != 2 ||
            (size_t) snprintf(endpoint.name, sizeof endpoint.name, "/dev/%s", entry) >= sizeof endpoint.name)
                return -EBADMSG;

        endpoint.rdev = makedev(major_number, minor_number);
        if (!has_node(root, &endpoint, &st))
                endpoint.name[0] = '\0';

        *ret = endpoint;
        return 0;
}

static int find_vhost(const char *root, const char *name, Endpoint *ret) {
        char directory[SYSFS_PATH_MAX], entry[SYSFS_VALUE_MAX];
        unsigned n;
        int r;

        r = sysfs_path(directory, "%s/sys/bus/vdpa/devices/%s", root, name);
        if (r < 0)
                return r;
        r = sysfs_find(directory, "vhost-vdpa-", entry, &n);
        if (r < 0 || n == 0)
                return r;

        return find_node(root, directory, entry, ENDPOINT_VHOST, ret);
}

/* The virtio device hangs on the device that does the DMA. That is the vDPA device itself if it is simulated. Else
 * it is the parent, where those of other vDPA devices hang too: then it is known only if there is just one.
 * Sets *ret_directory to "" if there is none. */
static int find_virtio(const char *root, const char *name, char ret_directory[SYSFS_PATH_MAX]) {
        char device[SYSFS_PATH_MAX], path[SYSFS_PATH_MAX], entry[SYSFS_VALUE_MAX];
        uint32_t n_bound;
        unsigned n;
        int r;

        ret_directory[0] = '\0';
        r = sysfs_path(device, "%s/sys/bus/vdpa/devices/%s", root, name);
        if (r >= 0)
                r = sysfs_find(device, "virtio", entry, &n);
        if (r < 0)
                return r;
        if (n > 0)
                return sysfs_path(ret_directory, "%s/%s", device, entry);

        /* Without a subsystem it is no device but the directory of all that have no parent. */
        r = sysfs_path(device, "%s/sys/bus/vdpa/devices/%s/..", root, name);
        if (r >= 0)
                r = sysfs_path(path, "%s/subsystem", device);
        if (r < 0)
                return r;
        if (!sysfs_exists(path))
                return 0;

        r = sysfs_find(device, "virtio", entry, &n);
        if (r < 0 || n == 0)
                return r;
        r = vdpa_sysfs_count_children(device, BUS_DRIVER_VIRTIO_VDPA, &n_bound);
        if (r < 0)
                return r;
        if (n > 1 || n_bound > 1)
                return -ENOTUNIQ;

        return sysfs_path(ret_directory, "%s/%s", device, entry);
}

static int find_netdev(const char *virtio, Endpoint *ret) {
        char path[SYSFS_PATH_MAX], entry[SYSFS_VALUE_MAX];
        unsigned n;
        int r;

        r = sysfs_path(path, "%s/net", virtio);
        if (r >= 0)
                r = sysfs_find(path, "", entry, &n);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        /* sysfs shows netdevs of its own network namespace only; the directory stays behind. What can be named from
         * here is the virtio device below. */
        ret->kind = n > 0 ? ENDPOINT_NETDEV : ENDPOINT_NETDEV_MOVED;
        (void) strlcpy(ret->name, n > 0 ? entry : strrchr(virtio, '/') + 1, sizeof ret->name);
        return 0;
}

static int find_block(const char *root, const char *virtio, Endpoint *ret) {
        char path[SYSFS_PATH_MAX], entry[SYSFS_VALUE_MAX];
        unsigned n = 0;
        int r;

        r = sysfs_path(path, "%s/block", virtio);
        if (r >= 0)
                r = sysfs_find(path, "", entry, &n);
        if (r < 0 || n == 0)
                return r == -ENOENT ? 0 : r;

        return find_node(root, path, entry, ENDPOINT_BLOCK, ret);
}

static int find_virtio_endpoint(const char *root, const char *name, Endpoint *ret) {
        char virtio[SYSFS_PATH_MAX], path[SYSFS_PATH_MAX];
        long class;
        int r;

        r = find_virtio(root, name, virtio);
        if (r < 0 || !virtio[0])
                return r;
        r = sysfs_path(path, "%s/device", virtio);
        if (r >= 0)
                r = sysfs_read_number(path, &class);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        if (class == CLASS_NET)
                return find_netdev(virtio, ret);
        if (class == CLASS_BLOCK)
                return find_block(root, virtio, ret);

        ret->kind = ENDPOINT_VIRTIO;
        (void) snprintf(ret->name, sizeof ret->name, "%s", strrchr(virtio, '/') + 1);
        return 0;
}

int endpoint_find(const char *root, const char *name, BusDriver driver, Endpoint *ret) {
        Endpoint endpoint = {};
        int r = 0;

        if (driver == BUS_DRIVER_VHOST_VDPA)
                r = find_vhost(root, name, &endpoint);
        else if (driver == BUS_DRIVER_VIRTIO_VDPA)
                r = find_virtio_endpoint(root, name, &endpoint);
        /* The device may go at any time, and it goes piece by piece. */
        if (r < 0 && r != -ENOENT)
                return r;

        *ret = endpoint;
        return 0;
}

static bool is_there(const Endpoint *endpoint) {
        return endpoint->name[0] || endpoint->kind == ENDPOINT_NETDEV_MOVED;
}

bool endpoint_may_be_renamed(const char *root, const Endpoint *endpoint) {
        return endpoint->kind == ENDPOINT_NETDEV && !root[0] && !netdev_is_settled(endpoint->name);
}

int endpoint_wait(const char *root, const char *name, BusDriver driver, uint64_t timeout_usec, Endpoint *ret) {
        uint64_t deadline = clock_monotonic_usec() + timeout_usec, step = 0;
        Endpoint endpoint;
        int r;

        for (;;) {
                r = endpoint_find(root, name, driver, &endpoint);
                if (r < 0)
                        return r;
                if (is_there(&endpoint))
                        break;
                if (vdpa_sysfs_has_device(root, name) == 0)
                        return -ENODEV;
                if (!endpoint_pause(&step, deadline))
                        return -ETIMEDOUT;
        }

        *ret = endpoint;
        return 0;
}

int endpoint_failure(const char *root, const char *name, BusDriver driver, int error, Failure *f) {
        if (vdpa_sysfs_has_device(root, name) == 0)
                return kernel_failure_no_device(f, name);
        if (error == -ENOTUNIQ)
                return failure_set(f, ERROR_BACKEND_FAILED, error,
                                   "Cannot tell which virtio device belongs to '%s': several vDPA devices of one "
                                   "parent are bound to virtio_vdpa.",
                                   name);
        if (error == -ETIMEDOUT)
                return failure_set(
                        f, ERROR_BACKEND_FAILED, error, "'%s' is bound to %s, but %s.", name,
                        bus_driver_name(driver),
                        driver == BUS_DRIVER_VHOST_VDPA
                                ? "its node has not appeared in /dev"
                                : "no interface or disk has appeared: is the driver of this class loaded "
                                  "(virtio_net, virtio_blk)?");

        return kernel_failure_sysfs(f, name, error);
}

bool endpoint_is_node(const Endpoint *endpoint, int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && is_node(endpoint, &st) && sysfs_exists(endpoint->sysfs);
}

bool endpoint_wait_gone(const Endpoint *endpoint, DetachedJob *job, uint64_t deadline_usec) {
        uint64_t step = 0;

        while (sysfs_exists(endpoint->sysfs) && !detached_is_done(job))
                if (!endpoint_pause(&step, deadline_usec))
                        return false;

        return true;
}

static bool has_access(const struct stat *st, const EndpointSpec *spec) {
        return st->st_uid == spec->uid && st->st_gid == spec->gid && (st->st_mode & 07777) == spec->mode;
}

/* The node is changed through a descriptor of the node itself, so that nothing that is put in its place under the
 * same name can be changed instead. No mode is ever wider than the old or the new one. */
int endpoint_publish(const char *root, const Endpoint *endpoint, const EndpointSpec *spec) {
        char path[SYSFS_PATH_MAX], self[SYSFS_VALUE_MAX];
        _cleanup_close_ int fd = -1;
        struct stat st;
        mode_t old;
        int r;

        if (endpoint->kind != ENDPOINT_VHOST || (has_node(root, endpoint, &st) && has_access(&st, spec)))
                return 0;

        r = sysfs_path(path, "%s%s", root, endpoint->name);
        if (r < 0)
                return r;
        fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!is_node(endpoint, &st))
                return -ENXIO;

        /* fchmod() refuses such a descriptor; its link in /proc is as good. */
        (void) snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        old = st.st_mode & 07777;
        if ((old & spec->mode) != old && chmod(self, old & spec->mode) < 0)
                return -errno;
        CRASH_POINT(KERNEL_ENDPOINT_NARROWED);
        if ((st.st_uid != spec->uid || st.st_gid != spec->gid) &&
            fchownat(fd, "", spec->uid, spec->gid, AT_EMPTY_PATH) < 0)
                return -errno;
        CRASH_POINT(KERNEL_ENDPOINT_OWNED);
        if ((old & spec->mode) != spec->mode && chmod(self, spec->mode) < 0)
                return -errno;

        return 0;
}

bool endpoint_get_access(const char *root, const Endpoint *endpoint, EndpointSpec *ret) {
        struct stat st;

        if (endpoint->kind != ENDPOINT_VHOST || !has_node(root, endpoint, &st))
                return false;

        *ret = (EndpointSpec){ .uid = st.st_uid, .gid = st.st_gid, .mode = st.st_mode & 0777 };
        return true;
}
