/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The endpoint of a device: what its user opens. Which kind it is follows from the bus driver and the class:
 * vhost_vdpa makes a char device; virtio_vdpa makes a virtio device, and its driver a netdev or a block device.
 * root: see kernel/sysfs.h. */

#include <sys/types.h>

#include "inventory/device.h"
#include "inventory/error.h"
#include "kernel/detached.h"
#include "kernel/sysfs.h"

typedef enum EndpointKind {
        ENDPOINT_NONE,         /* there is none now */
        ENDPOINT_VHOST,        /* /dev/vhost-vdpa-N */
        ENDPOINT_NETDEV,       /* eth1 */
        ENDPOINT_NETDEV_MOVED, /* a netdev that is in another network namespace: virtio3, as its own name is not to
                                  be seen from here */
        ENDPOINT_BLOCK,        /* /dev/vda */
        ENDPOINT_VIRTIO,       /* virtio3: of a class whose driver makes nothing that has a name everywhere */
        _ENDPOINT_KIND_MAX,
} EndpointKind;

typedef struct Endpoint {
        EndpointKind kind;
        char name[ENDPOINT_MAX];    /* as shown to users; "" while its node is not in /dev */
        char sysfs[SYSFS_PATH_MAX]; /* of one with a node: its directory in sysfs, there as long as it is */
        dev_t rdev;                 /* of one with a node */
} Endpoint;

/* Finds the endpoint that driver has made of the device. Returns 0, or -ENOTUNIQ if several devices share a parent
 * and nobody can tell which virtio device is whose, or another negative errno. */
int endpoint_find(const char *root, const char *name, BusDriver driver, Endpoint *ret);

/* Whether an endpoint that was found before is still that of its device, with the same node in /dev. False also
 * where only a new search could tell: of all but the char devices of vhost_vdpa. */
bool endpoint_is_current(const char *root, const Endpoint *endpoint);

/* Whether the device's char device of vhost_vdpa is the one that the kernel has numbered next after last; then it
 * is in ret. directory: the device's in sysfs. False also if last is no such endpoint. */
bool endpoint_take_next(const char *root, const char *name, int directory, const Endpoint *last, Endpoint *ret);

/* Waits for it until timeout_usec have passed. Returns as endpoint_find() does, or -ETIMEDOUT, or -ENODEV if the
 * device is not there any more. */
int endpoint_wait(const char *root, const char *name, BusDriver driver, uint64_t timeout_usec, Endpoint *ret);

/* Whether udev still has to look at it: a new interface first has a name of the kernel's, and whoever is told that
 * name may find nothing under it a moment later. */
bool endpoint_may_be_renamed(const char *root, const Endpoint *endpoint);

/* Says why endpoint_find() or endpoint_wait() failed. Returns a negative errno. */
int endpoint_failure(const char *root, const char *name, BusDriver driver, int error, Failure *f);

/* Sleeps a little, longer each time; *step is 0 at first. False: the deadline (CLOCK_MONOTONIC) is over. */
bool endpoint_pause(uint64_t *step, uint64_t deadline_usec);

/* Whether the descriptor is of the endpoint's node, and not of what has taken its name or even its number. */
bool endpoint_is_node(const Endpoint *endpoint, int fd);

/* Waits until the kernel has taken the endpoint's node away, or the job that shall bring this about is done.
 * False: neither has come by then (CLOCK_MONOTONIC). */
bool endpoint_wait_gone(const Endpoint *endpoint, DetachedJob *job, uint64_t deadline_usec);

/* Gives the char device of vhost_vdpa its owner and mode; the others have none. Returns 0 or a negative errno. */
int endpoint_publish(const char *root, const Endpoint *endpoint, const EndpointSpec *spec);

/* Who may open the char device of vhost_vdpa now. False: the endpoint has no node, or it is no such device. */
bool endpoint_get_access(const char *root, const Endpoint *endpoint, EndpointSpec *ret);
