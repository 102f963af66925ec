/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/openers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool nodes_have(const Nodes *nodes, mode_t type, dev_t rdev) {
        for (unsigned i = 0; i < nodes->n; i++)
                if (nodes->type == (type & S_IFMT) && nodes->rdev[i] == rdev)
                        return true;

        return false;
}

static bool is_number(const char *name) {
        return name[0] && name[strspn(name, "0123456789")] == '\0';
}

/* The first descriptor of one of the nodes. Returns 1 with it, 0 if there is none, or a negative errno. */
static int find_descriptor(const char *root, const char *pid, const Nodes *nodes, int *ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[SYSFS_PATH_MAX];
        struct stat st;
        int r;

        r = sysfs_path(path, "%s/proc/%s/fd", root, pid);
        if (r < 0)
                return r;
        d = opendir(path);
        if (!d)
                return -errno;

        /* Looking through such a link does not open what is behind it. */
        while ((entry = readdir(d)))
                if (is_number(entry->d_name) && fstatat(dirfd(d), entry->d_name, &st, 0) >= 0 &&
                    nodes_have(nodes, st.st_mode, st.st_rdev)) {
                        *ret = atoi(entry->d_name);
                        return 1;
                }

        return 0;
}

static void add_opener(const char *root, const char *pid, int fd, DeviceUsers *users) {
        DeviceUser user = { .kind = USER_PROCESS, .pid = (pid_t) strtol(pid, NULL, 10), .fd = fd };
        char path[SYSFS_PATH_MAX], name[SYSFS_VALUE_MAX];

        if (sysfs_path(path, "%s/proc/%s/comm", root, pid) >= 0 && sysfs_read(path, name) >= 0)
                strcpy(user.name, name);
        device_users_add(users, &user);
}

bool openers_find(const char *root, const Nodes *nodes, DeviceUsers *users) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[SYSFS_PATH_MAX];
        bool is_whole = true;

        if (sysfs_path(path, "%s/proc", root) < 0)
                return false;
        d = opendir(path);
        if (!d)
                return false;

        while (!users->has_more && (entry = readdir(d))) {
                int fd = -1, r;

                if (!is_number(entry->d_name) || strtol(entry->d_name, NULL, 10) == getpid())
                        continue;
                r = find_descriptor(root, entry->d_name, nodes, &fd);
                if (r > 0)
                        add_opener(root, entry->d_name, fd, users);
                /* Others are of processes that have ended meanwhile. */
                is_whole &= r != -EACCES && r != -EPERM;
        }

        return is_whole;
}
