/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small files of sysfs. Every path begins with a root: "" on a host, a directory made for the purpose in tests.
 *
 * All return 0, or a negative errno as the system call gave it. */

#include <dirent.h>
#include <stdbool.h>

#include "util/macro.h"

#define SYSFS_PATH_MAX 512

/* Long enough for what one reads from here: a number, a driver's name. */
#define SYSFS_VALUE_MAX 64

/* -ENAMETOOLONG if it does not fit. */
int sysfs_path(char ret[SYSFS_PATH_MAX], const char *format, ...) _printf_(2, 3);

bool sysfs_exists(const char *path);

/* Reads one line, without its end. -EMSGSIZE if it is longer than SYSFS_VALUE_MAX - 1. */
int sysfs_read(const char *path, char ret[SYSFS_VALUE_MAX]);

/* -EINVAL if what is there is not a number and nothing else. */
int sysfs_read_number(const char *path, long *ret);

/* Writes text with one system call, as the files of sysfs want it. */
int sysfs_write(const char *path, const char *text);
int sysfs_write_at(int directory, const char *path, const char *text);

/* The last part of where a symbolic link points to: the name of a driver, of a subsystem. */
int sysfs_read_link_name(const char *path, char ret[SYSFS_VALUE_MAX]);

/* Counts the entries of a directory that begin with prefix and go on with digits only ("vhost-vdpa-7"), or all
 * of them if prefix is "". ret_first gets the name of the first one (may be NULL). 0 entries are no error, but
 * -ENOENT is no directory. */
int sysfs_find(const char *directory, const char *prefix, char ret_first[SYSFS_VALUE_MAX], unsigned *ret_n);

static inline _unused_ void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}
