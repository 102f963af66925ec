/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices on the host that are not ours, by name: seen, and never touched. What they hold is in
 * inventory/foreign.h. */

#include <bsd/sys/tree.h>
#include <stdbool.h>

#include "inventory/spec.h"

typedef struct Inventory Inventory;

/* More are not kept one by one. */
#define FOREIGN_DEVICES_MAX (UINT32_C(1) << 20)

typedef struct ForeignDevice {
        RB_ENTRY(ForeignDevice) by_name;
        char mgmtdev[HANDLE_MAX];
        unsigned class;
        bool was_seen;   /* by the look at the host that is being evaluated */
        bool was_absent; /* from the look before */
        char name[];     /* the host's: any bytes */
} ForeignDevice;

RB_HEAD(ForeignDeviceTree, ForeignDevice);

/* The device of that name is on the host, on this management device, and not ours. Returns 1 if that is news, 0 if
 * it is not, -ENOSPC, or -ENOMEM; *ret is set unless it fails. */
int foreign_device_note(Inventory *inv, const char *name, const char *mgmtdev, unsigned class, ForeignDevice **ret);

/* It is gone, or ours. */
void foreign_device_forget(Inventory *inv, ForeignDevice *f);

ForeignDevice *foreign_device_find(Inventory *inv, const char *name);

/* The first one whose name is after name in byte order; the first of all if name is "". NULL: no more. */
ForeignDevice *foreign_device_next(Inventory *inv, const char *name);

void foreign_device_free_all(Inventory *inv);
