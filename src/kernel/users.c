/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/users.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/openers.h"

typedef struct Disk {
        const char *root;
        Nodes nodes; /* it and its partitions */
        DeviceUsers *users;
} Disk;

static void add_named(DeviceUsers *users, DeviceUserKind kind, const char *name) {
        DeviceUser user = { .kind = kind, .fd = -1 };

        (void) strlcpy(user.name, name, sizeof user.name);
        device_users_add(users, &user);
}

/* Block devices that lie on the one of this directory in sysfs, and hold it: dm and md. */
static void add_holders(Disk *disk, const char *directory) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[SYSFS_PATH_MAX];

        if (sysfs_path(path, "%s/holders", directory) < 0 || !(d = opendir(path)))
                return;
        while ((entry = readdir(d)))
                if (entry->d_name[0] != '.')
                        add_named(disk->users, USER_DEVICE, entry->d_name);
}

static void add_partition(Disk *disk, const char *directory, const char *name) {
        char partition[SYSFS_PATH_MAX], path[SYSFS_PATH_MAX], text[SYSFS_VALUE_MAX];
        unsigned major_number, minor_number;

        if (disk->nodes.n >= OPENERS_NODES_MAX || sysfs_path(partition, "%s/%s", directory, name) < 0 ||
            sysfs_path(path, "%s/partition", partition) < 0 || !sysfs_exists(path) ||
            sysfs_path(path, "%s/dev", partition) < 0 || sysfs_read(path, text) < 0 ||
            sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
                return;

        disk->nodes.rdev[disk->nodes.n++] = makedev(major_number, minor_number);
        add_holders(disk, partition);
}

static void add_partitions(Disk *disk, const char *directory) {
        _cleanup_(closedirp) DIR *d = opendir(directory);
        const struct dirent *entry;

        while (d && (entry = readdir(d)))
                add_partition(disk, directory, entry->d_name);
}

static bool is_of_disk(const Disk *disk, const char *path) {
        char full[SYSFS_PATH_MAX];
        struct stat st;

        return path[0] == '/' && sysfs_path(full, "%s%s", disk->root, path) >= 0 && stat(full, &st) >= 0 &&
               nodes_have(&disk->nodes, st.st_mode, st.st_rdev);
}

/* A loop device keeps its file open, but it is no process and does not hold it exclusively. */
static void add_loops(Disk *disk) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[SYSFS_PATH_MAX], file[SYSFS_VALUE_MAX];

        if (sysfs_path(path, "%s/sys/block", disk->root) < 0 || !(d = opendir(path)))
                return;
        while ((entry = readdir(d)))
                if (strncmp(entry->d_name, "loop", 4) == 0 &&
                    sysfs_path(path, "%s/sys/block/%s/loop/backing_file", disk->root, entry->d_name) >= 0 &&
                    sysfs_read(path, file) >= 0 && is_of_disk(disk, file))
                        add_named(disk->users, USER_DEVICE, entry->d_name);
}

/* Each line of a table of /proc. */
static void for_each_line(const Disk *disk, const char *table, void (*take)(const Disk *disk, char *line)) {
        char path[SYSFS_PATH_MAX], *line = NULL;
        size_t size = 0;
        FILE *f;

        if (sysfs_path(path, "%s%s", disk->root, table) < 0 || !(f = fopen(path, "re")))
                return;
        while (getline(&line, &size, f) >= 0)
                take(disk, line);
        free(line);
        (void) fclose(f);
}

/* "36 35 254:0 / /mnt rw,noatime ..." */
static void take_mount(const Disk *disk, char *line) {
        unsigned major_number, minor_number;
        char mount_point[128];

        if (sscanf(line, "%*u %*u %u:%u %*s %127s", &major_number, &minor_number, mount_point) == 3 &&
            nodes_have(&disk->nodes, S_IFBLK, makedev(major_number, minor_number)))
                add_named(disk->users, USER_MOUNT, mount_point);
}

/* "/dev/vda   partition   1048572 0 -2" */
static void take_swap(const Disk *disk, char *line) {
        line[strcspn(line, " \t\n")] = '\0';
        if (is_of_disk(disk, line))
                add_named(disk->users, USER_SWAP, line);
}

static int find_of_disk(const char *root, const Endpoint *endpoint, DeviceUsers *users) {
        Disk disk = { .root = root,
                      .nodes = { .type = S_IFBLK, .n = 1, .rdev = { endpoint->rdev } },
                      .users = users };
        bool is_whole;

        add_holders(&disk, endpoint->sysfs);
        add_partitions(&disk, endpoint->sysfs);
        add_loops(&disk);
        /* Of the host, and not of the namespace that this process may have been given. */
        for_each_line(&disk, "/proc/1/mountinfo", take_mount);
        for_each_line(&disk, "/proc/swaps", take_swap);
        is_whole = openers_find(root, &disk.nodes, users);
        return users->n > 0 ? 1 : is_whole ? 0 : -ENODATA;
}

static int find_of_node(const char *root, const Endpoint *endpoint, DeviceUsers *users) {
        const Nodes nodes = { .type = S_IFCHR, .n = 1, .rdev = { endpoint->rdev } };
        bool is_whole = openers_find(root, &nodes, users);

        return users->n > 0 ? 1 : is_whole ? 0 : -ENODATA;
}

int users_find(const char *root, const Endpoint *endpoint, DeviceUsers *users) {
        switch (endpoint->kind) {
        case ENDPOINT_VHOST:
                return find_of_node(root, endpoint, users);
        case ENDPOINT_BLOCK:
                return find_of_disk(root, endpoint, users);
        case ENDPOINT_NETDEV_MOVED:
                add_named(users, USER_NETNS, "");
                return 1;
        case ENDPOINT_NETDEV:
                return 0;
        case ENDPOINT_NONE:
        case ENDPOINT_VIRTIO:
        case _ENDPOINT_KIND_MAX:
                break;
        }

        return -ENODATA;
}
