/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who uses a device: what keeps it from being taken away. */

#include <sys/types.h>

#include "util/json.h"

typedef enum DeviceUserKind {
        USER_PROCESS, /* has the endpoint open */
        USER_MOUNT,   /* a file system on the disk, or on a partition of it */
        USER_SWAP,
        USER_DEVICE, /* another block device on it: dm, md, loop */
        USER_NETNS,  /* another network namespace has the interface */
        _DEVICE_USER_KIND_MAX,
} DeviceUserKind;

typedef struct DeviceUser {
        DeviceUserKind kind;
        pid_t pid;      /* of a process, as are the next */
        int fd;         /* -1: not known */
        char name[128]; /* of its program, "" if not known; else the mount point, the swap, the block device */
} DeviceUser;

/* More are not told, only that there are more. */
#define DEVICE_USERS_MAX 8

typedef struct DeviceUsers {
        bool has_more;
        unsigned n;
        DeviceUser user[DEVICE_USERS_MAX];
} DeviceUsers;

/* Adds one, or that there are more. */
void device_users_add(DeviceUsers *users, const DeviceUser *user);

/* "process 812, qemu-system-x86; mounted on /mnt; and more", cut to what fits; "" if none is known. */
#define DEVICE_USERS_TEXT_MAX 256
const char *device_users_format(const DeviceUsers *users, char ret[DEVICE_USERS_TEXT_MAX]);

/* [{"kind": "process", "pid": 812, "comm": "qemu-system-x86", "fd": 12}, {"kind": "mount", "name": "/mnt"}, ...]: a
 * new reference, or NULL. */
json_t *device_users_encode(const DeviceUsers *users);
