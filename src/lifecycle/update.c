/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/update.h"

#include <errno.h>
#include <string.h>

#include "inventory/feature.h"
#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "lifecycle/device-patch.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/lease.h"
#include "lifecycle/record.h"
#include "util/crash.h"
#include "util/log.h"

/* Back to the old one, with the lease that the device had. */
static void restore_spec(Operation *op) {
        operation_swap_specs(op);
        if (op->device->lease_usec != op->previous_lease_usec)
                lease_set(op->lifecycle, op->device, op->previous_lease_usec);
}

static void on_spec_reverted(Operation *op, const Failure *failure) {
        CRASH_POINT(UPDATE_AFTER_REVERSION);
        if (failure) {
                op->device->is_behind = true;
                failure_append(&op->task.failure,
                               "; the old spec could not be recorded (%s), so the next start may apply the new one",
                               failure->detail);
        }
        operation_fail(op, &op->task.failure);
}

static void revert(Operation *op) {
        CRASH_POINT(UPDATE_BEFORE_REVERSION);
        restore_spec(op);
        op->device->generation++;
        inventory_touch_device(op->lifecycle->inventory, op->device);
        idempotency_note(op->verb, &(Outcome){ .failure = op->task.failure });
        record_operation(op, on_spec_reverted);
}

/* The new spec is durable already; what may be behind is the revision that the client is told. */
static void on_change_recorded(Operation *op, const Failure *failure) {
        CRASH_POINT(UPDATE_AFTER_RECORD);
        if (failure)
                op->device->is_behind = true;
        operation_end(op, &(Outcome){ .device = op->device });
}

static void on_mac_set(Operation *op) {
        Device *device = op->device;

        if (op->task.failure.code != ERROR_NONE) {
                log_device(LOG_WARNING, op->task.failure.error, device->name, "not changed: %s",
                           op->task.failure.detail);
                revert(op);
                return;
        }

        CRASH_POINT(UPDATE_BEFORE_RECORD);
        inventory_set_status(op->lifecycle->inventory, device, &op->task.status);
        inventory_touch_device(op->lifecycle->inventory, device);
        idempotency_note(op->verb, &(Outcome){ .device = device });
        record_operation(op, on_change_recorded);
}

static void on_spec_committed(Operation *op, const Failure *failure) {
        Device *device = op->device;

        CRASH_POINT(UPDATE_AFTER_INTENT);
        if (failure) {
                restore_spec(op);
                device->generation--;
                inventory_touch_device(op->lifecycle->inventory, device);
                operation_fail(op, failure);
                return;
        }

        if (op->verb->patch.has_mac)
                operation_run(op, machine_set_mac, on_mac_set);
        else
                operation_end(op, &(Outcome){ .device = device });
}

static void begin(Verb *verb, Device *device, DeviceSpec *spec) {
        Lifecycle *l = verb->lifecycle;
        Operation *op;

        if (operation_begin(l, device, verb, &op) < 0) {
                device_spec_done(spec);
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        op->previous_spec = *spec;
        op->previous_lease_usec = device->lease_usec;
        operation_swap_specs(op);
        if (device->spec.lease_seconds != op->previous_spec.lease_seconds)
                lease_start(l, device);
        device->generation++;
        inventory_touch_device(l->inventory, device);
        if (!verb->patch.has_mac)
                idempotency_note(verb, &(Outcome){ .device = device });
        CRASH_POINT(UPDATE_BEFORE_INTENT);
        record_operation(op, on_spec_committed);
}

/* Whether the new owner may have one more; else the verb was answered. */
static bool may_change_owner(Verb *verb, const Device *device, const DeviceSpec *spec) {
        const char *before = device->spec.owner;

        return (before && spec->owner && strcmp(before, spec->owner) == 0) ||
               verb_owner_has_room(verb, spec->owner);
}

/* What the spec says the device need not have: not if a daemon has died before it could say that it cannot be set.
 */
static bool lacks_mac(const Device *device, const DevicePatch *patch) {
        const NetSpec *net = &device->status.net;

        return patch->has_mac && net->has_mac && memcmp(patch->mac, net->mac, sizeof net->mac) != 0;
}

void update_run(Verb *verb) {
        Device *device = verb_take_device(verb);
        DeviceSpec spec;
        int r;

        if (!device || !verb_may_operate(verb))
                return;
        if (device->state != DEVICE_READY) {
                verb_fail(verb, ERROR_NOT_READY, EAGAIN, "Device '%s' is %s", device->name,
                          device_state_name(device->state));
                return;
        }
        if (verb->patch.has_mac && device->spec.class != CLASS_NET) {
                verb_fail(verb, ERROR_NOT_SUPPORTED, EOPNOTSUPP, "Only a device of class net has a MAC address");
                return;
        }
        if (verb->patch.has_mac && device->spec.has_features && !(device->spec.features & FEATURE_NET_MAC)) {
                verb_fail(verb, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                          "Device '%s' was asked for without the feature MAC", device->name);
                return;
        }
        r = device_patch_apply(&device->spec, &verb->patch, &spec);
        if (r == -E2BIG) {
                verb_fail(verb, ERROR_INVALID_REQUEST, E2BIG, "A device can have %d labels; nothing was done",
                          LABELS_MAX);
                return;
        }
        if (r < 0) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        if (device_spec_equal(&device->spec, &spec) && !lacks_mac(device, &verb->patch)) {
                device_spec_done(&spec);
                record_confirm(verb, device);
                return;
        }

        if (verb->patch.has_owner && !may_change_owner(verb, device, &spec)) {
                device_spec_done(&spec);
                return;
        }

        begin(verb, device, &spec);
}
