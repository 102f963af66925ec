/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/inventory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/capacity.h"

static int device_compare(const Device *a, const Device *b) {
        return strcmp(a->name, b->name);
}

static int mgmtdev_compare(const Mgmtdev *a, const Mgmtdev *b) {
        return strcmp(a->info.handle, b->info.handle);
}

/* A device that is lost may have had the endpoint that another has now. */
static int endpoint_compare(const Device *a, const Device *b) {
        int c = strcmp(a->status.endpoint, b->status.endpoint);

        return c != 0 ? c : strcmp(a->name, b->name);
}

static int lease_compare(const Device *a, const Device *b) {
        if (a->lease_look_usec != b->lease_look_usec)
                return a->lease_look_usec < b->lease_look_usec ? -1 : 1;
        return strcmp(a->name, b->name);
}

/* RB_GENERATE_STATIC needs a macro that this libbsd does not define on Linux; this is what it expands to. */
RB_GENERATE_INTERNAL(DeviceTree, Device, by_name, device_compare, _unused_ static)
RB_GENERATE_INTERNAL(LeaseTree, Device, by_lease, lease_compare, _unused_ static)
RB_GENERATE_INTERNAL(EndpointTree, Device, by_endpoint, endpoint_compare, _unused_ static)
RB_GENERATE_INTERNAL(MgmtdevTree, Mgmtdev, by_handle, mgmtdev_compare, _unused_ static)

void inventory_init(Inventory *inv, size_t max_devices) {
        *inv = (Inventory){ .max_devices = max_devices };
        RB_INIT(&inv->devices);
        RB_INIT(&inv->endpoints);
        RB_INIT(&inv->mgmtdevs);
        LIST_INIT(&inv->spaces);
        LIST_INIT(&inv->watches);
        RB_INIT(&inv->holders);
        RB_INIT(&inv->pools);
        RB_INIT(&inv->foreign_devices);
        owners_init(&inv->owners);
        RB_INIT(&inv->leases);
}

void inventory_configure(Inventory *inv, uint64_t quarantine_usec, const ConfiguredMgmtdev *configured, size_t n) {
        inv->quarantine_usec = quarantine_usec;
        inv->configured = configured;
        inv->n_configured = n;
}

static void mgmtdev_free(Inventory *inv, Mgmtdev *mgmtdev) {
        RB_REMOVE(MgmtdevTree, &inv->mgmtdevs, mgmtdev);
        mgmtdev_drop_foreign(mgmtdev);
        mgmtdev->space->n_users--;
        mgmtdev->space->is_stale = true;
        idset_free(mgmtdev->msis);
        mgmtdev_settings_done(&mgmtdev->settings);
        free(mgmtdev);
}

void inventory_done(Inventory *inv) {
        Device *device;
        Mgmtdev *mgmtdev;
        Pool *pool;

        RB_INIT(&inv->endpoints);
        RB_INIT(&inv->leases);
        while ((device = RB_ROOT(&inv->devices))) {
                RB_REMOVE(DeviceTree, &inv->devices, device);
                holder_let_go(&inv->holders, device);
                owners_forget(&inv->owners, device);
                device_free(device);
        }
        foreign_device_free_all(inv);
        while ((pool = RB_ROOT(&inv->pools)))
                pool_remove(inv, pool);
        while ((mgmtdev = RB_ROOT(&inv->mgmtdevs)))
                mgmtdev_free(inv, mgmtdev);
        asid_space_free_all(&inv->spaces);
}

/* Who looks for a device mostly reads all of it then, which is nine lines of memory. They come one after the other,
 * or, if they are asked for before, together: with very many devices that is a tenth of a GET. */
static void prefetch(const Device *device) {
        for (size_t i = 0; i < sizeof *device; i += 64)
                __builtin_prefetch((const char *) device + i);
}

/* Of a key to search a tree with, nothing is looked at but what the tree is in order of. */
Device *inventory_find_device(Inventory *inv, const char *name) {
        _uninitialized_ Device key;
        Device *device;

        key.name = name;
        device = RB_FIND(DeviceTree, &inv->devices, &key);
        if (device)
                prefetch(device);
        return device;
}

