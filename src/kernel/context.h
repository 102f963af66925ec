/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the kernel backend share: the backend itself. Only kernel/kernel.c makes one; all of it but the
 * monitor belongs to the worker's thread. */

#include "backend/backend.h"
#include "kernel/accepts.h"
#include "kernel/autoprobe.h"
#include "kernel/detached.h"
#include "kernel/device-notes.h"
#include "kernel/devlink.h"
#include "kernel/endpoint.h"
#include "kernel/genl.h"
#include "kernel/maker.h"
#include "kernel/msix.h"
#include "kernel/snapshot.h"
#include "kernel/uevent.h"
#include "kernel/vhost-kinds.h"

/* Leaves most of a sysfs path to sysfs. */
#define ROOT_MAX 256

/* The last device made, and what is known of it already. */
typedef struct Made {
        char name[DEVICE_NAME_MAX];
        bool is_published; /* else nobody has been told of it yet */
        VhostKind kind;
        char mgmtdev[HANDLE_MAX];
        VhostAnswers answers; /* the configuration: until somebody has looked at the device, or changed it */
} Made;

/* The last device whose endpoint was found, and what that was. */
typedef struct Found {
        char name[DEVICE_NAME_MAX];
        BusDriver driver;
        Endpoint endpoint;
        /* Of the device that was made last, until it is looked at: uevent_count() between it was bound and this was
         * found; else 0. And then what it was published with. */
        uint64_t seen_at;
        bool has_access;
        EndpointSpec access;
} Found;

typedef struct KernelBackend {
        Backend backend;
        char root[ROOT_MAX];
        GenlSocket *netlink;
        Maker *maker;
        Detached detached;
        DeviceNotes *notes;
        VhostKinds vhost_kinds;
        Accepts *accepts;
        Devlink *devlink;
        Msix *msix;
        Autoprobe *autoprobe;
        UeventMonitor *uevents; /* the loop's */
        int uevent_counter;     /* see kernel/uevent.h */
        Snapshot snapshot;
        Made made;
        Found found;
} KernelBackend;

static inline KernelBackend *kernel_backend(Backend *b) {
        return CONTAINER_OF(b, KernelBackend, backend);
}
