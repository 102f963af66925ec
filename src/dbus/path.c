/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/path.h"

#include <errno.h>
#include <systemd/sd-bus.h>

static char *encode(const char *prefix, const char *name) {
        char *path = NULL;

        return sd_bus_path_encode(prefix, name, &path) < 0 ? NULL : path;
}

char *path_of_device(const char *name) {
        return encode(DEVICE_PATH, name);
}

char *path_of_mgmtdev(const char *handle) {
        return encode(MGMTDEV_PATH, handle);
}

/* Anything but -ENOMEM means that nothing of ours can be there. */
static int decode(const char *prefix, const char *path, char **ret) {
        int r = sd_bus_path_decode(path, prefix, ret);

        return r < 0 && r != -ENOMEM ? 0 : r;
}

int path_find_device(Inventory *inventory, const char *path, Device **ret) {
        _cleanup_free_ char *name = NULL;
        Device *device;
        int r;

        r = decode(DEVICE_PATH, path, &name);
        if (r <= 0)
                return r;
        device = inventory_find_device(inventory, name);
        if (!device)
                return 0;

        *ret = device;
        return 1;
}

int path_find_mgmtdev(Inventory *inventory, const char *path, Mgmtdev **ret) {
        _cleanup_free_ char *handle = NULL;
        Mgmtdev *mgmtdev;
        int r;

        r = decode(MGMTDEV_PATH, path, &handle);
        if (r <= 0)
                return r;
        mgmtdev = inventory_find_mgmtdev(inventory, handle);
        if (!mgmtdev)
                return 0;

        *ret = mgmtdev;
        return 1;
}