Device *inventory_next_device(Inventory *inv, const char *name) {
        _uninitialized_ Device key;
        Device *device;

        key.name = name;
        device = RB_NFIND(DeviceTree, &inv->devices, &key);
        if (device && strcmp(device->name, name) == 0)
                device = RB_NEXT(DeviceTree, &inv->devices, device);
        return device;
}

Device *inventory_device_after(const Device *device) {
        return RB_NEXT(DeviceTree, , (Device *) device);
}

Device *inventory_find_device_near(Inventory *inv, const Device *before, const char *name) {
        Device *next = before ? inventory_device_after(before) : NULL;

        return next && strcmp(next->name, name) == 0 ? next : inventory_find_device(inv, name);
}

Device *inventory_find_endpoint(Inventory *inv, const char *endpoint) {
        _uninitialized_ Device key;
        Device *device;

        if (!endpoint[0] || strlen(endpoint) >= sizeof key.status.endpoint)
                return NULL;

        strcpy(key.status.endpoint, endpoint);
        key.name = "";
        device = RB_NFIND(EndpointTree, &inv->endpoints, &key);
        while (device && device->state != DEVICE_READY && strcmp(device->status.endpoint, endpoint) == 0)
                device = RB_NEXT(EndpointTree, &inv->endpoints, device);
        return device && strcmp(device->status.endpoint, endpoint) == 0 ? device : NULL;
}

static void index_endpoint(Inventory *inv, Device *device) {
        device->is_by_endpoint = device->status.endpoint[0];
        if (device->is_by_endpoint)
                RB_INSERT(EndpointTree, &inv->endpoints, device);
}

static void unindex_endpoint(Inventory *inv, Device *device) {
        if (device->is_by_endpoint)
                RB_REMOVE(EndpointTree, &inv->endpoints, device);
        device->is_by_endpoint = false;
}

void inventory_set_status(Inventory *inv, Device *device, const DeviceStatus *status) {
        unindex_endpoint(inv, device);
        device->status = *status;
        index_endpoint(inv, device);
}

void inventory_watch(Inventory *inv, InventoryWatch *watch) {
        LIST_INSERT_HEAD(&inv->watches, watch, entry);
}

void inventory_unwatch(Inventory *inv, InventoryWatch *watch) {
        LIST_REMOVE(watch, entry);
}

static void notify(const Inventory *inv, const Device *device, DeviceChange change) {
        const InventoryWatch *watch;

        LIST_FOREACH(watch, &inv->watches, entry)
                watch->on_device(watch->userdata, device, change);
}

/* A failed device that holds nothing is recorded, but does not count against the budget. */
static void mgmtdev_account(const Device *device, int sign) {
        device->mgmtdev->n_records += (uint32_t) sign;
        if (device->state != DEVICE_FAILED || device_holds(device))
                device->mgmtdev->n_devices += (uint32_t) sign;
}

static void account(Inventory *inv, Device *device, int sign) {
        inv->n_devices += (size_t) sign;
        inv->n_states[device->state] += (size_t) sign;
        mgmtdev_account(device, sign);
        device->mgmtdev->revision = inv->revision;
}

static void give_revision(Inventory *inv, Device *device) {
        device->revision = ++inv->revision;
}

void inventory_touch_device(Inventory *inv, Device *device) {
        give_revision(inv, device);
        notify(inv, device, DEVICE_CHANGED);
}

int inventory_add_device(Inventory *inv, Device *device, Mgmtdev *mgmtdev) {
        if (inv->n_devices >= inv->max_devices)
                return inventory_find_device(inv, device->name) ? -EEXIST : -ENOSPC;
        if (RB_INSERT(DeviceTree, &inv->devices, device))
                return -EEXIST;
        if (owners_note(&inv->owners, device) < 0) {
                RB_REMOVE(DeviceTree, &inv->devices, device);
                return -ENOMEM;
        }

        device->mgmtdev = mgmtdev;
        device->clock = inv->clock;
        give_revision(inv, device);
        if (device->created_revision == 0)
                device->created_revision = device->revision;
        index_endpoint(inv, device);
        account(inv, device, 1);
        notify(inv, device, DEVICE_ADDED);
        return 0;
}

