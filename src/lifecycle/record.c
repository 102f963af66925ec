/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/record.h"

#include <errno.h>

#include "lifecycle/context.h"
#include "util/log.h"

static void on_operation_recorded(void *userdata, const Failure *failure) {
        Operation *op = userdata;

        if (!failure)
                op->device->is_behind = false;
        op->recorded(op, failure);
}

void record_operation(Operation *op, operation_recorded_t recorded) {
        Failure f;

        op->recorded = recorded;
        if (store_put_device(op->lifecycle->store, op->device, on_operation_recorded, op) >= 0)
                return;

        (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory to record it");
        recorded(op, &f);
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

bool record_removal(Lifecycle *l, const Device *device) {
        return queued(store_remove_device(l->store, device->name, ++l->inventory->revision, on_recorded, NULL));
}
