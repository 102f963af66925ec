/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which attributes a management device takes when it makes a device.
 *
 * The kernel does not list them; it only refuses others, and then names them. So each management device is asked
 * once for a device with every attribute and with features that it does not have. Most take fewer attributes, and
 * refuse before their driver is called; the others come as far as the driver, which refuses the features, and the
 * number of virtqueue pairs as well. Nothing is made either way. What was learned holds as long as the same driver
 * has the management device and the daemon lives. */

#include "inventory/mgmtdev.h"
#include "kernel/genl.h"

typedef struct Accepts Accepts;

/* root: see kernel/sysfs.h; borrowed. Returns 0 or -ENOMEM. */
int accepts_new(const char *root, Accepts **ret);
Accepts *accepts_free(Accepts *a);
DEFINE_CLEANUP(Accepts *, accepts_free)

/* Sets knows_accepts and accepts of the management device; asks it if that has not been done. If, against all
 * expectation, that made a device, its name is left in ret_made, for the caller to delete; else "". */
void accepts_describe(Accepts *a, GenlSocket *netlink, MgmtdevInfo *info, char ret_made[DEVICE_NAME_MAX]);

/* A creation was refused for these attributes, bits of MgmtdevAttribute. */
void accepts_note_refused(Accepts *a, const char *handle, uint32_t attributes);

/* A listing begins, and is over: what is known of management devices that were not described in between goes. */
void accepts_begin_listing(Accepts *a);
void accepts_end_listing(Accepts *a);
