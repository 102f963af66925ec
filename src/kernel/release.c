/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/driver-writes.h"
#include "kernel/endpoint.h"
#include "kernel/failure.h"
#include "kernel/users.h"
#include "kernel/vdpa-sysfs.h"
#include "util/clock.h"
#include "util/crash.h"

/* A device without a driver has nothing to wait for, unless someone else's unbinding of it is stuck. */
#define IDLE_USEC (2 * USEC_PER_SEC)

/* udev reads every new block device for a moment, and so do others. */
#define BRIEF_OPENER_USEC (2 * USEC_PER_SEC)

/* What is to be released, and what is known of it. */
typedef struct Release {
        const char *root;
        Detached *detached;
        const char *name;
        BusDriver driver; /* that it has */
        BusDriver next;   /* that it may have */
        Endpoint endpoint;
        int fd; /* holds the endpoint's node; -1: nobody can open it, or it has none */
        DeviceUsers *users;
        Failure *failure;
} Release;

static int in_use(const Release *x, const char *why) {
        return failure_set(x->failure, ERROR_IN_USE, EBUSY, "The device '%s' is in use: %s.", x->name, why);
}

/* The same, with those who use it, if they are known. */
static int in_use_by_users(const Release *x, const char *why) {
        char users[DEVICE_USERS_TEXT_MAX];

        if (x->users->n == 0)
                return in_use(x, why);

        return failure_set(x->failure, ERROR_IN_USE, EBUSY, "The device '%s' is in use: %s (%s).", x->name, why,
                           device_users_format(x->users, users));
}

/* Looks for those who use it, anew. Returns true if there are any. */
static bool find_users(Release *x) {
        *x->users = (DeviceUsers){};
        return users_find(x->root, &x->endpoint, x->users) > 0;
}

static int job_failure(const Release *x, const char *what, int error) {
        DriverWrites w;

        driver_writes_init(&w, x->root, x->detached, x->name);
        return driver_writes_failure(&w, what, error, x->failure);
}

/* Errors that are about us and not about the device: they leave open whether someone uses it. */
static bool tells_nothing(int error) {
        static const int errors[] = { EPERM, EACCES, EMFILE, ENFILE,   ENOMEM,
                                      EINTR, ELOOP,  EAGAIN, EALREADY, EINPROGRESS };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (error == -errors[i])
                        return true;

        return false;
}

/* Opens the endpoint's node so that nobody else can. That it cannot be opened at all is as good: then it is gone,
 * or the kernel refuses it to everybody (as vhost_vdpa does without an IOMMU that it could use). */
static int hold_node(Release *x, int flags, const char *busy) {
        _cleanup_close_ int fd = -1;
        char path[SYSFS_PATH_MAX];
        int r;

        if (!x->endpoint.name[0])
                return failure_set(x->failure, ERROR_BACKEND_FAILED, ENOENT,
                                   "Cannot tell whether '%s' is in use, since the node of %s is not in /dev.",
                                   x->name, strrchr(x->endpoint.sysfs, '/') + 1);
        r = sysfs_path(path, "%s%s", x->root, x->endpoint.name);
        if (r < 0)
                return kernel_failure_sysfs(x->failure, x->name, r);

        fd = r = detached_open(x->detached, x->name, path, flags, clock_monotonic_usec() + DRIVER_WRITES_USEC);
        if (r == -EBUSY) {
                (void) find_users(x);
                return in_use_by_users(x, busy);
        }
        if (tells_nothing(r)) {
                (void) job_failure(x, "open the endpoint of", r);
                /* systemd looks up the numbers of the nodes that a service may open once, at its start. */
                if (r == -EPERM)
                        failure_append(x->failure, "; if the driver's module was loaded after hsvdpad was started, "
                                                   "restart hsvdpad");
                return -x->failure->error;
        }
        if (fd >= 0 && endpoint_is_node(&x->endpoint, fd))
                x->fd = TAKE_FD(fd);

        return 0;
}

/* The exclusive opening keeps everyone out who cares to be exclusive, also with a partition only: mounts, swap,
 * RAID. A program or a loop device that just has the disk open does not, and would lose its data; it can only be
 * looked for, and might still come later. */
static int hold_block(Release *x) {
        uint64_t deadline = clock_monotonic_usec() + BRIEF_OPENER_USEC, step = 0;
        int r;

        r = hold_node(x, O_RDONLY | O_EXCL, "its block device is mounted, or held by a program");
        if (r < 0)
                return r;
        while (find_users(x))
                if (!endpoint_pause(&step, deadline))
                        return in_use_by_users(x, "its block device is open");

        return 0;
}

static int hold(Release *x) {
        switch (x->endpoint.kind) {
        case ENDPOINT_VHOST:
                return hold_node(x, O_RDWR, "its char device is open");
        case ENDPOINT_BLOCK:
                return hold_block(x);
        case ENDPOINT_NETDEV_MOVED:
                (void) find_users(x);
                return in_use(x, "its network interface is in another network namespace");
        case ENDPOINT_NONE:
        case ENDPOINT_NETDEV:
        case ENDPOINT_VIRTIO:
        case _ENDPOINT_KIND_MAX:
                break;
        }

        return 0;
}

