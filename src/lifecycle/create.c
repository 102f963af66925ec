/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/create.h"

#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "lifecycle/grow.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/lease.h"
#include "lifecycle/placement.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"

/* place: of the revision among those that were set aside. */
static void set_state(Operation *op, DeviceState state, unsigned place) {
        if (op->revision > 0)
                inventory_set_state_as(op->lifecycle->inventory, op->device, state, op->revision + place);
        else
                inventory_set_state(op->lifecycle->inventory, op->device, state, NULL);
}

static void on_ready(Operation *op) {
        Device *device = op->device;
        Lifecycle *l = op->lifecycle;
        const Outcome outcome = { .device = device, .created = true };

        inventory_set_status(l->inventory, device, &op->task.status);
        set_state(op, DEVICE_READY, 1);
        CRASH_POINT(CREATE_BEFORE_RECORD);
        log_device(LOG_NOTICE, 0, device->name, "ready on %s as %s", device->mgmtdev->info.handle,
                   device->status.endpoint);

        /* Nobody waits for this: if it is lost, the next start finds the intent and the device, and comes to the
         * same end. */
        idempotency_note(op->verb, &outcome);
        (void) record_ready(op);
        CRASH_POINT(CREATE_AFTER_RECORD);
        operation_end(op, &outcome);
}

static void on_failure_recorded(Operation *op, const Failure *failure) {
        CRASH_POINT(CREATE_AFTER_FAILURE);
        if (failure) {
                op->device->is_behind = true;
                failure_append(
                        &op->task.failure,
                        "; that it failed could not be recorded (%s), so the next start may make it after all",
                        failure->detail);
        }
        operation_fail(op, &op->task.failure);
}

/* The device stays, failed, for the user to see. What may be on the host holds on to what it holds. */
static void record_failure(Operation *op) {
        CRASH_POINT(CREATE_BEFORE_FAILURE);
        inventory_set_state(op->lifecycle->inventory, op->device, DEVICE_FAILED, &op->task.failure);
        if (op->task.left_over)
                record_operation(op, on_failure_recorded);
        else
                record_operation_released(op, on_failure_recorded);
}

static void on_intent_withdrawn(void *userdata, const Failure *failure) {
        Operation *op = userdata;

        CRASH_POINT(CREATE_AFTER_WITHDRAWAL);
        if (!failure) {
                device_release(op->device, clock_monotonic_usec());
                operation_end_and_remove(op, &(Outcome){ .failure = op->task.failure });
                return;
        }

        /* Still on the disk: then it has to be seen too. */
        failure_append(&op->task.failure, "; its record could not be removed (%s), so it stays as failed",
                       failure->detail);
        record_failure(op);
}

static void on_failed(Operation *op) {
        Device *device = op->device;

        CRASH_POINT(CREATE_BEFORE_WITHDRAWAL);
        log_device(LOG_WARNING, op->task.failure.error, device->name, "not created on %s: %s",
                   device->mgmtdev->info.handle, op->task.failure.detail);

        /* A look at the host may have taken it for this one meanwhile. */
        if (op->task.failure.code == ERROR_FOREIGN_DEVICE)
                watch_hint(op->lifecycle, device->name);
        idempotency_note(op->verb, &(Outcome){ .failure = op->task.failure });
        if (!op->is_new || op->task.left_over)
                record_failure(op);
        else if (record_removal_first(op->lifecycle, device, op->verb, false, on_intent_withdrawn, op) < 0)
                record_failure(op);
}

static void on_machine(Operation *op) {
        if (op->task.failure.code != ERROR_NONE)
                on_failed(op);
        else if (grow_is_needed(op->device, &op->task.status))
                grow_run(op, on_ready, on_failed);
        else
                on_ready(op);
}

/* An intent is recorded before anything is made, and a device that failed without a trace has none on the host:
 * what has the name now can be someone else's. */
static bool may_be_of_others(const Operation *op) {
        return (op->is_own && (op->previous_state == DEVICE_RESERVED || op->previous_state == DEVICE_CREATING)) ||
               (op->previous_state == DEVICE_FAILED && op->has_acquired);
}

void create_resume(Operation *op) {
        set_state(op, DEVICE_CREATING, 0);
        op->task.may_exist = !op->is_new;
        op->task.must_be_ours = may_be_of_others(op);
        operation_run(op, machine_create, on_machine);
}

static void on_intent_committed(Operation *op, const Failure *failure) {
        Outcome outcome = {};

        CRASH_POINT(CREATE_AFTER_INTENT);
        if (!failure) {
                create_resume(op);
                return;
        }

        outcome.failure = *failure;
        log_device(record_log_level(op->lifecycle), failure->error, op->device->name, "not created: %s",
                   failure->detail);
        if (op->is_new)
                operation_end_and_remove(op, &outcome);
        else {
                if (op->has_acquired)
                        device_put_back(op->device);
                op->device->is_behind |= op->has_moved;
                inventory_set_state(op->lifecycle->inventory, op->device, op->previous_state, failure);
                operation_end(op, &outcome);
        }
}

static int acquire(Device *device, Failure *f) {
        Needs needs = mgmtdev_needs(device->mgmtdev, &device->spec);

        return device_acquire(device, &needs, clock_monotonic_usec(), f);
}

