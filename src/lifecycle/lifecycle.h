/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs: what REST and D-Bus can ask for. Both decode, call one verb here, and encode what comes out.
 *
 * A verb answers by calling done() exactly once, from the loop: at once, before the verb returns, when nothing has
 * to be waited for (a refusal, a confirmation), else when the work is done and what must be durable is. It answers
 * all the same when the client has gone. Verbs on the same device wait for each other, in order of arrival;
 * verbs on different devices do not. Reading needs no verb: see inventory/inventory.h. */

#include <systemd/sd-event.h>

#include "backend/backend.h"
#include "inventory/inventory.h"
#include "lifecycle/idempotency-key.h"
#include "store/store.h"
#include "util/json.h"
#include "util/workqueue.h"

typedef struct Lifecycle Lifecycle;
typedef struct Placement Placement; /* see lifecycle/placement.h */

typedef struct Outcome {
        Failure failure;          /* code is ERROR_NONE: it worked */
        const JsonFaults *faults; /* what is wrong with the spec, pointer by pointer, or NULL */
        Device *device;           /* the device after it, borrowed until done() returns; NULL: failed, or deleted */
        const Mgmtdev *mgmtdev;   /* of an update of one; borrowed until done() returns */
        const Pool *pool;         /* likewise */
        bool created;             /* of a create: made, not only confirmed; of a claim */
        const Placement *placement; /* of a plan, and of a create that no candidate fits; borrowed, or NULL */
        const DeviceUsers *users;   /* of a delete that is refused, and of get_users: borrowed, or NULL */
        int in_use;                 /* of get_users: 1: it is; 0: it is not; else that cannot be said */
        const BackendStat *stats;   /* of get_stats, borrowed */
        size_t n_stats;
        const Device *current; /* what a failed precondition has found, borrowed; or NULL */
        bool replayed;         /* the request came before, and this is what that has come to */
} Outcome;

typedef void (*outcome_done_t)(void *userdata, const Outcome *outcome);

/* What the caller believes of the device; a verb that finds otherwise changes nothing and answers
 * ERROR_PRECONDITION_FAILED. And the key by which a request that comes again is known. */
typedef struct Precondition {
        bool has_revision; /* If-Match */
        uint64_t revision;
        bool has_generation;
        uint32_t generation;
        char uid[UID_TEXT_MAX]; /* "": any */
        bool must_exist;        /* of a create, as is the next */
        bool must_not_exist;
        bool lease_is_over; /* the grace included */
        IdempotencyKey key;
} Precondition;

/* Changes to a device; only what has_... is set changes. A MAC address is set in place. */
typedef struct DevicePatch {
        bool has_mac;
        uint8_t mac[6];
        bool has_owner;
        char *owner;       /* borrowed; NULL: none */
        bool has_endpoint; /* of a claim only */
        EndpointSpec endpoint;
        bool has_labels;
        bool has_drift;
        DriftMode drift;
        bool has_lease;
        uint32_t lease_seconds; /* from now on; 0: none */
        json_t *labels; /* borrowed; merged into those there are when the verb runs, null removes one; NULL: none */
} DevicePatch;

/* All are referenced or borrowed for the life of the Lifecycle. max_queued bounds the operations that wait for
 * the backend. Returns 0, or a negative errno. */
int lifecycle_new(sd_event *event, Inventory *inventory, Store *store, Backend *backend, size_t max_queued,
                  Lifecycle **ret);

/* Where devices go whose spec has no policy. Spread, until it is set. */
void lifecycle_set_placement_policy(Lifecycle *l, PlacementPolicy policy);

/* What becomes of devices that others change, if their spec does not say. They are observed, until it is set. */
void lifecycle_set_drift_mode(Lifecycle *l, DriftMode mode);

/* What holds for the device: never DRIFT_DEFAULT. */
DriftMode lifecycle_drift_mode(const Lifecycle *l, const Device *device);

/* How long the first start of a boot waits for management devices that devices are recorded on; 0, until it is set.
 */
void lifecycle_set_boot_patience(Lifecycle *l, uint64_t usec);

/* Loads the inventory from the store, compares it with the host and goes on with what was under way. done() is
 * called (with no device) when that is through: from then on verbs are accepted. Returns 0, or a negative
 * errno that the caller has to log and exit with: the store could not be read. */
int lifecycle_start(Lifecycle *l, outcome_done_t done, void *userdata);

/* Refuses new verbs, and waits at most timeout_usec for what is under way. Returns false if the backend is still
 * stuck then: the process must be left without freeing anything; what is unfinished goes on at the next start. */
bool lifecycle_stop(Lifecycle *l, uint64_t timeout_usec);

/* After lifecycle_stop() has returned true. */
Lifecycle *lifecycle_free(Lifecycle *l);
DEFINE_CLEANUP(Lifecycle *, lifecycle_free)

/* True between the end of the start and the beginning of the stop. */
bool lifecycle_is_ready(const Lifecycle *l);

/* What the backend said of this host when last asked; and the inventory and operations under way, to be read. */
const BackendHost *lifecycle_host(const Lifecycle *l);
const BackendSriov *lifecycle_sriov(const Lifecycle *l, size_t *ret_n);
Inventory *lifecycle_inventory(Lifecycle *l);
const char *lifecycle_backend_name(const Lifecycle *l);
size_t lifecycle_n_operations(const Lifecycle *l);

