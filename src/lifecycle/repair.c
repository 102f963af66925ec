/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/repair.h"

#include <errno.h>

#include "lifecycle/context.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/log.h"

#define RETRY_MAX_USEC (300 * USEC_PER_SEC)

static void note_success(Operation *op) {
        op->device->n_failed_repairs = 0;
        op->device->repair_usec = 0;
}

static void note_failure(Operation *op) {
        Device *device = op->device;
        uint64_t usec = USEC_PER_SEC << (device->n_failed_repairs < 9 ? device->n_failed_repairs : 9);

        if (device->n_failed_repairs == 0 || !op->is_own)
                log_device(LOG_WARNING, op->task.failure.error, device->name, "not repaired: %s",
                           op->task.failure.detail);
        device->n_failed_repairs++;
        device->repair_usec = clock_monotonic_usec() + (usec < RETRY_MAX_USEC ? usec : RETRY_MAX_USEC);
}

/* What it is now has to be seen first. */
static void fail(Operation *op) {
        Lifecycle *l = op->lifecycle;
        Failure failure = op->task.failure;

        note_failure(op);
        watch_hint(l, op->device->name);
        operation_fail(op, &failure);
}

static void on_repaired(Operation *op) {
        Lifecycle *l = op->lifecycle;
        Device *device = op->device;

        if (op->task.failure.code != ERROR_NONE || !op->task.has_status) {
                fail(op);
                return;
        }

        note_success(op);
        log_device(LOG_NOTICE, 0, device->name, "repaired");
        inventory_set_status(l->inventory, device, &op->task.status);
        inventory_set_state(l->inventory, device, DEVICE_READY, NULL);
        (void) record_device(l, device, op->verb);
        operation_end(op, &(Outcome){ .device = device });
}

static void on_released(Operation *op, const Failure *failure) {
        if (failure)
                operation_fail(op, failure);
        else
                operation_end(op, &(Outcome){ .device = op->device });
}

/* It stays failed, for the user to see. */
static void on_removed(Operation *op) {
        if (!op->task.is_gone) {
                fail(op);
                return;
        }

        note_success(op);
        log_device(LOG_NOTICE, 0, op->device->name, "what was left of it was removed");
        op->device->is_left_over = false;
        inventory_touch_device(op->lifecycle->inventory, op->device);
        record_operation_released(op, on_released);
}

static int begin(Lifecycle *l, Device *device, Verb *verb, const Drift *drift) {
        Operation *op;

        if (operation_begin(l, device, verb, &op) < 0)
                return -ENOMEM;
        op->task.may_recreate = verb && verb->may_recreate;
        if (drift->kind == DRIFT_EXTRA)
                operation_run(op, machine_delete, on_removed);
        else
                operation_run(op, machine_repair, on_repaired);
        return 0;
}

void repair_run(Verb *verb) {
        Device *device = verb_take_device(verb);
        Drift drift;

        if (!device)
                return;
        if (!device_find_drift(device, &drift))
                verb_answer_device(verb, device, false);
        else if (drift.kind == DRIFT_MISSING && !device->mgmtdev->present)
                verb_fail(verb, ERROR_MGMTDEV_NOT_FOUND, ENODEV, "The host does not have %s now",
                          device->mgmtdev->info.handle);
        else if (!verb_may_operate(verb))
                return;
        else if (begin(verb->lifecycle, device, verb, &drift) < 0)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
}

/* What only a new device would put right is told of, and left to the user; the rest is done. */
static bool can_do_by_itself(const Device *device, const Drift *drift) {
        if (drift->kind == DRIFT_MISSING)
                return device->mgmtdev->present;
        return drift->kind == DRIFT_CHANGED && !(drift->repairs >> REPAIR_RECREATE & 1);
}

void repair_enforce(Lifecycle *l, Device *device) {
        Drift drift;

        if (!l->ready || device->operation || lifecycle_drift_mode(l, device) != DRIFT_ENFORCE ||
            clock_monotonic_usec() < device->repair_usec || l->n_operations >= l->max_operations)
                return;
        if (device_find_drift(device, &drift) && can_do_by_itself(device, &drift) &&
            begin(l, device, NULL, &drift) < 0)
                log_oom();
}
