/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What devlink knows of functions behind the ports of an eswitch, and of the resources of a card. A host without
 * devlink, or whose cards have nothing to say there, is nothing special: then it is not known.
 *
 * root: see kernel/sysfs.h. */

#include "inventory/mgmtdev.h"
#include "kernel/devlink-codec.h"

typedef struct Devlink Devlink;

/* Returns 0 or -ENOMEM. */
int devlink_new(const char *root, Devlink **ret);
Devlink *devlink_free(Devlink *d);
DEFINE_CLEANUP(Devlink *, devlink_free)

/* Has the kernel list its ports. Until the next time, answers are as of now. */
void devlink_refresh(Devlink *d);

/* The number of event queues for I/O, each with an interrupt of its own, that the function of the management device
 * has been given (max_io_eqs). Needs its handle, pci_function, pci_pf and vf_index. False: not known. */
bool devlink_get_max_io_eqs(const Devlink *d, const MgmtdevInfo *info, uint32_t *ret);

/* Whether what is on the other side of the port is the management device. */
bool devlink_port_is_of(const DevlinkPort *port, const char *root, const MgmtdevInfo *info);

/* The number of subfunctions that a PCI function can have on this host. False: not known. */
bool devlink_get_max_subfunctions(Devlink *d, const char *pci_function, uint32_t *ret);
