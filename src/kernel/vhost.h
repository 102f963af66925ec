/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What only a vhost-vdpa device itself tells, to whoever has its node open: netlink and sysfs do not know it. */

#include <stdint.h>

#include "inventory/vq-groups.h"
#include "kernel/detached.h"

/* 0: not known. */
typedef struct VhostGroups {
        uint32_t n_vq_groups;
        uint32_t n_address_spaces;
        VqGroups vqs;
} VhostGroups;

/* Opens the node, asks, and closes it. The opening is exclusive and resets the device, so nobody else may be about
 * to use it; and the device must be bound for certain: this kernel (6.12) shows the node while vhost_vdpa is still
 * at it, and to close it then brings the host down. Whoever has had the device's lock since, by a write to
 * driver_override or to bind, can be sure.
 *
 * root: see kernel/sysfs.h. Returns 0, or a negative errno: -EBUSY if someone has it open. */
int vhost_ask_groups(const char *root, Detached *detached, const char *name, VhostGroups *ret);
