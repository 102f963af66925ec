/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A free device of a pool goes to whoever asks first. The hardware is changed first, then the one record is
 * written: a daemon that dies in between leaves a free device, of which nobody was told, and the next start makes
 * its endpoint what the template says. */
#include <errno.h>
#include <string.h>

#include "inventory/feature.h"
#include "lifecycle/context.h"
#include "lifecycle/device-patch.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/lease.h"
#include "lifecycle/operation.h"
#include "lifecycle/pool.h"
#include "lifecycle/record.h"
#include "util/crash.h"
#include "util/log.h"

/* Free again, as it was; unless the pool has gone meanwhile. */
static void put_back(Operation *op, const Failure *failure) {
        Lifecycle *l = op->lifecycle;
        const char *holder = op->verb->holder;
        Pool *pool;

        operation_swap_specs(op);
        op->device->generation--;
        lease_set(l, op->device, 0);
        inventory_touch_device(l->inventory, op->device);
        if (inventory_hold_device(l->inventory, op->device, holder) < 0)
                log_device(LOG_ERR, ENOMEM, op->device->name, "is nobody's, though it was not claimed: %m");
        else if (pool_find_by_holder(l->inventory, holder, &pool) && !pool)
                lifecycle_release_holder(l, holder);
        operation_fail(op, failure);
}

static void on_recorded(Operation *op, const Failure *failure) {
        Pool *pool = pool_find(op->lifecycle->inventory, op->verb->pool);

        CRASH_POINT(CLAIM_AFTER_RECORD);
        if (failure) {
                put_back(op, failure);
                return;
        }

        if (pool)
                pool->n_claims++;
        log_device(LOG_INFO, 0, op->device->name, "claimed from pool %s", op->verb->pool);
        operation_end(op, &(Outcome){ .device = op->device, .created = true });
}

static void record(Operation *op) {
        CRASH_POINT(CLAIM_BEFORE_RECORD);
        inventory_touch_device(op->lifecycle->inventory, op->device);
        idempotency_note(op->verb, &(Outcome){ .device = op->device, .created = true });
        record_operation(op, on_recorded);
}

static void on_machine(Operation *op) {
        Pool *pool = pool_find(op->lifecycle->inventory, op->verb->pool);
        const MachineTask *t = &op->task;
        bool has_mac = op->verb->patch.has_mac;

        if (pool && has_mac && t->failure.code == ERROR_NONE)
                pool->macs = POOL_MACS_CAN_BE_SET;
        if (pool && has_mac && t->failure.code == ERROR_NOT_SUPPORTED)
                pool->macs = POOL_MACS_CANNOT_BE_SET;
        if (t->failure.code != ERROR_NONE) {
                log_device(LOG_WARNING, t->failure.error, op->device->name, "not claimed: %s", t->failure.detail);
                watch_hint(op->lifecycle, op->device->name);
                put_back(op, &t->failure);
                return;
        }

        inventory_set_status(op->lifecycle->inventory, op->device, &t->status);
        record(op);
}

static bool endpoint_changes(const Operation *op) {
        const EndpointSpec *a = &op->device->spec.endpoint, *b = &op->previous_spec.endpoint;

        return a->uid != b->uid || a->gid != b->gid || a->mode != b->mode;
}

/* The device is nobody's until that is recorded, and can be taken by nobody else, as it has an operation. */
static void begin(Verb *verb, Device *device, DeviceSpec *spec) {
        Lifecycle *l = verb->lifecycle;
        Operation *op;

        if (operation_begin(l, device, verb, &op) < 0) {
                device_spec_done(spec);
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        strcpy(verb->holder, device->holder->name);
        inventory_let_go(l->inventory, device);
        op->previous_spec = *spec;
        operation_swap_specs(op);
        device->generation++;
        lease_start(l, device);
        if (verb->patch.has_mac || endpoint_changes(op))
                operation_run(op, machine_claim, on_machine);
        else
                record(op);
}

static Device *pick(Lifecycle *l, const Pool *pool) {
        char name[HOLDER_MAX];
        const Holder *holder;
        Device *device;

        pool_format_holder(pool, name);
        holder = holder_find(&l->inventory->holders, name);
        if (!holder)
                return NULL;
        LIST_FOREACH(device, &holder->devices, held)
                if (device->state == DEVICE_READY && !device->operation && !device->is_released &&
                    !device->is_behind)
                        return device;
        return NULL;
}

/* Whether the patch can be done to a device of the pool; else the verb was answered. */
static bool check_patch(Verb *verb, const Pool *pool) {
        const DeviceSpec *template = &pool->spec.device;

        if (verb->patch.has_mac &&
            (template->class != CLASS_NET || (template->has_features && !(template->features & FEATURE_NET_MAC)))) {
                verb_fail(verb, ERROR_NOT_SUPPORTED, EOPNOTSUPP, "The devices of pool '%s' have no MAC address",
                          pool->name);
                return false;
        }
        if (verb->patch.has_mac && pool->macs == POOL_MACS_CANNOT_BE_SET) {
                verb_fail(verb, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                          "The MAC addresses of the devices of pool '%s' cannot be set: claim one as it is",
                          pool->name);
                return false;
        }
        return verb_owner_has_room(verb, verb->patch.owner);
}

static void claim_run(Verb *verb) {
        Pool *pool = verb_find_pool(verb);
        DeviceSpec spec;
        Device *device;
        int r;

        if (!pool || !check_patch(verb, pool) || !verb_may_operate(verb))
                return;
        device = pick(verb->lifecycle, pool);
        if (!device) {
                pool->n_misses++;
                verb_fail(verb, ERROR_POOL_EMPTY, EAGAIN, "Pool '%s' has no free device%s%s", pool->name,
                          pool->reason ? ": " : " just now", pool->reason ? pool->reason->detail : "");
                return;
        }

        r = device_patch_apply(&device->spec, &verb->patch, &spec);
        if (r == -E2BIG)
                verb_fail(verb, ERROR_INVALID_REQUEST, E2BIG, "A device can have %d labels; nothing was done",
                          LABELS_MAX);
        else if (r < 0)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        else
                begin(verb, device, &spec);
}

void lifecycle_claim_device(Lifecycle *l, const char *pool, const Precondition *precondition,
                            const DevicePatch *patch, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, claim_run, "", precondition, done, userdata);

        if (!verb)
                return;
        strcpy(verb->pool, pool);
        if (verb_take_patch(verb, patch))
                verb_start(verb);
}
