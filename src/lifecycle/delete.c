/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/delete.h"

#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "lifecycle/context.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/record.h"
#include "lifecycle/return.h"
#include "util/crash.h"
#include "util/log.h"

static void on_gone(Operation *op) {
        CRASH_POINT(DELETE_BEFORE_RECORD);
        log_device(LOG_NOTICE, 0, op->device->name, "deleted from %s", op->device->mgmtdev->info.handle);

        /* Nobody waits for this: if it is lost, the next start finds the intent and no device, and drops the
         * record. What is queued later under the same name comes later on the disk too. */
        idempotency_note(op->verb, &(Outcome){});
        (void) record_removal(op->lifecycle, op->device, op->verb);
        CRASH_POINT(DELETE_AFTER_RECORD);
        operation_end_and_remove(op, &(Outcome){});
}

/* The intent to delete is withdrawn before the refusal is told: a later start must not delete the device after
 * all. */
static void on_withdrawn(Operation *op, const Failure *failure) {
        CRASH_POINT(DELETE_AFTER_WITHDRAWAL);
        if (failure) {
                op->device->is_behind = true;
                failure_append(&op->task.failure,
                               "; that it stays could not be recorded (%s), so the next start may delete it",
                               failure->detail);
        }
        operation_fail(op, &op->task.failure);
}

/* In use, the device is as it was. After another failure it is what can be seen of it. */
static void on_kept(Operation *op) {
        Lifecycle *l = op->lifecycle;
        Device *device = op->device;
        const MachineTask *t = &op->task;

        log_device(LOG_WARNING, t->failure.error, device->name, "not deleted: %s", t->failure.detail);
        if (t->has_status)
                inventory_set_status(l->inventory, device, &t->status);
        if (t->has_status && t->status.endpoint[0] && op->previous_state != DEVICE_FAILED)
                inventory_set_state(l->inventory, device, DEVICE_READY, NULL);
        else if (op->previous_state == DEVICE_FAILED)
                inventory_set_state(l->inventory, device, DEVICE_FAILED, &t->failure);
        else
                inventory_set_state(l->inventory, device, DEVICE_LOST, &t->failure);

        CRASH_POINT(DELETE_BEFORE_WITHDRAWAL);
        idempotency_note(op->verb, &(Outcome){ .failure = t->failure });
        record_operation(op, on_withdrawn);
}

static void on_machine(Operation *op) {
        if (op->task.is_gone)
                on_gone(op);
        else
                on_kept(op);
}

void delete_resume(Operation *op) {
        /* One that failed without a trace: what has the name now is someone else's. */
        op->task.must_be_ours = !device_holds(op->device);
        operation_run(op, machine_delete, on_machine);
}

/* What cannot be scrubbed is deleted. */
static void on_scrubbed(Operation *op) {
        if (op->task.failure.code == ERROR_NONE && return_finish(op) == 0)
                return;
        if (op->task.failure.code == ERROR_IN_USE)
                on_kept(op);
        else
                delete_resume(op);
}

static void on_intent_committed(Operation *op, const Failure *failure) {
        CRASH_POINT(DELETE_AFTER_INTENT);
        if (!failure) {
                if (!return_begin(op, on_scrubbed))
                        delete_resume(op);
                return;
        }

        inventory_set_state(op->lifecycle->inventory, op->device, op->previous_state,
                            op->previous_state == DEVICE_READY ? NULL : failure);
        operation_fail(op, failure);
}

bool delete_is_over(const Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        const Device *device = inventory_find_device(l->inventory, verb->name);
        const char *uid = verb->precondition.uid;

        return uid[0] && (!device || strcmp(device->uid, uid) != 0) &&
               tombstones_have(&l->tombstones, verb->name, uid, durable_clock_now(store_clock(l->store)));
}

void delete_run(Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        Device *device;
        Operation *op;

        if (delete_is_over(verb)) {
                verb_answer(verb, &(Outcome){});
                return;
        }
        device = verb_take_device(verb);
        if (!device || !verb_may_operate(verb))
                return;
        if (operation_begin(l, device, verb, &op) < 0) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        inventory_set_state(l->inventory, device, DEVICE_DELETING, NULL);
        CRASH_POINT(DELETE_BEFORE_INTENT);
        record_operation(op, on_intent_committed);
}
