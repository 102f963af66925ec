/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/grow.h"

#include "inventory/budget.h"
#include "lifecycle/context.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/crash.h"

bool grow_is_needed(const Device *device, const DeviceStatus *status) {
        return device_holds(device) && status->max_vqs > device->resources.n_vqs;
}

static void on_undone(Operation *op) {
        Failure undo = op->task.failure;

        op->task.failure = op->grow_failure;
        op->task.left_over = !op->task.is_gone;
        if (op->task.is_gone)
                failure_append(&op->task.failure, "; the device was removed again");
        else
                failure_append(&op->task.failure, "; the device could not be removed again: %s", undo.detail);
        op->grow_failed(op);
}

static void undo(Operation *op, const Failure *failure) {
        op->grow_failure = *failure;
        operation_run(op, machine_delete, on_undone);
}

static void on_assigned(Operation *op) {
        if (op->task.failure.code == ERROR_NONE)
                op->grow_done(op);
        else {
                Failure f = op->task.failure;

                undo(op, &f);
        }
}

static void on_recorded(Operation *op, const Failure *failure) {
        CRASH_POINT(GROW_AFTER_RECORD);
        if (failure)
                undo(op, failure);
        else
                operation_run(op, machine_assign, on_assigned);
}

void grow_run(Operation *op, operation_step_t done, operation_step_t failed) {
        uint32_t n_planned = op->device->resources.n_vqs, n_vqs = op->task.status.max_vqs;
        Failure f = FAILURE_INIT;

        op->grow_done = done;
        op->grow_failed = failed;
        if (device_acquire_more(op->device, n_vqs, clock_monotonic_usec(), &f) < 0) {
                failure_append(&f, "; the device has %u virtqueues where %u were planned", n_vqs, n_planned);
                undo(op, &f);
                return;
        }

        CRASH_POINT(GROW_BEFORE_RECORD);
        inventory_touch_device(op->lifecycle->inventory, op->device);
        record_operation(op, on_recorded);
}
