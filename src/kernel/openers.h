/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which process has a device node open. The kernel does not tell; only the descriptors of every process do, as far
 * as we may see them: those of other users take CAP_SYS_PTRACE. So an answer is certain, but silence is not. */

#include <sys/types.h>

#include "kernel/sysfs.h"

typedef struct Opener {
        pid_t pid;
        char name[SYSFS_VALUE_MAX]; /* of its program, "" if it cannot be read */
} Opener;

/* Finds a process other than this one that has a node of this type (S_IFCHR or S_IFBLK) and number open. root: see
 * kernel/sysfs.h. Returns true if one was found. */
bool openers_find(const char *root, mode_t type, dev_t rdev, Opener *ret);
