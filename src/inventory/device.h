/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One managed vDPA device. What is desired (spec), what was seen last (status), and what is under way (operation)
 * are separate; the state is the daemon's own view that ties them together. */

#include <bsd/sys/tree.h>
#include <stdint.h>

#include "inventory/error.h"
#include "inventory/holder.h"
#include "inventory/owner.h"
#include "inventory/resource.h"
#include "inventory/spec.h"
#include "inventory/vq-groups.h"
#include "util/durable-clock.h"

typedef struct Device Device;
typedef struct Mgmtdev Mgmtdev;
typedef struct Operation Operation; /* of lifecycle/, opaque here */

typedef enum DeviceState {
        DEVICE_RESERVED, /* the intent is on its way to the disk */
        DEVICE_CREATING,
        DEVICE_READY,
        DEVICE_DELETING,
        DEVICE_FAILED, /* kept for the user to see, with a reason; holds nothing unless it may be on the host */
        DEVICE_LOST,   /* was ready; the kernel no longer has it */
        _DEVICE_STATE_MAX,
} DeviceState;

/* A UUIDv7 as text, and the NUL. */
#define UID_TEXT_MAX 37

/* Of interfaces and of the nodes of drivers: the longest are "/dev/vhost-vdpa-4294967295". */
#define ENDPOINT_MAX 32

/* What a backend says of one device, beside where it is. All of it can be observed again, so none of it is
 * identity. */
typedef struct DeviceStatus {
        char endpoint[ENDPOINT_MAX]; /* "/dev/vhost-vdpa-7", "eth1", "/dev/vda"; "" while there is none */
        bool is_unsettled;           /* ... whose name may change any moment, since udev is not through with it */
        bool simulated;              /* the endpoint exists in the model only */
        bool has_features;
        bool has_access;
        unsigned class;
        BusDriver driver;
        uint32_t vendor_id;
        uint32_t max_vqs;
        uint32_t n_vq_groups;      /* that it has; 0: not known */
        uint32_t n_address_spaces; /* that they can be put into; 0: not known */
        VqGroups vq_groups;        /* which of them each virtqueue is in */
        EndpointSpec access;       /* of an endpoint with a node of its own: who may open it now */
        NetSpec net;               /* as configured now; of net devices */
        uint16_t vq_size;          /* descriptors a virtqueue at the most; 0: not known */
        uint64_t features;         /* that the device offers */
        uint64_t seen_at; /* by the backend's count of events on the host: those below it are seen; 0: none is */
} DeviceStatus;

/* There are very many, so that what is small stands together. */
struct Device {
        char uid[UID_TEXT_MAX];

        bool is_by_endpoint; /* in that index */
        bool was_ready;      /* recorded as ready by the daemon before this one, and not seen on the host since */
        bool was_seen;       /* by the look at the host that is being evaluated */
        bool is_displaced;   /* lost, but there: someone else has bound it to another driver, or to none */
        bool is_left_over;   /* failed, but there */
        bool is_behind;   /* its record still tells of what was refused since: a start from it would do that after
                             all */
        bool is_released; /* its holder has gone: it is being deleted, or will be */

        uint32_t generation;       /* of the spec: 1, and one more for each change of it */
        uint64_t revision;         /* of the inventory, when this device last changed */
        uint64_t created_revision; /* of the inventory, when it was created */
        uint64_t created_usec;     /* since the epoch */

        DeviceSpec spec;

        RB_ENTRY(Device) by_lease;
        const DurableClock *clock; /* weak: of its lease; NULL: there is none to tell its end by */
        uint64_t lease_usec;       /* when its lease ends; 0: it has none */
        uint64_t lease_look_usec;  /* when that is to be looked at next */
        Failure *lease_reason;     /* owned: why, the last time; or NULL */
        unsigned n_lease_failures; /* to delete it since */

        unsigned n_failed_repairs;
        DeviceState state;
        DeviceResources resources; /* what it holds; see budget.h */
        Mgmtdev *mgmtdev;          /* weak: where it was placed; never NULL */

        RB_ENTRY(Device) by_endpoint;
        /* Valid if state is ready, or it is displaced; set by inventory_set_status() once it is in the inventory.
         */
        DeviceStatus status;
        Failure *reason;      /* owned: why it is failed or lost, or NULL */
        uint64_t repair_usec; /* when it may be repaired again by itself, monotonic */

        Operation *operation; /* weak: under way, or NULL */
        Owner *owner;         /* weak: as whose it is counted, or NULL */

        LIST_ENTRY(Device) held;
        Holder *holder; /* weak: with whom it goes; NULL: it stays */

        /* Last, right before the name itself: a search looks at nothing else of those that it comes by. */
        RB_ENTRY(Device) by_name;
        const char *name; /* in the same allocation */
};

/* Makes a device (state reserved, generation 1, a new uid) of a valid name. The spec is taken over: the
 * caller's is left empty. Returns 0, or -ENOMEM. */
int device_new(const char *name, DeviceSpec *spec, uint64_t now_usec, Device **ret);

/* The same of one that has a valid uid already. */
int device_new_known(const char *name, const char *uid, DeviceSpec *spec, uint64_t created_usec, Device **ret);
Device *device_free(Device *device);
DEFINE_CLEANUP(Device *, device_free)

/* Keeps a copy of reason (NULL: none). Out of memory leaves none: the state still tells. */
void device_set_reason(Device *device, const Failure *reason);

/* The same, of why it is still there after the end of its lease. */
void device_set_lease_reason(Device *device, const Failure *reason);

const char *device_state_name(DeviceState state);
int device_state_parse(const char *text, DeviceState *ret);

/* Writes a fresh UUIDv7 to ret: sortable by the time of its making. */
void uid_generate(uint64_t now_usec, char ret[UID_TEXT_MAX]);
bool uid_is_valid(const char *text);

/* Takes one that is written in another way, too. Returns 0, or -EINVAL. */
int uid_parse(const char *text, char ret[static UID_TEXT_MAX]);
