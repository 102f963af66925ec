/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which group each virtqueue of a device is in. Neighbours mostly are in the same one, so that this is kept by
 * runs: it is there for each of very many devices. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Drivers have up to three. A device that has more has an answer that is not kept. */
#define VQ_GROUP_RUNS_MAX 8

/* "1024*65535+" of each run, and the NUL. */
#define VQ_GROUPS_TEXT_MAX (VQ_GROUP_RUNS_MAX * 12 + 1)

typedef struct VqGroupRun {
        uint16_t n_vqs;
        uint16_t group;
} VqGroupRun;

/* All zero: not known. */
typedef struct VqGroups {
        VqGroupRun runs[VQ_GROUP_RUNS_MAX];
        uint16_t n_runs;
        uint16_t n_vqs; /* at most DEVICE_VQS_MAX */
} VqGroups;

/* The group of the virtqueue after the last one. Returns 0, or -ENOSPC with nothing changed. */
int vq_groups_append(VqGroups *groups, uint16_t group);

/* "2*0+1*1": two virtqueues in group 0, then one in group 1. "": not known. */
char *vq_groups_format(const VqGroups *groups, char buffer[VQ_GROUPS_TEXT_MAX]);

/* Returns 0, or -EINVAL for what vq_groups_format() does not write. */
int vq_groups_parse(const char *text, VqGroups *ret);
