/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a device holds by number, in words. */

#include <hsvdpa/client.h>

/* "group 0: 17, group 1: 90 (pasid)", "vq 0-7: 40-47, config: 63", and "vq 0-1: group 0, vq 2: group 1": what
 * follows one another is told as a range.
 * To be freed; NULL when out of memory. */
char *device_format_asids(const HsvValue *asids);
char *device_format_groups(const HsvValue *groups);
char *device_format_msis(const HsvValue *msis);