void inventory_set_lease(Inventory *inv, Device *device, uint64_t lease_usec, uint64_t look_usec) {
        if (device->lease_look_usec > 0)
                RB_REMOVE(LeaseTree, &inv->leases, device);
        device->lease_usec = lease_usec;
        device->lease_look_usec = lease_usec > 0 ? look_usec : 0;
        if (device->lease_look_usec > 0)
                RB_INSERT(LeaseTree, &inv->leases, device);
}

Device *inventory_first_lease(Inventory *inv) {
        return RB_MIN(LeaseTree, &inv->leases);
}

int inventory_hold_device(Inventory *inv, Device *device, const char *holder) {
        return holder_take(&inv->holders, holder, device);
}

void inventory_renew_device(Inventory *inv, Device *device, DeviceSpec *spec, uint64_t now_usec) {
        inv->revision++;
        RB_REMOVE(DeviceTree, &inv->devices, device);
        notify(inv, device, DEVICE_REMOVED);

        account(inv, device, -1);
        device_spec_done(&device->spec);
        device->spec = *spec;
        device_spec_init(spec);
        device->state = DEVICE_READY;
        device_set_reason(device, NULL);
        uid_generate(now_usec, device->uid);
        device->created_usec = now_usec;
        device->generation = 1;
        inventory_set_lease(inv, device, 0, 0);
        /* Without memory it still counts as that of the owner before. */
        (void) owners_note(&inv->owners, device);
        give_revision(inv, device);
        device->created_revision = device->revision;
        account(inv, device, 1);
        RB_INSERT(DeviceTree, &inv->devices, device);
        notify(inv, device, DEVICE_ADDED);
}

static void mgmtdev_release(Inventory *inv, Mgmtdev *mgmtdev) {
        if (!mgmtdev->present && mgmtdev->n_records == 0 && mgmtdev_settings_are_empty(&mgmtdev->settings))
                mgmtdev_free(inv, mgmtdev);
}

void inventory_let_go(Inventory *inv, Device *device) {
        inv->n_let_go += device->holder != NULL;
        holder_let_go(&inv->holders, device);
}

void inventory_end_holder(Inventory *inv, const char *name) {
        Holder *holder;

        /* With its last device the holder is freed. */
        while ((holder = holder_find(&inv->holders, name)))
                inventory_let_go(inv, LIST_FIRST(&holder->devices));
}

void inventory_move_device(Inventory *inv, Device *device, Mgmtdev *mgmtdev) {
        Mgmtdev *before = device->mgmtdev;

        assert(!device_holds(device));
        give_revision(inv, device);
        account(inv, device, -1);
        device->mgmtdev = mgmtdev;
        account(inv, device, 1);
        mgmtdev_release(inv, before);
        notify(inv, device, DEVICE_CHANGED);
}

Device *inventory_remove_device(Inventory *inv, Device *device) {
        Mgmtdev *mgmtdev = device->mgmtdev;

        assert(!device->operation);
        inv->revision++;
        device_put_back(device);
        account(inv, device, -1);
        RB_REMOVE(DeviceTree, &inv->devices, device);
        unindex_endpoint(inv, device);
        inventory_let_go(inv, device);
        owners_forget(&inv->owners, device);
        inventory_set_lease(inv, device, 0, 0);
        notify(inv, device, DEVICE_REMOVED);
        mgmtdev_release(inv, mgmtdev);
        return device_free(device);
}

static void change_state(Inventory *inv, Device *device, DeviceState state, const Failure *reason) {
        account(inv, device, -1);
        device->state = state;
        device->is_displaced &= state == DEVICE_LOST;
        device->is_left_over &= state == DEVICE_FAILED;
        device_set_reason(device, reason);
        account(inv, device, 1);
        notify(inv, device, DEVICE_CHANGED);
}

void inventory_set_state(Inventory *inv, Device *device, DeviceState state, const Failure *reason) {
        give_revision(inv, device);
        change_state(inv, device, state, reason);
}

uint64_t inventory_set_aside(Inventory *inv, unsigned n) {
        inv->revision += n;
        return inv->revision - n + 1;
}

void inventory_set_state_as(Inventory *inv, Device *device, DeviceState state, uint64_t revision) {
        inv->revision++;
        device->revision = revision;
        change_state(inv, device, state, NULL);
}

