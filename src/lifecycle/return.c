/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device comes back to its pool: as a deletion, whose intent is recorded first, but of which another device comes
 * that has the hardware of the one before. A daemon that dies in between leaves the intent, and the next start
 * deletes it. */
#include "lifecycle/return.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "inventory/class.h"
#include "lifecycle/context.h"
#include "lifecycle/delete.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/pool.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"

bool return_begin(Operation *op, operation_step_t then) {
        Inventory *inv = op->lifecycle->inventory;
        const Pool *pool = op->verb && op->verb->pool[0] ? pool_find(inv, op->verb->pool) : NULL;

        if (!pool || pool->spec.on_return != POOL_SCRUB || pool_count(inv, pool) >= pool->spec.high)
                return false;

        /* A local one that is nobody's, so that the one before can be another device's. */
        if (op->device->spec.class == CLASS_NET && op->device->spec.net.has_mac &&
            getrandom(op->task.scrub_mac, sizeof op->task.scrub_mac, 0) == (ssize_t) sizeof op->task.scrub_mac) {
                op->task.scrub_mac[0] = 0x02;
                op->task.has_scrub_mac = true;
        }
        op->task.scrub_endpoint = pool->spec.device.endpoint;
        operation_run(op, machine_scrub, then);
        return true;
}

int return_finish(Operation *op) {
        Lifecycle *l = op->lifecycle;
        Pool *pool = pool_find(l->inventory, op->verb->pool);
        Device *device = op->device;
        char holder[HOLDER_MAX];
        DeviceSpec spec;

        device_spec_init(&spec);
        if (!pool || device_spec_copy(&pool->spec.device, &spec) < 0)
                return -ENOENT;
        pool_format_holder(pool, holder);
        if (inventory_hold_device(l->inventory, device, holder) < 0) {
                device_spec_done(&spec);
                return -ENOMEM;
        }

        CRASH_POINT(RETURN_BEFORE_RECORD);
        log_device(LOG_INFO, 0, device->name, "returned to pool %s", pool->name);
        pool->n_returns++;
        idempotency_note(op->verb, &(Outcome){});
        record_return(l, device, &spec, &op->task.status, op->verb);
        CRASH_POINT(RETURN_AFTER_RECORD);
        operation_end(op, &(Outcome){});
        return 0;
}

void return_run(Verb *verb) {
        const Pool *pool;
        Device *device;

        if (delete_is_over(verb)) {
                verb_answer(verb, &(Outcome){});
                return;
        }
        pool = verb_find_pool(verb);
        device = pool ? verb_take_device(verb) : NULL;
        if (!device)
                return;
        if (device->holder)
                verb_fail(verb, ERROR_MISMATCH, EINVAL, "Device '%s' is held by %s, and not claimed", device->name,
                          device->holder->name);
        else if (!pool_fits(pool, &device->spec))
                verb_fail(verb, ERROR_MISMATCH, EINVAL, "Device '%s' is not like those of pool '%s'", device->name,
                          pool->name);
        else if (device->state != DEVICE_READY)
                verb_fail(verb, ERROR_NOT_READY, EAGAIN, "Device '%s' is %s", device->name,
                          device_state_name(device->state));
        else
                delete_run(verb);
}

void lifecycle_return_device(Lifecycle *l, const char *pool, const char *device, const Precondition *precondition,
                             outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, return_run, device, precondition, done, userdata);

        if (!verb)
                return;
        strcpy(verb->pool, pool);
        verb_start(verb);
}
