/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/recovery.h"

#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "lifecycle/context.h"
#include "lifecycle/create.h"
#include "lifecycle/delete.h"
#include "lifecycle/grow.h"
#include "lifecycle/lease.h"
#include "lifecycle/load.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"

/* Enough to keep the worker busy, and few enough that a large inventory needs no large memory to recover. */
#define MAX_UNDER_WAY 256

/* Ends an operation of ours with a record that is changed, or gone; nobody waits for an answer. */
static void settle(Operation *op) {
        Lifecycle *l = op->lifecycle;

        CRASH_POINT(RECOVERY_BEFORE_SETTLE);
        if (!record_device(l, op->device, NULL))
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

        CRASH_POINT(RECOVERY_AFTER_DROP);
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

        CRASH_POINT(RECOVERY_BEFORE_DROP);
        if (record_removal_first(op->lifecycle, op->device, NULL, true, on_dropped, op) >= 0)
                return;
        (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory to record that it is gone");
        keep_as_lost(op, &f);
}

bool recovery_waits_for_mgmtdev(const Device *device) {
        return device->state == DEVICE_LOST && device->reason && device->reason->code == ERROR_MGMTDEV_NOT_FOUND;
}

static void lose(Operation *op) {
        Device *device = op->device;
        const char *handle = device->mgmtdev->info.handle;
        Failure f;

        if (device->mgmtdev->present)
                (void) failure_set(&f, ERROR_DEVICE_NOT_FOUND, ENODEV, "The host no longer has this device");
        else
                (void) failure_set(&f, ERROR_MGMTDEV_NOT_FOUND, ENODEV,
                                   "The host does not have its management device %s; it is made again when that is "
                                   "there",
                                   handle);
        log_device(LOG_WARNING, 0, device->name,
                   device->mgmtdev->present ? "lost: %s no longer has it" : "lost with its management device %s",
                   handle);
        inventory_set_state(op->lifecycle->inventory, device, DEVICE_LOST, &f);
        watch_hint(op->lifecycle, device->name);
        settle(op);
}

/* It was lost before, and is not made again. */
static void stay_lost(Operation *op) {
        if (op->task.must_assign)
                settle(op);
        else
                operation_end(op, &(Outcome){});
}

static void make_again(Operation *op, const char *why) {
        log_device(LOG_NOTICE, 0, op->device->name, "made again: %s", why);
        create_resume(op);
}

static void on_missing(Operation *op) {
        Device *device = op->device;
        bool was_lost = op->previous_state == DEVICE_LOST, waits = recovery_waits_for_mgmtdev(device);

        if (op->is_new_boot && (!device->spec.persistent || device->holder)) {
                log_device(LOG_NOTICE, 0, device->name, "dropped: not persistent, and the host has started anew");
                drop(op);
        } else if (device->mgmtdev->present && op->is_new_boot)
                make_again(op, "the host has started anew");
        else if (device->mgmtdev->present && waits)
                make_again(op, "its management device is there again");
        else if (waits || (was_lost && !op->is_new_boot))
                stay_lost(op);
        else
                lose(op);
}

static void on_grown(Operation *op) {
        if (op->task.failure.code != ERROR_NONE)
                log_device(LOG_WARNING, op->task.failure.error, op->device->name, "not as it should be: %s",
                           op->task.failure.detail);
        settle(op);
}

/* The device is from before anything was held, and has more virtqueues than its spec tells. It may be in use, so
 * what they need is taken if that is there, and else it goes on with what it has, and says so. */
static void grow_late(Operation *op) {
        Inventory *inv = op->lifecycle->inventory;
        uint32_t n_planned = op->device->resources.n_vqs, n_vqs = op->task.status.max_vqs;
        Failure f = FAILURE_INIT;

        if (device_acquire_more(op->device, n_vqs, clock_monotonic_usec(), &f) == 0) {
                inventory_touch_device(inv, op->device);
                operation_run(op, machine_assign, on_grown);
                return;
        }

        failure_append(&f, "; the device has %u virtqueues where %u were planned", n_vqs, n_planned);
        log_device(LOG_WARNING, f.error, op->device->name, "holds less than it needs: %s", f.detail);
        inventory_set_state(inv, op->device, DEVICE_READY, &f);
        settle(op);
}

/* It is as it was recorded, down to the revision. */
static void on_confirmed(Operation *op) {
        confirm_device(op->lifecycle, op->device, &op->task.status);
        /* What others have made with other queues keeps what they gave it. */
        if (grow_is_needed(op->device, &op->task.status) && !op->task.has_come_back)
                grow_late(op);
        else if (op->task.must_assign)
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
        inventory_set_status(op->lifecycle->inventory, device, &op->task.status);
        inventory_set_state(op->lifecycle->inventory, device, DEVICE_READY, NULL);
        /* What others have made with other queues keeps what they gave it. */
        if (grow_is_needed(op->device, &op->task.status) && !op->task.has_come_back)
                grow_late(op);
        else
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
        /* What is there all the same a start has made that did not come to its end. */
        op->task.may_be_half_made = is_new_boot;
        op->task.must_assign = must_assign;
        op->task.has_come_back = l->ready && device->state == DEVICE_LOST && !device->is_displaced;
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

/* False: later, when less is under way. */
static bool recover_device(Lifecycle *l, Device *device) {
        int r = confirm_is_possible(l, device) ? confirm_add(l, device) : -ENOMEM;

        if (r != -ENOMEM)
                return r == 0;

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
        return true;
}

/* As many as may be under way. False: there are no more. */
static bool recover_some(Lifecycle *l) {
        Device *device = inventory_next_device(l->inventory, l->recovery.cursor), *next;

        for (; device && l->n_operations < MAX_UNDER_WAY; device = next) {
                CRASH_POINT(RECOVERY_DEVICE);
                next = inventory_device_after(device);
                if (!recover_device(l, device))
                        return true;
                strcpy(l->recovery.cursor, device->name);
        }
        confirm_run(l);
        return device;
}

static void finish(Lifecycle *l) {
        Recovery *rec = &l->recovery;

        rec->is_running = false;
        rec->is_waiting = false;
        rec->is_new_boot = false;
        CRASH_POINT(RECOVERY_BEFORE_BOOT_ID);
        if (!rec->has_failed && strcmp(store_boot_id(l->store), rec->boot_id) != 0)
                (void) store_put_boot_id(l->store, rec->boot_id, NULL, NULL);
        CRASH_POINT(RECOVERY_AFTER_BOOT_ID);
        l->ready = true;
        lease_begin(l);
        batch_release_unfinished(l);
        pools_begin(l);
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

static bool has_late_mgmtdev(Lifecycle *l) {
        Device *device = l->inventory->n_states[DEVICE_LOST] > 0 ? inventory_next_device(l->inventory, "") : NULL;

        while (device && !recovery_waits_for_mgmtdev(device))
                device = inventory_device_after(device);
        return device;
}

/* Whether to wait for what a host that has just started may still be about to get. */
static bool is_patient(Lifecycle *l) {
        Recovery *rec = &l->recovery;
        uint64_t now = clock_monotonic_usec();

        if (!rec->is_new_boot || !rec->done || l->patience_usec == 0)
                return false;
        if (rec->patience_end_usec == 0)
                rec->patience_end_usec = now + l->patience_usec;
        if (now >= rec->patience_end_usec)
                return false;
        return l->host.available ? has_late_mgmtdev(l) : l->inventory->n_devices > 0;
}

void recovery_continue(Lifecycle *l) {
        Recovery *rec = &l->recovery;
        bool has_more;

        if (!rec->is_running || rec->is_continuing || l->scanner.is_running)
                return;

        rec->is_continuing = true;
        has_more = l->host.available && recover_some(l);
        rec->is_continuing = false;

        /* Without a backend nothing can be compared. The daemon has started then, but is not ready: what is
         * recorded can be read, and this goes on when a later look finds the host usable. */
        if (l->n_operations > 0 || l->confirms.n_under_way > 0)
                return;
        if (!has_more && is_patient(l)) {
                rec->is_waiting = l->host.available;
                scan_soon(l);
                return;
        }
        if (l->host.available && !has_more)
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

        CRASH_POINT(RECOVERY_LOADED);
        rec->done = done;
        rec->userdata = userdata;
        rec->is_running = true;
        scan_start(l);
        return 0;
}
