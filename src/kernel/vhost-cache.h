/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What vhost-vdpa devices have answered, when they were new and nobody used them yet.
 *
 * They cannot be asked later: to open a node takes it away from its user, or keeps the user out just when it comes.
 * So the answers are remembered for as long as the devices are there, beyond the daemon: in a file of the runtime
 * directory, which goes with the next boot as the devices do. An answer belongs to one device and not to a name:
 * each has the number of the device's directory in sysfs, which the kernel gives out only once. */

#include "kernel/vhost.h"

#define VHOST_CACHE_FILE "vhost-groups"

typedef struct VhostCache VhostCache;

/* directory: where the file is; NULL: answers live as long as the cache. Lines of the file that make no sense are
 * left out; without a file that can be written there is none, and no error. root: see kernel/sysfs.h; borrowed.
 * Returns 0 or -ENOMEM. */
int vhost_cache_new(const char *root, const char *directory, VhostCache **ret);
VhostCache *vhost_cache_free(VhostCache *c);
DEFINE_CLEANUP(VhostCache *, vhost_cache_free)

/* What the device that has the name now has answered; all 0 if that is not known. */
VhostGroups vhost_cache_get(VhostCache *c, const char *name);

/* For a device that is there. Out of memory forgets it: then it is not known. */
void vhost_cache_put(VhostCache *c, const char *name, const VhostGroups *groups);

void vhost_cache_remove(VhostCache *c, const char *name);
