/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Binding a device to a bus driver. */

#include "inventory/error.h"
#include "kernel/detached.h"
#include "kernel/endpoint.h"

/* Binds the device to the driver, away from the other one if nobody uses it there (see kernel/release.h). Nothing
 * to do if that is so. is_new: it was just made, and nobody has been told of it. root: see kernel/sysfs.h, as
 * below. Returns 0, or a negative errno with f set. */
int binding_attach(const char *root, Detached *detached, const char *name, BusDriver driver, bool is_new,
                   Failure *f);

/* Waits for the endpoint of a device that is bound to the driver. Returns 0, or a negative errno with f set. */
int binding_wait(const char *root, const char *name, BusDriver driver, Endpoint *ret, Failure *f);

/* Both in one, for a device that was just made, that nobody has been told of, and that the kernel has given to
 * vhost_vdpa by itself: what has to be known of each of thousands takes a walk through sysfs each, and this only
 * one for all. last: the endpoint of the device that was made before it; the kernel numbers them one after the
 * other, mostly. ret_inode: the number of the device's directory. False: it is not so, or that cannot be told. */
bool binding_take_next(const char *root, const char *name, const Endpoint *last, Endpoint *ret,
                       uint64_t *ret_inode);
