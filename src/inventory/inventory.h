/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything the daemon knows: management devices by handle, devices by name, both in order, and the revision
 * that grows by one with each change. Owned by the loop's thread; no locks, no I/O. */

#include <sys/queue.h>

#include "inventory/device.h"
#include "inventory/foreign-device.h"
#include "inventory/mgmtdev.h"
#include "inventory/pool.h"

RB_HEAD(DeviceTree, Device);
RB_HEAD(LeaseTree, Device);
RB_HEAD(EndpointTree, Device);
RB_HEAD(MgmtdevTree, Mgmtdev);

typedef enum DeviceChange {
        DEVICE_ADDED,
        DEVICE_CHANGED,
        DEVICE_REMOVED, /* it is out of the inventory already, and freed afterwards */
} DeviceChange;

/* Embed it. on_device() is called with each change of a device, when that is made; it must not change anything in
 * the inventory. */
typedef struct InventoryWatch {
        LIST_ENTRY(InventoryWatch) entry;
        void (*on_device)(void *userdata, const Device *device, DeviceChange change);
        void *userdata;
} InventoryWatch;

LIST_HEAD(InventoryWatchList, InventoryWatch);

struct Inventory {
        struct DeviceTree devices;
        struct EndpointTree endpoints; /* those that have one, or had when last seen */
        struct MgmtdevTree mgmtdevs;
        size_t n_devices;
        size_t max_devices; /* more are refused */
        size_t n_states[_DEVICE_STATE_MAX];
        AsidSpaceList spaces;
        uint64_t quarantine_usec;            /* that released IDs go through */
        const ConfiguredMgmtdev *configured; /* weak */
        size_t n_configured;
        uint64_t revision;
        uint64_t first_revision;           /* of this start of the daemon: changes before it are not known */
        struct InventoryWatchList watches; /* weak */
        struct HolderTree holders;
        uint64_t n_let_go; /* devices that a holder had and has no more, ever */
        struct PoolTree pools;
        size_t n_pools;
        struct ForeignDeviceTree foreign_devices;
        size_t n_foreign_devices;
        Owners owners;
        struct LeaseTree leases;   /* weak: of devices that have one, by when they are to be looked at */
        const DurableClock *clock; /* weak: by which leases end */
};

void inventory_init(Inventory *inv, size_t max_devices);

/* What the configuration says, for as long as the inventory lives; to be called before there is anything in it. */
void inventory_configure(Inventory *inv, uint64_t quarantine_usec, const ConfiguredMgmtdev *configured, size_t n);

/* Frees everything in it. */
void inventory_done(Inventory *inv);

void inventory_watch(Inventory *inv, InventoryWatch *watch);
void inventory_unwatch(Inventory *inv, InventoryWatch *watch);

Device *inventory_find_device(Inventory *inv, const char *name);

/* The same, quicker if it is the one behind before, which may be NULL: for who has many names, mostly in order. */
Device *inventory_find_device_near(Inventory *inv, const Device *before, const char *name);

/* The ready device with that endpoint ("/dev/vhost-vdpa-7"), or NULL. */
Device *inventory_find_endpoint(Inventory *inv, const char *endpoint);

/* The first device whose name is after name in byte order; the first of all if name is "". NULL: no more. */
Device *inventory_next_device(Inventory *inv, const char *name);

/* The one behind it, which is found without comparing names; NULL: it is the last one. */
Device *inventory_device_after(const Device *device);

/* Puts device on mgmtdev and into the inventory, with a new revision. Returns 0 and takes device over, or
 * -EEXIST (name is there), -ENOSPC (max_devices are there), -ENOMEM. */
int inventory_add_device(Inventory *inv, Device *device, Mgmtdev *mgmtdev);

/* Notes who holds the device, which is in the inventory. Once for a device. Returns 0, or -ENOMEM. */
int inventory_hold_device(Inventory *inv, Device *device, const char *holder);

/* Nobody holds the device any more, if somebody did. */
void inventory_let_go(Inventory *inv, Device *device);

/* The device has gone, and another one has come in its place: with a new uid and the spec, which is taken over, and
 * with the holdings and the name of the one before; it is ready. now_usec: since the epoch. */
void inventory_renew_device(Inventory *inv, Device *device, DeviceSpec *spec, uint64_t now_usec);

/* Nobody holds what the holder holds. No revision: who holds a device is not shown. */
void inventory_end_holder(Inventory *inv, const char *holder);

/* Sets when the lease of the device ends (0: it has none), and when it is to be looked at; no new revision. */
void inventory_set_lease(Inventory *inv, Device *device, uint64_t lease_usec, uint64_t look_usec);

/* The first one to be looked at, or NULL. */
Device *inventory_first_lease(Inventory *inv);

/* Puts the device, which holds nothing, on another management device, with a new revision. */
void inventory_move_device(Inventory *inv, Device *device, Mgmtdev *mgmtdev);

/* Takes the device out and frees it, with a new revision. What it still holds counts as never used. */
Device *inventory_remove_device(Inventory *inv, Device *device);

/* Sets the state (and keeps the counts), with a new revision. The reason is cleared unless one is given. */
void inventory_set_state(Inventory *inv, Device *device, DeviceState state, const Failure *reason);

/* Takes over what was seen of the device; no change by itself: one of state or inventory_touch_device() follows. */
void inventory_set_status(Inventory *inv, Device *device, const DeviceStatus *status);

/* Sets so many revisions aside for changes to come of one device, which others then do not get. Returns the first.
 */
uint64_t inventory_set_aside(Inventory *inv, unsigned n);

/* Sets the state, with a revision that was set aside for the device, or is its own already. The inventory gets a
 * new one. */
void inventory_set_state_as(Inventory *inv, Device *device, DeviceState state, uint64_t revision);

/* A change that is not one of state: gives the device a new revision. */
void inventory_touch_device(Inventory *inv, Device *device);

Mgmtdev *inventory_find_mgmtdev(Inventory *inv, const char *handle);

/* Finds the management device or makes one that is not present. Returns 0, or -ENOMEM. */
int inventory_ensure_mgmtdev(Inventory *inv, const char *handle, Mgmtdev **ret);

/* One listing of the backend: brings the management devices up to date; those that are not in it are no longer
 * present, and go if no device is recorded on them and nothing was set of them. now is of a clock that never goes
 * back. Returns 0, or -ENOMEM (what was done stays). */
int inventory_update_mgmtdevs(Inventory *inv, const MgmtdevInfo *infos, size_t n, uint64_t now);

/* Takes the settings over (the caller's are left empty), with a new revision. Returns 0, or -ENOMEM: they are set,
 * but not all of it is in effect before the next
 * listing. */
int inventory_set_mgmtdev(Inventory *inv, Mgmtdev *mgmtdev, MgmtdevSettings *settings, uint64_t now);

/* In order of handle: the first, the next. NULL: no more. */
Mgmtdev *inventory_first_mgmtdev(Inventory *inv);
Mgmtdev *inventory_next_mgmtdev(Mgmtdev *mgmtdev);