/* The queue to the backend's thread, to see how it comes forward. */
Workqueue *lifecycle_worker(Lifecycle *l);

/* The queue to the disk. */
Workqueue *lifecycle_writer(Lifecycle *l);

/* What keeps changes from the disk now; NULL: nothing does. */
const StoreTrouble *lifecycle_trouble(const Lifecycle *l);

/* As store_backup(). */
int lifecycle_backup(Lifecycle *l, store_backup_done_t done, void *userdata);

/* Changes how many operations requests may have under way; those that are stay. */
void lifecycle_set_max_operations(Lifecycle *l, size_t max);
size_t lifecycle_max_operations(const Lifecycle *l);

/* How long a device is still there after its lease has ended, or after a start that comes later. */
void lifecycle_set_lease_grace(Lifecycle *l, uint64_t usec);

/* How long it is remembered what requests with a key have come to, and which devices have gone; and how many of
 * each at the most. What is there already goes when the next one comes. */
void lifecycle_set_retention(Lifecycle *l, uint64_t usec, size_t max_keys, size_t max_tombstones);

/* Creates the device, or confirms that it is there with an equal spec (created is false then). name: valid, or
 * NULL for a generated one. The spec is taken over. */
void lifecycle_create_device(Lifecycle *l, const char *name, DeviceSpec *spec, const Precondition *precondition,
                             outcome_done_t done, void *userdata);

/* The same, for as long as the holder is there. Only a device that this holder has is confirmed. The holder's name
 * has at most HOLDER_MAX - 1 bytes. */
void lifecycle_create_held_device(Lifecycle *l, const char *name, DeviceSpec *spec, const char *holder,
                                  const Precondition *precondition, outcome_done_t done, void *userdata);

/* The same for a batch, which holds what it makes until it is through: a device that is there and that nobody holds
 * is confirmed too. */
void lifecycle_create_batched_device(Lifecycle *l, const char *name, DeviceSpec *spec, const char *holder,
                                     outcome_done_t done, void *userdata);

/* The holder has gone: deletes its devices, one by one, as soon as that can be. Those that are in use stay until
 * they are not. */
void lifecycle_release_holder(Lifecycle *l, const char *holder);

/* Says where the device would go and what it would take, or how the create would be refused, and does nothing. For
 * a device that is there the outcome has that too. */
void lifecycle_plan_device(Lifecycle *l, const char *name, DeviceSpec *spec, outcome_done_t done, void *userdata);

/* Deletes the device. ERROR_IN_USE while its endpoint is open. Of a uid that is known to have gone, there is
 * nothing left to do, whoever has the name now. */
void lifecycle_delete_device(Lifecycle *l, const char *name, const Precondition *precondition, outcome_done_t done,
                             void *userdata);

/* The longest that one can wait. */
#define LIFECYCLE_WAIT_SEC_MAX 600

/* The same, but a device that is in use is waited for, at most wait_usec. That ends when is_wanted() says false; it
 * is called now and then until done() is. */
void lifecycle_delete_device_when_free(Lifecycle *l, const char *name, const Precondition *precondition,
                                       uint64_t wait_usec, bool (*is_wanted)(void *userdata), outcome_done_t done,
                                       void *userdata);

void lifecycle_update_device(Lifecycle *l, const char *name, const Precondition *precondition,
                             const DevicePatch *patch, outcome_done_t done, void *userdata);

/* Gives the lease of the device its full time again; with seconds, another time, which its spec has from then on.
 * ERROR_NO_LEASE if it has none. */
void lifecycle_renew_device(Lifecycle *l, const char *name, const Precondition *precondition,
                            const uint32_t *seconds, outcome_done_t done, void *userdata);

/* Changes what is set of a management device, by a JSON merge patch as mgmtdev_patch_decode() takes it; durable
 * before the answer. The precondition is of the management device's revision. ERROR_NO_CAPACITY if there would be
 * less than is in use. */
void lifecycle_update_mgmtdev(Lifecycle *l, const char *handle, const Precondition *precondition, json_t *patch,
                              outcome_done_t done, void *userdata);

/* Makes the device what its spec says again, in place; anew, if it may and must. Nothing to do is success. */
void lifecycle_repair_device(Lifecycle *l, const char *name, bool may_recreate, outcome_done_t done,
                             void *userdata);

/* Takes over a foreign device. spec: members of a spec; those that can be observed must be so, and the others are
 * the device's from now on. ERROR_MISMATCH if it is otherwise. */
void lifecycle_adopt_device(Lifecycle *l, const char *name, json_t *spec, outcome_done_t done, void *userdata);

/* Looks at the whole host, and at every device, before it answers; with nothing but that this was done. */
void lifecycle_refresh(Lifecycle *l, outcome_done_t done, void *userdata);

/* Asks the backend whether the device is in use, and by whom. That waits for nothing else. */
void lifecycle_get_users(Lifecycle *l, const char *name, outcome_done_t done, void *userdata);

/* Asks the backend for vendor statistics. */
void lifecycle_get_stats(Lifecycle *l, const char *name, outcome_done_t done, void *userdata);
