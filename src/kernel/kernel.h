/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The backend that drives the real kernel: the vdpa netlink family makes and deletes devices, sysfs binds them. */

#include "backend/backend.h"
#include "inventory/settings.h"

/* root: "" on a host; a directory that stands for / where sysfs and /dev are concerned, in tests. runtime_dir:
 * where to keep what has to be known of devices for as long as they are there (see kernel/device-notes.h); NULL:
 * nowhere. exclusive: see kernel/autoprobe.h. Succeeds also on a host without vDPA, which get_host() then reports;
 * the modules may be loaded later. Returns 0, -ENOMEM, or -ENAMETOOLONG. */
int kernel_backend_new(const char *root, const char *runtime_dir, bool exclusive,
                       const ConfiguredMgmtdev *configured, size_t n_configured, Backend **ret);
