/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who uses an endpoint, found without opening it: to open a vhost-vdpa node resets the device, and to open a disk
 * exclusively gets into the way of who wants to mount it. May be called on any thread. */

#include "inventory/user.h"
#include "kernel/endpoint.h"

/* Adds the users that can be found. root: see kernel/sysfs.h. Returns 1: it is in use; 0: it is not; -ENODATA:
 * nobody was found, but not everybody could be looked into. */
int users_find(const char *root, const Endpoint *endpoint, DeviceUsers *users);