Mgmtdev *inventory_find_mgmtdev(Inventory *inv, const char *handle) {
        Mgmtdev key;

        if (strlen(handle) >= HANDLE_MAX)
                return NULL;
        strcpy(key.info.handle, handle);
        return RB_FIND(MgmtdevTree, &inv->mgmtdevs, &key);
}

static const MgmtdevSettings *find_configured(const Inventory *inv, const char *handle) {
        for (size_t i = 0; i < inv->n_configured; i++)
                if (strcmp(inv->configured[i].handle, handle) == 0)
                        return &inv->configured[i].settings;

        return NULL;
}

/* One that the host has not listed yet: a space of its own, and no limit to anything. */
static int mgmtdev_new(Inventory *inv, const char *handle, Mgmtdev **ret) {
        char key[SPACE_KEY_MAX];
        Mgmtdev *mgmtdev;
        int r;

        mgmtdev = calloc(1, sizeof *mgmtdev);
        if (!mgmtdev)
                return -ENOMEM;

        strcpy(mgmtdev->info.handle, handle);
        mgmtdev->info.numa_node = -1;
        mgmtdev->info.vf_index = -1;
        mgmtdev->configured = find_configured(inv, handle);
        asid_space_key(ASID_DEVICE_MMU, "", handle, key);
        r = idset_new(IDS_MAX, inv->quarantine_usec, &mgmtdev->msis);
        if (r == 0)
                r = asid_space_ensure(&inv->spaces, key, inv->quarantine_usec, &mgmtdev->space);
        if (r < 0) {
                idset_free(mgmtdev->msis);
                free(mgmtdev);
                return r;
        }

        mgmtdev->space->n_users++;
        *ret = mgmtdev;
        return 0;
}

int inventory_ensure_mgmtdev(Inventory *inv, const char *handle, Mgmtdev **ret) {
        Mgmtdev *mgmtdev = inventory_find_mgmtdev(inv, handle);
        int r;

        if (!mgmtdev) {
                if (strlen(handle) >= HANDLE_MAX)
                        return -EINVAL;
                r = mgmtdev_new(inv, handle, &mgmtdev);
                if (r < 0)
                        return r;
                mgmtdev->revision = ++inv->revision;
                RB_INSERT(MgmtdevTree, &inv->mgmtdevs, mgmtdev);
        }

        *ret = mgmtdev;
        return 0;
}

/* Those that the listing did not have. */
static void drop_absent(Inventory *inv) {
        Mgmtdev *mgmtdev, *next;

        for (mgmtdev = inventory_first_mgmtdev(inv); mgmtdev; mgmtdev = next) {
                next = inventory_next_mgmtdev(mgmtdev);
                if (mgmtdev->present && !mgmtdev->was_listed) {
                        mgmtdev->present = false;
                        mgmtdev->revision = ++inv->revision;
                }
                mgmtdev_release(inv, mgmtdev);
        }
}

int inventory_update_mgmtdevs(Inventory *inv, const MgmtdevInfo *infos, size_t n, uint64_t now) {
        Mgmtdev *mgmtdev;

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
                r = capacity_refresh(inv, mgmtdev, now);
                if (r < 0)
                        return r;
        }

        drop_absent(inv);
        return capacity_refresh_spaces(inv, now);
}

int inventory_set_mgmtdev(Inventory *inv, Mgmtdev *mgmtdev, MgmtdevSettings *settings, uint64_t now) {
        int r;

        mgmtdev_settings_done(&mgmtdev->settings);
        mgmtdev->settings = *settings;
        *settings = (MgmtdevSettings){};
        mgmtdev->revision = ++inv->revision;

        r = capacity_refresh(inv, mgmtdev, now);
        if (r == 0)
                r = capacity_refresh_spaces(inv, now);
        return r;
}

Mgmtdev *inventory_first_mgmtdev(Inventory *inv) {
        return RB_MIN(MgmtdevTree, &inv->mgmtdevs);
}

Mgmtdev *inventory_next_mgmtdev(Mgmtdev *mgmtdev) {
        return RB_NEXT(MgmtdevTree, NULL, mgmtdev);
}
