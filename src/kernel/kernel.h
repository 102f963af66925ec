/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The backend that drives the real kernel: the vdpa netlink family makes and deletes devices, sysfs binds them. */

#include "backend/backend.h"

/* root: "" on a host; a directory that stands for / where sysfs and /dev are concerned, in tests. Succeeds also on
 * a host without vDPA, which get_host() then reports; the modules may be loaded later. Returns 0, -ENOMEM, or
 * -ENAMETOOLONG. */
int kernel_backend_new(const char *root, Backend **ret);
