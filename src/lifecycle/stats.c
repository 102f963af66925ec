/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/stats.h"

#include <errno.h>

#include "lifecycle/context.h"

static void on_machine(Operation *op) {
        const MachineTask *t = &op->task;

        operation_end(op, &(Outcome){
                                  .failure = t->failure,
                                  .device = t->failure.code == ERROR_NONE ? op->device : NULL,
                                  .stats = t->stats,
                                  .n_stats = t->n_stats,
                          });
}

void stats_run(Verb *verb) {
        Device *device = verb_take_device(verb);
        Operation *op;

        if (!device || !verb_may_operate(verb))
                return;
        if (device->state != DEVICE_READY) {
                verb_fail(verb, ERROR_NOT_READY, EAGAIN, "Device '%s' is %s", device->name,
                          device_state_name(device->state));
                return;
        }
        if (operation_begin(verb->lifecycle, device, verb, &op) < 0) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        operation_run(op, machine_get_stats, on_machine);
}
