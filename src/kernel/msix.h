/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The size of the MSI-X table of VFs, as the administrator wants it.
 *
 * A PF whose driver deals out MSI-X entries lets each VF have as many as one likes (sriov_vf_msix_count), but only
 * while the VF has no driver: later that has set itself up with what it found. And a VF is a management device only
 * while it has a driver. So the moment comes when VFs have been made with sriov_drivers_autoprobe off, and before
 * they are given to their driver: whenever the host is looked at, those that are there without a driver get what is
 * configured for the management devices that they are going to be. */

#include "inventory/mgmtdev.h"
#include "inventory/settings.h"

typedef struct Msix Msix;

/* What is wanted is taken from the totals of MSI entries; it is copied. root: see kernel/sysfs.h; borrowed. Returns
 * 0 or -ENOMEM. */
int msix_new(const char *root, const ConfiguredMgmtdev *configured, size_t n, Msix **ret);
Msix *msix_free(Msix *m);
DEFINE_CLEANUP(Msix *, msix_free)

/* Gives VFs without a driver what is wanted and is not known to be there. What a VF does not allow is left as it
 * is.
 */
void msix_apply(Msix *m);

/* Whether the management device is such a VF and has just what is wanted: then no driver can use more. Needs its
 * handle, pci_pf, and its capacity as PCI tells it. */
bool msix_is_in_force(const Msix *m, const MgmtdevInfo *info);