static void forget(Verb *verb, Device *device, bool is_new, const Failure *f) {
        if (is_new)
                inventory_remove_device(verb->lifecycle->inventory, device);
        verb_answer(verb, &(Outcome){ .failure = *f });
}

/* Of a device that is in the inventory: what it needs, and the intent, first. */
static void begin(Verb *verb, Device *device, bool is_new, bool has_moved) {
        Lifecycle *l = verb->lifecycle;
        bool acquires = !device_holds(device);
        Failure f = FAILURE_INIT;
        Operation *op;

        if (acquires && acquire(device, &f) < 0) {
                forget(verb, device, is_new, &f);
                return;
        }
        if (operation_begin(l, device, verb, &op) < 0) {
                (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                if (acquires)
                        device_put_back(device);
                forget(verb, device, is_new, &f);
                return;
        }

        op->is_new = is_new;
        op->has_acquired = acquires;
        op->has_moved = has_moved;
        lease_start(l, device);
        inventory_set_state(l->inventory, device, DEVICE_RESERVED, NULL);
        CRASH_POINT(CREATE_BEFORE_INTENT);
        record_intent(op, on_intent_committed);
}

static void answer_plan(Verb *verb, const Placement *placement, Device *device) {
        verb_answer(verb, &(Outcome){ .device = device, .placement = placement });
}

static void answer_full(Verb *verb) {
        verb_fail(verb, ERROR_LIMIT_REACHED, ENOSPC, "There are %zu devices, which is the configured limit",
                  verb->lifecycle->inventory->n_devices);
}

static void confirm(Verb *verb, Device *device) {
        _uninitialized_ Placement placement;

        if (!verb->is_plan) {
                record_confirm(verb, device);
                return;
        }
        placement_keep(device, &placement);
        answer_plan(verb, &placement, device);
}

/* The client believes that the device is there. */
static bool is_missed(const Verb *verb) {
        const Precondition *p = &verb->precondition;

        return p->must_exist || p->has_revision || p->has_generation || p->uid[0];
}

static void create_new(Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        _cleanup_(device_freep) Device *device = NULL;
        _uninitialized_ Placement placement;
        Device *added;
        int r;

        if (is_missed(verb)) {
                verb_fail(verb, ERROR_PRECONDITION_FAILED, ENOENT, "There is no device '%s'; nothing was done",
                          verb->name);
                return;
        }
        if (!placement_choose(verb, &placement) || !verb_owner_has_room(verb, verb->spec.owner))
                return;
        if (l->inventory->n_devices >= l->inventory->max_devices) {
                answer_full(verb);
                return;
        }
        if (verb->is_plan) {
                answer_plan(verb, &placement, NULL);
                return;
        }
        if (!verb_may_operate(verb))
                return;

        if (device_new(verb->name, &verb->spec, clock_realtime_usec(), &device) < 0) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        added = device;
        r = inventory_add_device(l->inventory, device, placement.chosen.mgmtdev);
        if (r == -ENOMEM)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        else if (r < 0)
                answer_full(verb);
        if (r < 0)
                return;

        TAKE_PTR(device);
        if (verb->holder[0] && inventory_hold_device(l->inventory, added, verb->holder) < 0) {
                inventory_remove_device(l->inventory, added);
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        begin(verb, added, true, false);
}

/* Of a device that failed or is lost. One that holds something keeps its place. Where it was may be gone, and what
 * was there with it: then it goes where a new one would, and so does one that holds nothing. */
static void create_again(Verb *verb, Device *device) {
        _uninitialized_ Placement placement;
        bool has_moved;

        if (device->mgmtdev->present && device_holds(device))
                placement_keep(device, &placement);
        else if (!placement_choose(verb, &placement))
                return;
        if (verb->is_plan) {
                answer_plan(verb, &placement, device);
                return;
        }
        if (!verb_may_operate(verb))
                return;

        has_moved = placement.chosen.mgmtdev != device->mgmtdev;
        if (has_moved) {
                device_release(device, clock_monotonic_usec());
                inventory_move_device(verb->lifecycle->inventory, device, placement.chosen.mgmtdev);
                CRASH_POINT(CREATE_AFTER_MOVE);
        }
        begin(verb, device, false, has_moved);
}

static bool is_held_otherwise(const Device *device, const Verb *verb) {
        if (!device->holder)
                return verb->holder[0] && !verb->is_batched;
        return strcmp(device->holder->name, verb->holder) != 0;
}

void create_run(Verb *verb) {
        Device *device = inventory_find_device(verb->lifecycle->inventory, verb->name);

        if (!device)
                create_new(verb);
        else if (device->operation)
                operation_wait(device->operation, verb);
        else if (!verb_check_device(verb, device))
                return;
        else if (!device_spec_equal(&device->spec, &verb->spec))
                verb_fail(verb, ERROR_ALREADY_EXISTS, EEXIST,
                          "Device '%s' (uid %s, %s) has another spec; nothing was done", device->name, device->uid,
                          device_state_name(device->state));
        else if (is_held_otherwise(device, verb))
                verb_fail(verb, ERROR_ALREADY_EXISTS, EEXIST,
                          "Device '%s' (uid %s, %s) is held by %s; nothing was done", device->name, device->uid,
                          device_state_name(device->state), device->holder ? device->holder->name : "nobody");
        else if (device->state == DEVICE_READY)
                confirm(verb, device);
        else
                create_again(verb, device);
}
