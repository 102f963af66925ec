/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices that come and go: what BackendOps says of prepare, create and destroy. The last two return 0, or a
 * negative errno with f set. */

#include "kernel/context.h"

void creation_prepare(KernelBackend *k, const char *name, const char *mgmtdev, const DeviceSpec *spec);
int creation_make(KernelBackend *k, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f);

/* ret_users may be NULL. */
int creation_delete(KernelBackend *k, const char *name, DeviceUsers *ret_users, Failure *f);

/* Whether the device is the one that was made last, and nobody has been told of it. */
bool creation_is_unpublished(const KernelBackend *k, const char *name);

/* Asks a device that is bound to vhost_vdpa, and that nobody can have open, for its groups, unless they are known
 * of others of its kind; and notes them, and that it is ours. A device without an answer works as well. inode: of
 * its directory in sysfs; 0: not known. */
void creation_note_bound(KernelBackend *k, const char *name, uint64_t inode);