/* While the node of vhost_vdpa is held: the kernel takes it away first, so that nobody can open it any more, and
 * then waits for the descriptor; then it is closed. The other endpoints do not make the kernel wait. */
static int unbind(Release *x) {
        uint64_t deadline = clock_monotonic_usec() + DRIVER_WRITES_USEC;
        DetachedJob *job;
        DriverWrites w;
        int r;

        driver_writes_init(&w, x->root, x->detached, x->name);
        driver_writes_add_override(&w, x->next);
        driver_writes_add_unbind(&w, x->driver);
        r = driver_writes_start(&w, &job);
        if (r < 0)
                return driver_writes_failure(&w, "unbind", r, x->failure);

        if (x->endpoint.kind == ENDPOINT_VHOST && x->fd >= 0) {
                (void) endpoint_wait_gone(&x->endpoint, job, deadline);
                CRASH_POINT(KERNEL_UNBINDING);
                close(TAKE_FD(x->fd));
        }
        r = detached_finish(x->detached, job, deadline);
        return r < 0 ? driver_writes_failure(&w, "unbind", r, x->failure) : 0;
}

static int release_bound(Release *x) {
        int r;

        if (x->driver == BUS_DRIVER_OTHER)
                return failure_set(
                        x->failure, ERROR_BACKEND_FAILED, EBUSY,
                        "'%s' is bound to a driver that is neither vhost_vdpa nor virtio_vdpa; unbind it by "
                        "hand.",
                        x->name);
        r = endpoint_find(x->root, x->name, x->driver, &x->endpoint);
        if (r < 0)
                return endpoint_failure(x->root, x->name, x->driver, r, x->failure);
        r = hold(x);
        if (r < 0)
                return r;
        CRASH_POINT(KERNEL_ENDPOINT_HELD);

        return unbind(x);
}

/* The device has no driver as far as one can see. But the link to the driver goes first and its users after that:
 * an unbinding that someone has started may still be waiting for them, and DEV_DEL would wait, too. Both drivers
 * are asked to let go of it: that says "no such device" at once if they do not have it, and waits if one still
 * does. */
static int release_unbound(Release *x) {
        DriverWrites w;
        int r;

        driver_writes_init(&w, x->root, x->detached, x->name);
        driver_writes_add_override(&w, x->next);
        for (BusDriver d = BUS_DRIVER_VHOST_VDPA; d <= BUS_DRIVER_VIRTIO_VDPA; d++)
                if (vdpa_sysfs_has_driver(x->root, d))
                        driver_writes_add_unbind(&w, d);
        r = driver_writes_run(&w, IDLE_USEC);
        if (r == -EINPROGRESS)
                return in_use(x, "its driver is being unbound, and waits for a user to let go");

        return r < 0 ? driver_writes_failure(&w, "unbind", r, x->failure) : 0;
}

int release_check_idle(const char *root, Detached *detached, const char *name, Failure *f) {
        DeviceUsers users = {};
        Release x = { .root = root, .detached = detached, .name = name, .fd = -1, .users = &users, .failure = f };
        int r;

        r = vdpa_sysfs_get_driver(root, name, &x.driver);
        if (r < 0)
                return kernel_failure_sysfs(f, name, r);
        if (x.driver != BUS_DRIVER_VHOST_VDPA && x.driver != BUS_DRIVER_VIRTIO_VDPA)
                return 0;
        r = endpoint_find(root, name, x.driver, &x.endpoint);
        if (r < 0)
                return endpoint_failure(root, name, x.driver, r, f);
        r = x.endpoint.kind == ENDPOINT_NONE ? 0 : hold(&x);
        closep(&x.fd);
        return r;
}

int release_device(const char *root, Detached *detached, const char *name, BusDriver next, DeviceUsers *ret_users,
                   Failure *f) {
        DeviceUsers users = {};
        Release x = {
                .root = root,
                .detached = detached,
                .name = name,
                .next = next,
                .fd = -1,
                .users = ret_users ?: &users,
                .failure = f,
        };
        int r;

        r = vdpa_sysfs_get_driver(root, name, &x.driver);
        if (r < 0)
                return kernel_failure_sysfs(f, name, r);
        r = x.driver == BUS_DRIVER_NONE ? release_unbound(&x) : release_bound(&x);
        if (x.fd >= 0)
                close(x.fd);
        if (r < 0)
                return r;

        r = vdpa_sysfs_get_driver(root, name, &x.driver);
        if (r < 0)
                return kernel_failure_sysfs(f, name, r);
        if (x.driver != BUS_DRIVER_NONE)
                return failure_set(f, ERROR_BACKEND_FAILED, EBUSY,
                                   "'%s' was unbound, and something else has bound it to a driver again.", name);
        return 0;
}
