/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/renew.h"

#include <errno.h>

#include "lifecycle/context.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/lease.h"
#include "lifecycle/record.h"

static void on_recorded(Operation *op, const Failure *failure) {
        Device *device = op->device;

        if (!failure) {
                operation_end(op, &(Outcome){ .device = device });
                return;
        }

        if (device->spec.lease_seconds != op->previous_spec.lease_seconds) {
                device->spec.lease_seconds = op->previous_spec.lease_seconds;
                device->generation--;
        }
        lease_set(op->lifecycle, device, op->previous_lease_usec);
        inventory_touch_device(op->lifecycle->inventory, device);
        operation_fail(op, failure);
}

static void begin(Verb *verb, Device *device, uint32_t seconds) {
        Lifecycle *l = verb->lifecycle;
        Operation *op;

        if (operation_begin(l, device, verb, &op) < 0) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        op->previous_spec.lease_seconds = device->spec.lease_seconds;
        op->previous_lease_usec = device->lease_usec;
        if (device->spec.lease_seconds != seconds) {
                device->spec.lease_seconds = seconds;
                device->generation++;
        }
        lease_start(l, device);
        inventory_touch_device(l->inventory, device);
        idempotency_note(verb, &(Outcome){ .device = device });
        record_operation(op, on_recorded);
}

void renew_run(Verb *verb) {
        Device *device = verb_take_device(verb);
        uint32_t seconds;

        if (!device || !verb_may_operate(verb))
                return;

        seconds = verb->patch.has_lease ? verb->patch.lease_seconds : device->spec.lease_seconds;
        if (seconds == 0)
                verb_fail(verb, ERROR_NO_LEASE, EINVAL,
                          "Device '%s' has no lease, and none was asked for; nothing was done", device->name);
        else
                begin(verb, device, seconds);
}
