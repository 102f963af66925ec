/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/recovery.h"

#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "lifecycle/context.h"
#include "lifecycle/create.h"
#include "lifecycle/delete.h"
#include "lifecycle/load.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/log.h"

/* Enough to keep the worker busy, and few enough that a large inventory needs no large memory to recover. */
#define MAX_UNDER_WAY 256

/* Ends an operation of ours with a record that is changed, or gone; nobody waits for an answer. */
static void settle(Operation *op) {
        Lifecycle *l = op->lifecycle;

        if (!record_device(l, op->device))
                l->recovery.has_failed = true;
        operation_end(op, &(Outcome){});
}

static void keep_as_lost(Operation *op, const Failure *failure) {
        op->lifecycle->recovery.has_failed = true;
        inventory_set_state(op->lifecycle->inventory, op->device, DEVICE_LOST, failure);
        operation_end(op, &(Outcome){});
}

static void on_dropped(void *userdata, const Failure *failure) {
        Operation *op = userdata;

        if (failure) {
                keep_as_lost(op, failure);
                return;
        }
        device_release(op->device, clock_monotonic_usec());
        operation_end_and_remove(op, &(Outcome){});
}

/* Only when its record is gone may others have what it held: until then that says that it is there. */
static void drop(Operation *op) {
        Failure f;

        if (record_removal_first(op->lifecycle, op->device, on_dropped, op) >= 0)
                return;
        (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory to record that it is gone");
        keep_as_lost(op, &f);
}

static void on_missing(Operation *op) {
        Device *device = op->device;
        Failure f;

        if (op->is_new_boot && device->spec.persistent && !device->holder) {
                log_device(LOG_NOTICE, 0, device->name, "made again: the host has started anew");
                create_resume(op);
        } else if (op->is_new_boot) {
                log_device(LOG_NOTICE, 0, device->name, "dropped: not persistent, and the host has started anew");
                drop(op);
        } else if (op->previous_state == DEVICE_LOST && op->task.must_assign)
                settle(op);
        else if (op->previous_state == DEVICE_LOST)
                operation_end(op, &(Outcome){});
        else {
                (void) failure_set(&f, ERROR_DEVICE_NOT_FOUND, ENODEV, "The host no longer has this device");
                log_device(LOG_WARNING, 0, device->name, "lost: %s no longer has it", device->mgmtdev->info.handle);
                inventory_set_state(op->lifecycle->inventory, device, DEVICE_LOST, &f);
                settle(op);
        }
}

/* It is as it was recorded, down to the revision. */
static void on_confirmed(Operation *op) {
        uint64_t revision = op->device->revision;

        op->device->status = op->task.status;
        op->device->was_ready = false;
        inventory_set_state(op->lifecycle->inventory, op->device, DEVICE_READY, NULL);
        op->device->revision = revision;
        if (op->task.must_assign)
                settle(op);
        else
                operation_end(op, &(Outcome){});
}

/* The same that was wrong with a lost device before is not recorded again at each look. */
static void on_unusable(Operation *op) {
        const Failure *reason = op->device->reason, *failure = &op->task.failure;

        if (op->previous_state == DEVICE_LOST && reason && reason->code == failure->code &&
            strcmp(reason->detail, failure->detail) == 0) {
                operation_end(op, &(Outcome){});
                return;
        }

        log_device(LOG_WARNING, failure->error, op->device->name, "lost: %s", failure->detail);
        inventory_set_state(op->lifecycle->inventory, op->device, DEVICE_LOST, failure);
        settle(op);
}

static void on_there_again(Operation *op) {
        Device *device = op->device;

        log_device(LOG_NOTICE, 0, device->name, "there again");
        device->status = op->task.status;
        inventory_set_state(op->lifecycle->inventory, device, DEVICE_READY, NULL);
        settle(op);
}

static void on_checked(Operation *op) {
        const MachineTask *t = &op->task;

        if (t->is_gone) {
                on_missing(op);
                return;
        }
        if (!t->has_status || !t->status.endpoint[0] || t->status.driver != op->device->spec.driver) {
                on_unusable(op);
                return;
        }

        if (t->failure.code != ERROR_NONE)
                log_device(LOG_WARNING, t->failure.error, op->device->name, "not as it should be: %s",
                           t->failure.detail);
        if (op->previous_state == DEVICE_LOST)
                on_there_again(op);
        else
                on_confirmed(op);
}

/* A device that is recorded as holding nothing is from before there was anything to hold, and gets it now. Returns
 * true if it has. The record follows when the rest is known; if that is lost, the next start does this
 * again. */
static bool acquire_late(Lifecycle *l, Device *device) {
        Needs needs = mgmtdev_needs(device->mgmtdev, &device->spec);
        Failure f = FAILURE_INIT;

        if (device_holds(device) || !device->mgmtdev->present)
                return false;
        if (device_acquire(device, &needs, clock_monotonic_usec(), &f) < 0) {
                log_device(LOG_WARNING, f.error, device->name, "holds no ASIDs and MSI entries: %s", f.detail);
                return false;
        }

        return true;
}

void recovery_check(Lifecycle *l, Device *device, bool is_new_boot) {
        bool must_assign = acquire_late(l, device);
        Operation *op;

        if (operation_begin(l, device, NULL, &op) < 0) {
                log_oom();
                return;
        }
        op->is_new_boot = is_new_boot;
        op->task.must_assign = must_assign;
        operation_run(op, machine_check, on_checked);
}

static void resume(Lifecycle *l, Device *device, void (*step)(Operation *op)) {
        Operation *op;

        if (operation_begin(l, device, NULL, &op) < 0) {
                log_oom();
                return;
        }
        step(op);
}

static void recover_device(Lifecycle *l, Device *device) {
        switch (device->state) {
        case DEVICE_RESERVED:
        case DEVICE_CREATING:
                if (device->was_ready)
                        recovery_check(l, device, l->recovery.is_new_boot);
                else {
                        (void) acquire_late(l, device);
                        resume(l, device, create_resume);
                }
                break;
        case DEVICE_READY:
        case DEVICE_LOST:
                recovery_check(l, device, l->recovery.is_new_boot);
                break;
        case DEVICE_DELETING:
                resume(l, device, delete_resume);
                break;
        case DEVICE_FAILED:
        case _DEVICE_STATE_MAX:
                break;
        }
}

static void finish(Lifecycle *l) {
        Recovery *rec = &l->recovery;

        rec->is_running = false;
        rec->is_new_boot = false;
        if (!rec->has_failed && strcmp(store_boot_id(l->store), rec->boot_id) != 0)
                (void) store_put_boot_id(l->store, rec->boot_id, NULL, NULL);
        l->ready = true;
        log_notice("%zu devices in the inventory: %zu ready, %zu failed, %zu lost", l->inventory->n_devices,
                   l->inventory->n_states[DEVICE_READY], l->inventory->n_states[DEVICE_FAILED],
                   l->inventory->n_states[DEVICE_LOST]);
}

static void report_started(Recovery *rec) {
        outcome_done_t done = rec->done;

        rec->done = NULL;
        if (done)
                done(rec->userdata, &(Outcome){});
}

void recovery_continue(Lifecycle *l) {
        Recovery *rec = &l->recovery;
        Device *device = NULL;

        if (!rec->is_running || rec->is_continuing || l->scanner.is_running)
                return;

        rec->is_continuing = true;
        while (l->host.available && l->n_operations < MAX_UNDER_WAY &&
               (device = inventory_next_device(l->inventory, rec->cursor))) {
                strcpy(rec->cursor, device->name);
                recover_device(l, device);
        }
        rec->is_continuing = false;

        /* Without a backend nothing can be compared. The daemon has started then, but is not ready: what is
         * recorded can be read, and this goes on when a later look finds the host usable. */
        if (l->n_operations > 0)
                return;
        if (l->host.available && !device)
                finish(l);
        report_started(rec);
}

void recovery_on_late_look(Lifecycle *l) {
        if (!l->recovery.is_running || !l->recovery.done)
                return;

        (void) snprintf(l->host.reason, sizeof l->host.reason,
                        "The kernel does not answer: it may be busy, or another program's vDPA command hangs in it "
                        "(a device is being deleted while it is open). This goes on by itself when that ends.");
        log_warning("%s", l->host.reason);
        report_started(&l->recovery);
}

int recovery_start(Lifecycle *l, outcome_done_t done, void *userdata) {
        Recovery *rec = &l->recovery;
        Failure f = FAILURE_INIT;
        sd_id128_t boot_id;
        int r;

        r = sd_id128_get_boot(&boot_id);
        if (r < 0)
                return log_error_errno(r, "Cannot read the boot ID: %m");
        sd_id128_to_uuid_string(boot_id, rec->boot_id);
        rec->is_new_boot = store_boot_id(l->store)[0] && strcmp(store_boot_id(l->store), rec->boot_id) != 0;

        r = load_inventory(l, &f);
        if (r < 0)
                return log_error_errno(r, "Cannot load the inventory%s%s", f.detail[0] ? ": " : "", f.detail);

        rec->done = done;
        rec->userdata = userdata;
        rec->is_running = true;
        scan_start(l);
        return 0;
}
