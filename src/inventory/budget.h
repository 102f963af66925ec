/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What each management device has of each resource, and who holds how much of it. used + free + reserved +
 * quarantined = total, always, where a total is known. Times are of a clock that never goes back. */

#include "inventory/inventory.h"
#include "inventory/needs.h"

typedef struct Budget {
        bool is_known; /* false: no total is known; total and free say only what there are numbers for */
        uint32_t total;
        uint32_t reserved;
        uint32_t used;    /* of devices: foreign ones too. Of ASIDs: by all management devices that share them */
        uint32_t foreign; /* ... of those, as far as is known, by foreign ones */
        uint32_t quarantined;
        uint32_t free;
} Budget;

Budget mgmtdev_budget(const Mgmtdev *mgmtdev, Resource resource, uint64_t now);

/* To be called before the management device is shown. Its numbers change by themselves, too: quarantines end, and
 * others take of a space that it shares. If they have, it gets a new revision. */
void mgmtdev_note_numbers(Inventory *inv, Mgmtdev *mgmtdev, uint64_t now);

/* Its foreign devices are those that were counted. What they hold is theirs from now on, and what they no longer
 * hold goes through quarantine; what a device of ours holds stays with that. Gives the management device a new
 * revision if that changes anything. */
void mgmtdev_take_foreign(Inventory *inv, Mgmtdev *mgmtdev, uint64_t now);

/* They hold nothing any more, until they are counted again. */
void mgmtdev_drop_foreign(Mgmtdev *mgmtdev);

/* Why a need is not met: "msis: need 9, free 0 of 2048 (12 in quarantine)". */
typedef struct Shortage {
        Resource resource;
        ErrorCode code; /* ERROR_NO_CAPACITY: it could if others held less; ERROR_UNSATISFIABLE: it never can */
        char detail[96];
} Shortage;

/* Of a device of the spec if it is made there. */
Needs mgmtdev_needs(const Mgmtdev *mgmtdev, const DeviceSpec *spec);

/* Whether one more device has room there. Returns how many shortages there are. */
size_t mgmtdev_check_needs(const Mgmtdev *mgmtdev, const Needs *needs, uint64_t now, Shortage ret[_RESOURCE_MAX]);

/* Takes what a device that holds nothing needs, from its management device. Returns 0, -ENOSPC with f set, or
 * -ENOMEM with f set; nothing is taken then. */
int device_acquire(Device *device, const Needs *needs, uint64_t now, Failure *f);

/* The device turned out to have more virtqueues: takes the MSI entries that they need. Returns as device_acquire()
 * does. */
int device_acquire_more(Device *device, uint32_t n_vqs, uint64_t now, Failure *f);

/* Takes just these: they were held when the daemon stopped. The resources are taken over. Returns 0, -EEXIST if
 * another device holds one of them, -ERANGE, or -ENOMEM; nothing is taken then, and the resources are left. */
int device_acquire_again(Device *device, DeviceResources *resources);

/* A foreign device becomes ours, with what it holds: that is free for it to acquire, until the next look. */
void mgmtdev_let_foreign_go(Mgmtdev *mgmtdev, const DeviceResources *resources);

/* Whether the device holds one of these, if they are held on a management device. */
bool device_shares(const Device *device, const Mgmtdev *mgmtdev, const DeviceResources *resources);

/* Gives everything back, into quarantine. */
void device_release(Device *device, uint64_t now);

/* Gives everything back that was acquired and that the host never saw. */
void device_put_back(Device *device);

static inline bool device_holds(const Device *device) {
        return device->resources.is_held;
}

/* False: it has failed, and left nothing on the host. What has its name there is someone else's. */
static inline bool device_may_be_there(const Device *device) {
        return device->state != DEVICE_FAILED || device_holds(device);
}
