/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

/* "directory/name". The caller frees it. NULL when out of memory. */
char *fs_join(const char *directory, const char *name);

/* Makes the directory, and those above it, if they are not there. path is absolute. Returns 0, or a negative
 * errno: -ENOTDIR if something else is in the way. */
int fs_make_directory(const char *path, mode_t mode);
