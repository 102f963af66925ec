/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/openers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_number(const char *name) {
        return name[0] && name[strspn(name, "0123456789")] == '\0';
}

static bool has_open(const char *root, const char *pid, mode_t type, dev_t rdev) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[SYSFS_PATH_MAX];
        struct stat st;

        if (sysfs_path(path, "%s/proc/%s/fd", root, pid) < 0)
                return false;
        d = opendir(path);
        if (!d)
                return false;

        /* Looking through such a link does not open what is behind it. */
        while ((entry = readdir(d)))
                if (is_number(entry->d_name) && fstatat(dirfd(d), entry->d_name, &st, 0) >= 0 &&
                    (st.st_mode & S_IFMT) == type && st.st_rdev == rdev)
                        return true;

        return false;
}

bool openers_find(const char *root, mode_t type, dev_t rdev, Opener *ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[SYSFS_PATH_MAX];

        if (sysfs_path(path, "%s/proc", root) < 0)
                return false;
        d = opendir(path);
        if (!d)
                return false;

        while ((entry = readdir(d))) {
                pid_t pid = is_number(entry->d_name) ? (pid_t) strtol(entry->d_name, NULL, 10) : 0;

                if (pid <= 0 || pid == getpid() || !has_open(root, entry->d_name, type, rdev))
                        continue;
                *ret = (Opener){ .pid = pid };
                if (sysfs_path(path, "%s/proc/%s/comm", root, entry->d_name) >= 0)
                        (void) sysfs_read(path, ret->name);
                return true;
        }

        return false;
}
