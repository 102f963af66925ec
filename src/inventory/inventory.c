/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/inventory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static int device_compare(const Device *a, const Device *b) {
        return strcmp(a->name, b->name);
}

static int mgmtdev_compare(const Mgmtdev *a, const Mgmtdev *b) {
        return strcmp(a->info.handle, b->info.handle);
}

/* RB_GENERATE_STATIC needs a macro that this libbsd does not define on Linux; this is what it expands to. */
RB_GENERATE_INTERNAL(DeviceTree, Device, by_name, device_compare, _unused_ static)
RB_GENERATE_INTERNAL(MgmtdevTree, Mgmtdev, by_handle, mgmtdev_compare, _unused_ static)

void inventory_init(Inventory *inv, size_t max_devices) {
        *inv = (Inventory){ .max_devices = max_devices };
        RB_INIT(&inv->devices);
        RB_INIT(&inv->mgmtdevs);
}

void inventory_done(Inventory *inv) {
        Device *device;
        Mgmtdev *mgmtdev;

        while ((device = RB_ROOT(&inv->devices))) {
                RB_REMOVE(DeviceTree, &inv->devices, device);
                device_free(device);
        }
        while ((mgmtdev = RB_ROOT(&inv->mgmtdevs))) {
                RB_REMOVE(MgmtdevTree, &inv->mgmtdevs, mgmtdev);
                free(mgmtdev);
        }
}

/* A key to search the tree with. Too long a name is cut: it comes right after what is left of it. */
static void device_key(Device *key, const char *name) {
        strncpy(key->name, name, sizeof key->name - 1);
        key->name[sizeof key->name - 1] = '\0';
}

Device *inventory_find_device(Inventory *inv, const char *name) {
        Device key;

        if (strlen(name) >= DEVICE_NAME_MAX)
                return NULL;
        device_key(&key, name);
        return RB_FIND(DeviceTree, &inv->devices, &key);
}

Device *inventory_next_device(Inventory *inv, const char *name) {
        Device key, *device;

        device_key(&key, name);
        device = RB_NFIND(DeviceTree, &inv->devices, &key);
        if (device && strcmp(device->name, key.name) == 0)
                device = RB_NEXT(DeviceTree, &inv->devices, device);
        return device;
}

/* A failed device holds no resources: it is recorded, but does not count against the budget. */
static void mgmtdev_account(Mgmtdev *mgmtdev, DeviceState state, int sign) {
        mgmtdev->n_records += (uint32_t) sign;
        if (state != DEVICE_FAILED)
                mgmtdev->n_devices += (uint32_t) sign;
}

static void account(Inventory *inv, Device *device, int sign) {
        inv->n_devices += (size_t) sign;
        inv->n_states[device->state] += (size_t) sign;
        mgmtdev_account(device->mgmtdev, device->state, sign);
        device->mgmtdev->revision = inv->revision;
}

void inventory_touch_device(Inventory *inv, Device *device) {
        device->revision = ++inv->revision;
}

int inventory_add_device(Inventory *inv, Device *device, Mgmtdev *mgmtdev) {
        if (inventory_find_device(inv, device->name))
                return -EEXIST;
        if (inv->n_devices >= inv->max_devices)
                return -ENOSPC;

        device->mgmtdev = mgmtdev;
        inventory_touch_device(inv, device);
        if (device->created_revision == 0)
                device->created_revision = device->revision;
        RB_INSERT(DeviceTree, &inv->devices, device);
        account(inv, device, 1);
        return 0;
}

static void mgmtdev_release(Inventory *inv, Mgmtdev *mgmtdev) {
        if (mgmtdev->present || mgmtdev->n_records > 0)
                return;

        RB_REMOVE(MgmtdevTree, &inv->mgmtdevs, mgmtdev);
        free(mgmtdev);
}

void inventory_move_device(Inventory *inv, Device *device, Mgmtdev *mgmtdev) {
        Mgmtdev *before = device->mgmtdev;

        inventory_touch_device(inv, device);
        account(inv, device, -1);
        device->mgmtdev = mgmtdev;
        account(inv, device, 1);
        mgmtdev_release(inv, before);
}

Device *inventory_remove_device(Inventory *inv, Device *device) {
        Mgmtdev *mgmtdev = device->mgmtdev;

        assert(!device->operation);
        inv->revision++;
        account(inv, device, -1);
        RB_REMOVE(DeviceTree, &inv->devices, device);
        mgmtdev_release(inv, mgmtdev);
        return device_free(device);
}

void inventory_set_state(Inventory *inv, Device *device, DeviceState state, const Failure *reason) {
        inventory_touch_device(inv, device);
        account(inv, device, -1);
        device->state = state;
        device_set_reason(device, reason);
        account(inv, device, 1);
}

Mgmtdev *inventory_find_mgmtdev(Inventory *inv, const char *handle) {
        Mgmtdev key;

        if (strlen(handle) >= HANDLE_MAX)
                return NULL;
        strcpy(key.info.handle, handle);
        return RB_FIND(MgmtdevTree, &inv->mgmtdevs, &key);
}

int inventory_ensure_mgmtdev(Inventory *inv, const char *handle, Mgmtdev **ret) {
        Mgmtdev *mgmtdev = inventory_find_mgmtdev(inv, handle);

        if (!mgmtdev) {
                if (strlen(handle) >= HANDLE_MAX)
                        return -EINVAL;
                mgmtdev = calloc(1, sizeof *mgmtdev);
                if (!mgmtdev)
                        return -ENOMEM;
                strcpy(mgmtdev->info.handle, handle);
                mgmtdev->info.numa_node = -1;
                mgmtdev->info.vf_index = -1;
                mgmtdev->revision = ++inv->revision;
                RB_INSERT(MgmtdevTree, &inv->mgmtdevs, mgmtdev);
        }

        *ret = mgmtdev;
        return 0;
}

int inventory_update_mgmtdevs(Inventory *inv, const MgmtdevInfo *infos, size_t n) {
        Mgmtdev *mgmtdev, *next;

        for (mgmtdev = inventory_first_mgmtdev(inv); mgmtdev; mgmtdev = inventory_next_mgmtdev(mgmtdev))
                mgmtdev->was_listed = false;
        for (size_t i = 0; i < n; i++) {
                int r = inventory_ensure_mgmtdev(inv, infos[i].handle, &mgmtdev);
                if (r < 0)
                        return r;
                if (!mgmtdev->present || !mgmtdev_info_equal(&mgmtdev->info, &infos[i]))
                        mgmtdev->revision = ++inv->revision;
                mgmtdev->info = infos[i];
                mgmtdev->present = mgmtdev->was_listed = true;
        }

        for (mgmtdev = inventory_first_mgmtdev(inv); mgmtdev; mgmtdev = next) {
                next = inventory_next_mgmtdev(mgmtdev);
                if (!mgmtdev->present || mgmtdev->was_listed)
                        continue;
                mgmtdev->present = false;
                mgmtdev->revision = ++inv->revision;
                mgmtdev_release(inv, mgmtdev);
        }

        return 0;
}

Mgmtdev *inventory_first_mgmtdev(Inventory *inv) {
        return RB_MIN(MgmtdevTree, &inv->mgmtdevs);
}

Mgmtdev *inventory_next_mgmtdev(Mgmtdev *mgmtdev) {
        return RB_NEXT(MgmtdevTree, NULL, mgmtdev);
}
