/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a management device has how much of, as far as the host tells: devlink before PCI before its driver. */

#include "inventory/mgmtdev.h"
#include "kernel/devlink.h"

/* Adds to what netlink says of the management device: where it is (transport, NUMA node, function, PF and index)
 * and its capacity. What cannot be found out is left at "not known". devlink: refreshed; root: see kernel/sysfs.h.
 */
void capacity_describe(const char *root, const Devlink *devlink, MgmtdevInfo *info);
