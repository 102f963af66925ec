/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which processes have a device node open. The kernel does not tell; only the descriptors of every process do, as
 * far as we may see them: those of other users take CAP_SYS_PTRACE. So an answer is certain, but silence is not. */

#include <sys/types.h>

#include "inventory/user.h"
#include "kernel/sysfs.h"

/* Nodes to look for: one of a char device, or a disk with its partitions. */
#define OPENERS_NODES_MAX 32

typedef struct Nodes {
        mode_t type; /* S_IFCHR or S_IFBLK */
        unsigned n;
        dev_t rdev[OPENERS_NODES_MAX];
} Nodes;

bool nodes_have(const Nodes *nodes, mode_t type, dev_t rdev);

/* Adds the processes, other than this one, that have one of the nodes open. root: see kernel/sysfs.h. Returns true
 * if every process could be looked into. */
bool openers_find(const char *root, const Nodes *nodes, DeviceUsers *users);
