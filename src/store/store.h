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
#include "inventory/pool.h"
#include "inventory/settings.h"
#include "inventory/spec-parts.h"
#include "util/durable-clock.h"
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
        DeviceState state; /* _DEVICE_STATE_MAX: one that is none, of what is loaded */
        const char *mgmtdev;
        SpecParts spec;
        const char *reason_code; /* of failed and lost devices, as error_info() has it; "" if there is none */
        const char *reason;
        const char *asid_space; /* the key of the space of its ASIDs; "" if it holds nothing */
        const char *asids;      /* as idlist_format() writes them */
        uint32_t n_vqs;
        const char *msis;
        const char *holder;  /* "" if nobody holds it */
        uint64_t lease_usec; /* when its lease ends, by the store's clock; 0: it has none */
} StoreRecord;

/* What a device held and holds no more. */
typedef struct StoreQuarantine {
        const char *mgmtdev;
        const char *asid_space, *asids, *msis; /* as in StoreRecord */
        uint64_t released_usec;                /* since the epoch */
        int64_t id;                            /* of what is loaded */
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

/* A pool. */
typedef struct StorePool {
        const char *name;
        const char *uid;
        uint64_t created_usec; /* since the epoch */
        const char *spec;      /* JSON, as pool_spec_encode() makes it; "" of a removal */
} StorePool;

/* What a request with an idempotency key has come to. IDs grow with time. */
typedef struct StoreReceipt {
        uint64_t id;
        const char *key;
        const char *request; /* its digest */
        const char *name;    /* of the device, or the handle of the management device; "" if there is none */
        const char *uid;     /* of the device; "" */
        const char *outcome; /* see lifecycle/receipt.h */
        const char *detail;  /* of a failure; "" */
        uint64_t made_usec;  /* by the store's clock */
        uint64_t first_id;   /* older ones are forgotten; 0: none */
        bool is_forgotten;   /* itself */
} StoreReceipt;

/* A device that has gone. */
typedef struct StoreTombstone {
        uint64_t id;
        const char *name;
        const char *uid;
        uint64_t made_usec;
        uint64_t first_id; /* as above */
} StoreTombstone;

/* What is recorded together with a change, or not at all. Each may be NULL, or 0. */
typedef struct StoreNotes {
        const StoreReceipt *receipt;
        const StoreTombstone *tombstone;

        /* Of a device that is to be made: the record has it ready, with this revision, as it is going to be, so
         * that it need not be written once more. Until that is settled, the device is loaded as reserved. */
        uint64_t intended_revision;
        uint64_t settled_revision; /* of what was intended: it is so, or will never be */

        bool can_wait; /* for company on the way to the disk: the change, which nobody waits for */
} StoreNotes;

/* Who takes what is loaded: management devices, pools, devices in order of name, then what was released, receipts
 * and tombstones, the oldest first. Each returns 0, or a negative errno that ends the loading. One that is NULL is
 * not asked. */
typedef struct StoreLoader {
        int (*mgmtdev)(void *userdata, const StoreMgmtdev *m);
        int (*pool)(void *userdata, const StorePool *p);
        int (*device)(void *userdata, const StoreRecord *r);
        int (*quarantine)(void *userdata, const StoreQuarantine *q);
        int (*receipt)(void *userdata, const StoreReceipt *r);
        int (*tombstone)(void *userdata, const StoreTombstone *t);
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

/* The clock by which is counted what has to end some day. It is recorded with every change. */
const DurableClock *store_clock(const Store *store);

/* Queues the device as it is now (its state, placement, spec and what it holds). Returns 0, or a negative errno if
 * it could not even be queued: done() is not called then. */
int store_put_device(Store *store, const Device *device, store_done_t done, void *userdata);

/* The same, with notes (NULL: none); and with a release, as a device that holds nothing: what it holds is recorded
 * as released. */
int store_put_noted(Store *store, const Device *device, const StoreRelease *release, const StoreNotes *notes,
                    store_done_t done, void *userdata);

/* Queues the removal of the device, and what it holds as released. revision: the inventory's, after the removal. */
int store_remove_device(Store *store, const Device *device, uint64_t revision, const StoreRelease *release,
                        const StoreNotes *notes, store_done_t done, void *userdata);

/* Queues what is set of a management device; what is empty is forgotten. As store_put_device(). */
int store_put_mgmtdev(Store *store, const char *handle, const MgmtdevSettings *settings, uint64_t revision,
                      const StoreNotes *notes, store_done_t done, void *userdata);

/* Queues the pool as it is now, or (the second one) that it is no more. As store_put_device(). */
int store_put_pool(Store *store, const Pool *pool, store_done_t done, void *userdata);
int store_remove_pool(Store *store, const char *name, store_done_t done, void *userdata);

/* Queues notes alone; without any, that it is recorded what time it is. As store_put_device(). */
int store_put_notes(Store *store, const StoreNotes *notes, store_done_t done, void *userdata);

/* Queues the note that what is recorded is true in the boot of this ID. */
int store_put_boot_id(Store *store, const char *boot_id, store_done_t done, void *userdata);

/* Queues that nobody holds what the holder holds, in one change: all of it, or nothing. */
int store_end_holder(Store *store, const char *holder, store_done_t done, void *userdata);
/* What keeps changes from the disk. */
typedef struct StoreTrouble {
        Failure failure;
        uint64_t since_usec; /* since the epoch */
} StoreTrouble;

/* NULL: nothing does, as far as is known. What is queued is tried all the same; and what nobody asked for is tried
 * every now and then, so that the end is noticed. */
const StoreTrouble *store_trouble(const Store *store);

/* Calls watch() when trouble begins, and with NULL when it is over; watch NULL: no more. One watches at a time. */
typedef void (*store_watch_t)(void *userdata, const StoreTrouble *trouble);
void store_watch(Store *store, store_watch_t watch, void *userdata);

/* A copy of the whole database as it was at one moment: an SQLite database. */
typedef struct StoreImage StoreImage;
const void *store_image_data(const StoreImage *image, size_t *ret_size);
StoreImage *store_image_free(StoreImage *image);

/* Makes one, beside all that goes on. done(): image is taken over; or NULL, and failure says why. Returns 0, or a
 * negative errno, and done() is not called: -EAGAIN if there are as many already as there may be. All must be freed
 * before the store is closed. */
typedef void (*store_backup_done_t)(void *userdata, StoreImage *image, const Failure *failure);
int store_backup(Store *store, store_backup_done_t done, void *userdata);

/* The queue to the writer's thread, to see how it comes forward. */
Workqueue *store_writer(Store *store);

/* Waits at most timeout_usec until all that is queued is committed and reported. True: it is. */
bool store_drain(Store *store, uint64_t timeout_usec);

/* Closes it; everything must have been drained. */
Store *store_close(Store *store);
DEFINE_CLEANUP(Store *, store_close)
