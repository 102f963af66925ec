/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/record.h"

#include <errno.h>

#include "inventory/budget.h"
#include "lifecycle/context.h"
#include "lifecycle/idempotency.h"
#include "util/clock.h"
#include "util/log.h"

static StoreRelease release_now(const Lifecycle *l) {
        return (StoreRelease){ .now_usec = clock_realtime_usec(),
                               .quarantine_usec = l->inventory->quarantine_usec };
}

static void on_operation_recorded(void *userdata, const Failure *failure) {
        Operation *op = userdata;

        if (!failure)
                op->device->is_behind = false;
        operation_set_log_context(op);
        op->recorded(op, failure);
        log_clear_context();
}

static void on_release_recorded(void *userdata, const Failure *failure) {
        Operation *op = userdata;

        if (!failure) {
                device_release(op->device, clock_monotonic_usec());
                op->device->mgmtdev->revision = ++op->lifecycle->inventory->revision;
        }
        on_operation_recorded(op, failure);
}

static void not_recorded(Operation *op) {
        Failure f;

        (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory to record it");
        op->recorded(op, &f);
}

/* Of a device that is recorded as it is, what was intended is settled. 0: nothing was. */
static uint64_t take_intended(Operation *op) {
        uint64_t revision = op && op->revision > 0 ? op->revision + 1 : 0;

        if (op)
                op->revision = 0;
        return revision;
}

static int put(Operation *op, const StoreRelease *release, store_done_t done) {
        StoreReceipt receipt;
        const StoreNotes notes = { .receipt = idempotency_receipt(op->verb, &receipt),
                                   .settled_revision = take_intended(op) };

        return store_put_noted(op->lifecycle->store, op->device, release, &notes, done, op);
}

static void on_intent_recorded(void *userdata, const Failure *failure) {
        Operation *op = userdata;

        if (failure)
                op->revision = 0;
        on_operation_recorded(op, failure);
}

void record_intent(Operation *op, operation_recorded_t recorded) {
        uint64_t revision = inventory_set_aside(op->lifecycle->inventory, 2);
        StoreReceipt receipt;
        const StoreNotes notes = { .receipt = idempotency_receipt(op->verb, &receipt),
                                   .intended_revision = revision + 1 };

        op->recorded = recorded;
        op->revision = revision;
        if (store_put_noted(op->lifecycle->store, op->device, NULL, &notes, on_intent_recorded, op) < 0) {
                op->revision = 0;
                not_recorded(op);
        }
}

void record_operation(Operation *op, operation_recorded_t recorded) {
        op->recorded = recorded;
        if (put(op, NULL, on_operation_recorded) < 0)
                not_recorded(op);
}

void record_operation_released(Operation *op, operation_recorded_t recorded) {
        const StoreRelease release = release_now(op->lifecycle);

        op->recorded = recorded;
        if (put(op, &release, on_release_recorded) < 0)
                not_recorded(op);
}

static void on_caught_up(Operation *op, const Failure *failure) {
        if (failure)
                operation_fail(op, failure);
        else
                operation_end(op, &(Outcome){ .device = op->device });
}

static void catch_up(Operation *op) {
        /* The revision on the disk is that of the latest change there, so it must not go back. */
        inventory_touch_device(op->lifecycle->inventory, op->device);
        idempotency_note(op->verb, &(Outcome){ .device = op->device });
        record_operation(op, on_caught_up);
}

void record_confirm(Verb *verb, Device *device) {
        Operation *op;

        if (!device->is_behind)
                verb_answer_device(verb, device, false);
        else if (!verb_may_operate(verb))
                return;
        else if (operation_begin(verb->lifecycle, device, verb, &op) < 0)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        else
                catch_up(op);
}

void record_catch_up(Lifecycle *l, Device *device) {
        Operation *op;

        if (operation_begin(l, device, NULL, &op) < 0)
                log_oom();
        else
                catch_up(op);
}

int record_log_level(const Lifecycle *l) {
        return store_trouble(l->store) ? LOG_DEBUG : LOG_ERR;
}

static void on_recorded(void *userdata, const Failure *failure) {
        Lifecycle *l = userdata;

        if (!failure)
                return;
        l->has_unrecorded = true;
        log_full(record_log_level(l), failure->error, NULL, NULL, "The inventory on disk is behind: %s",
                 failure->detail);
}

static bool queued(Lifecycle *l, int r) {
        if (r < 0) {
                l->has_unrecorded = true;
                log_error_errno(r, "The inventory on disk is behind; the next start makes up for it: %m");
        }
        return r == 0;
}

bool record_ready(Operation *op) {
        Lifecycle *l = op->lifecycle;
        StoreReceipt receipt;
        StoreNotes notes = { .settled_revision = take_intended(op), .can_wait = true };

        if (notes.settled_revision == 0)
                return record_device(l, op->device, op->verb);
        notes.receipt = idempotency_receipt(op->verb, &receipt);
        return queued(l, store_put_notes(l->store, &notes, on_recorded, l));
}

bool record_device(Lifecycle *l, const Device *device, const Verb *verb) {
        StoreReceipt receipt;
        const StoreNotes notes = { .receipt = idempotency_receipt(verb, &receipt),
                                   .settled_revision = device->revision,
                                   .can_wait = true };

        return queued(l, store_put_noted(l->store, device, NULL, &notes, on_recorded, l));
}

/* All that is not being changed, as it is; which were missed is not known. What was not removed from the disk says
 * there that it is to be deleted, and is dropped by the next start. */
static void record_all(Lifecycle *l) {
        bool was_unrecorded = l->has_unrecorded;

        l->has_unrecorded = false;
        for (Device *d = inventory_next_device(l->inventory, ""); d; d = inventory_device_after(d)) {
                if (d->operation)
                        continue;
                if (d->is_behind)
                        record_catch_up(l, d);
                else if (was_unrecorded)
                        (void) record_device(l, d, NULL);
        }
}

void record_on_trouble(void *userdata, const StoreTrouble *trouble) {
        Lifecycle *l = userdata;

        if (trouble) {
                log_error_errno(trouble->failure.error,
                                "Changes are refused until the inventory can be written again: %s",
                                trouble->failure.detail);
                return;
        }

        log_notice("The inventory can be written again");
        if (!l->stopping)
                record_all(l);
}

/* Without memory for it, what comes late is answered that there is no such device. */
static const StoreTombstone *bury(Lifecycle *l, const Device *device, StoreTombstone *ret) {
        uint64_t now = durable_clock_now(store_clock(l->store));

        return tombstones_add(&l->tombstones, device->name, device->uid, now, ret) < 0 ? NULL : ret;
}

static int remove_record(Lifecycle *l, const Device *device, const Verb *verb, bool was_told, bool can_wait,
                         store_done_t done, void *userdata) {
        const StoreRelease release = release_now(l);
        StoreReceipt receipt;
        StoreTombstone tombstone;
        const StoreNotes notes = { .receipt = idempotency_receipt(verb, &receipt),
                                   .tombstone = was_told ? bury(l, device, &tombstone) : NULL,
                                   .settled_revision = take_intended(device->operation),
                                   .can_wait = can_wait };

        return store_remove_device(l->store, device, ++l->inventory->revision, &release, &notes, done, userdata);
}

void record_return(Lifecycle *l, Device *device, DeviceSpec *spec, const DeviceStatus *status, const Verb *verb) {
        StoreReceipt receipt;
        StoreTombstone tombstone;
        const StoreNotes notes = { .receipt = idempotency_receipt(verb, &receipt),
                                   .tombstone = bury(l, device, &tombstone),
                                   .can_wait = true };

        inventory_set_status(l->inventory, device, status);
        inventory_renew_device(l->inventory, device, spec, clock_realtime_usec());
        (void) queued(l, store_put_noted(l->store, device, NULL, &notes, on_recorded, l));
}

int record_removal_first(Lifecycle *l, const Device *device, const Verb *verb, bool was_told, store_done_t done,
                         void *userdata) {
        return remove_record(l, device, verb, was_told, false, done, userdata);
}

bool record_removal(Lifecycle *l, Device *device, const Verb *verb) {
        bool was_queued = queued(l, remove_record(l, device, verb, true, true, on_recorded, l));

        device_release(device, clock_monotonic_usec());
        return was_queued;
}
