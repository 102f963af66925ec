/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The durable inventory: one SQLite database, written by one thread.
 *
 * The loop queues changes; the writer takes everything that is queued, commits it as one transaction (WAL,
 * synchronous=FULL) and reports. A change is on the disk when its done() is called with 0. Changes are applied in
 * the order in which they were queued. What needs no answer (done is NULL) rides along with the next transaction.
 */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "inventory/device.h"
#include "inventory/error.h"
#include "inventory/settings.h"
#include "util/workqueue.h"

typedef struct Store Store;

/* failure: NULL if the change is durable, else why it is not; nothing of it was applied then. */
typedef void (*store_done_t)(void *userdata, const Failure *failure);

/* One device as the database has it; strings are borrowed until the callback returns. */
typedef struct StoreRecord {
        const char *name;
        const char *uid;
        uint64_t revision, created_revision, created_usec;
        uint32_t generation;
        DeviceState state;
        const char *mgmtdev;
        const char *spec;        /* JSON */
        const char *reason_code; /* of failed and lost devices, as error_info() has it; "" if there is none */
        const char *reason;
        const char *asid_space; /* the key of the space of its ASIDs; "" if it holds nothing */
        const char *asids;      /* as idlist_format() writes them */
        uint32_t n_vqs;
        const char *msis;
        const char *holder; /* "" if nobody holds it */
} StoreRecord;

/* What a device held and holds no more. */
typedef struct StoreQuarantine {
        const char *mgmtdev;
        const char *asid_space, *asids, *msis; /* as in StoreRecord */
        uint64_t released_usec;                /* since the epoch */
} StoreQuarantine;

/* That something is released, since the epoch; and how long it matters. */
typedef struct StoreRelease {
        uint64_t now_usec;
        uint64_t quarantine_usec;
} StoreRelease;

/* What was set of a management device. Each is "" where nothing was. */
typedef struct StoreMgmtdev {
        const char *handle;
        const char *cordoned;  /* "yes", "no" */
        const char *labels;    /* a JSON object */
        const char *overrides; /* a JSON object, as budget_settings_encode() makes it */
} StoreMgmtdev;

/* Who takes what is loaded: management devices, devices in order of name, then what was released, the oldest first.
 * Each returns 0, or a negative errno that ends the loading. One that is NULL is not asked. */
typedef struct StoreLoader {
        int (*mgmtdev)(void *userdata, const StoreMgmtdev *m);
        int (*device)(void *userdata, const StoreRecord *r);
        int (*quarantine)(void *userdata, const StoreQuarantine *q);
} StoreLoader;

/* Opens (or makes) the database directory/inventory.db, takes the lock that keeps a second daemon out, checks
 * it, brings its schema up to date and starts the writer. Nothing is written to a database that is damaged, newer
 * than this program, or not ours. Returns 0, or a negative errno with f set: -EBUSY another daemon has it,
 * -EUCLEAN damaged, -EPROTONOSUPPORT newer schema, -EMEDIUMTYPE not ours, others as the system call says. */
int store_open(sd_event *event, const char *directory, Store **ret, Failure *f);

/* Hands over everything. Returns what the loader did, or a negative errno with f set. For the start only: it reads
 * on the calling thread. When all is read, the revisions of this start are reserved. */
int store_load(Store *store, const StoreLoader *loader, void *userdata, Failure *f);

/* The highest revision that may ever have been given out before, and the boot in which the last change was made (""
 * if there was none). Read at open. */
uint64_t store_revision(const Store *store);
const char *store_boot_id(const Store *store);

/* Queues the device as it is now (its state, placement, spec and what it holds). Returns 0, or a negative errno if
 * it could not even be queued: done() is not called then. */
int store_put_device(Store *store, const Device *device, store_done_t done, void *userdata);

/* The same, but as a device that holds nothing: what it holds is recorded as released. */
int store_put_released(Store *store, const Device *device, const StoreRelease *release, store_done_t done,
                       void *userdata);

/* Queues the removal of the device, and what it holds as released. revision: the inventory's, after the removal. */
int store_remove_device(Store *store, const Device *device, uint64_t revision, const StoreRelease *release,
                        store_done_t done, void *userdata);

/* Queues what is set of a management device; what is empty is forgotten. As store_put_device(). */
int store_put_mgmtdev(Store *store, const char *handle, const MgmtdevSettings *settings, uint64_t revision,
                      store_done_t done, void *userdata);

/* Queues the note that what is recorded is true in the boot of this ID. */
int store_put_boot_id(Store *store, const char *boot_id, store_done_t done, void *userdata);

/* The queue to the writer's thread, to see how it comes forward. */
Workqueue *store_writer(Store *store);

/* Waits at most timeout_usec until all that is queued is committed and reported. True: it is. */
bool store_drain(Store *store, uint64_t timeout_usec);

/* Closes it; everything must have been drained. */
Store *store_close(Store *store);
DEFINE_CLEANUP(Store *, store_close)
