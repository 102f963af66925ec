/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/record.h"

#include <errno.h>

#include "inventory/budget.h"
#include "lifecycle/context.h"
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

void record_operation(Operation *op, operation_recorded_t recorded) {
        op->recorded = recorded;
        if (store_put_device(op->lifecycle->store, op->device, on_operation_recorded, op) < 0)
                not_recorded(op);
}

void record_operation_released(Operation *op, operation_recorded_t recorded) {
        const StoreRelease release = release_now(op->lifecycle);

        op->recorded = recorded;
        if (store_put_released(op->lifecycle->store, op->device, &release, on_release_recorded, op) < 0)
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

static void on_recorded(void *userdata, const Failure *failure) {
        if (failure)
                log_error_errno(failure->error,
                                "The inventory on disk is behind; the next start makes up for it: %s",
                                failure->detail);
}

static bool queued(int r) {
        if (r < 0)
                log_error_errno(r, "The inventory on disk is behind; the next start makes up for it: %m");
        return r == 0;
}

bool record_device(Lifecycle *l, const Device *device) {
        return queued(store_put_device(l->store, device, on_recorded, NULL));
}

bool record_removal(Lifecycle *l, Device *device) {
        bool was_queued = queued(record_removal_first(l, device, on_recorded, NULL));

        device_release(device, clock_monotonic_usec());
        return was_queued;
}

int record_removal_first(Lifecycle *l, const Device *device, store_done_t done, void *userdata) {
        const StoreRelease release = release_now(l);

        return store_remove_device(l->store, device, ++l->inventory->revision, &release, done, userdata);
}
