/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/operation.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/settle.h"
#include "util/log.h"

int operation_begin(Lifecycle *l, Device *device, Verb *verb, Operation **ret) {
        Operation *op;

        assert(!device->operation);
        op = calloc(1, sizeof *op);
        if (!op)
                return -ENOMEM;
        if (verb && verb->receipt && receipt_set_subject(verb->receipt, device->name, device->uid) < 0) {
                free(op);
                return -ENOMEM;
        }

        op->lifecycle = l;
        op->device = device;
        op->verb = verb;
        op->previous_state = device->state;
        STAILQ_INIT(&op->waiting);
        device_spec_init(&op->task.spec);
        device_spec_init(&op->previous_spec);
        device->operation = op;
        op->is_own = !verb;
        l->n_operations++;
        l->n_own_operations += op->is_own;

        *ret = op;
        return 0;
}

void operation_set_log_context(const Operation *op) {
        log_set_context(op->device->mgmtdev->info.handle, op->device->spec.owner,
                        op->verb ? op->verb->request_id : NULL);
}

/* On the worker's thread. */
static void operation_job(Job *job, Backend *backend) {
        Operation *op = CONTAINER_OF(job, Operation, job);

        op->machine(&op->task, backend);
        op->has_counts = backend->ops->get_counts &&
                         backend->ops->get_counts(backend, op->task.mgmtdev, &op->counts);
}

static void prepare_job(Job *job, Backend *backend) {
        machine_prepare_create(&CONTAINER_OF(job, Operation, job)->task, backend);
}

static void on_job_done(Work *work) {
        Operation *op = CONTAINER_OF(work, Operation, job.work);

        operation_set_log_context(op);
        if (op->has_counts)
                scan_take_counts(op->lifecycle, op->task.mgmtdev, &op->counts);
        if (!settle_await(op))
                op->then(op);
        log_clear_context();
}

void operation_run_again(Operation *op, void (*machine)(MachineTask *task, Backend *b)) {
        op->machine = machine;
        op->job.what = machine_name(machine);
        op->job.prepare = machine == machine_create ? prepare_job : NULL;
        job_submit(op->lifecycle->worker, &op->job);
}

void operation_run(Operation *op, void (*machine)(MachineTask *task, Backend *b), operation_step_t then) {
        const Device *device = op->device;
        MachineTask *t = &op->task;

        t->failure = FAILURE_INIT;
        t->has_status = t->is_gone = t->left_over = t->was_made = false;
        free(TAKE_PTR(t->users));
        strcpy(t->name, device->name);
        strcpy(t->mgmtdev, device->mgmtdev->info.handle);
        device_spec_done(&t->spec);
        device_resources_done(&t->resources);
        if (device_spec_copy(&device->spec, &t->spec) < 0 ||
            device_resources_copy(&device->resources, &t->resources) < 0) {
                (void) failure_set(&t->failure, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                then(op);
                return;
        }

        op->then = then;
        op->settle.end_usec = 0;
        op->job.run = operation_job;
        op->job.device = t->name;
        op->job.work.done = on_job_done;
        operation_run_again(op, machine);
}

static void end(Operation *op, const Outcome *outcome, bool remove) {
        VerbList waiting = STAILQ_HEAD_INITIALIZER(waiting);
        Lifecycle *l = op->lifecycle;
        bool is_own = op->is_own;

        op->device->operation = NULL;
        if (remove)
                inventory_remove_device(l->inventory, op->device);
        if (op->verb)
                verb_answer(op->verb, outcome);

        STAILQ_CONCAT(&waiting, &op->waiting);
        sd_event_source_disable_unref(op->settle.timer);
        machine_task_done(&op->task);
        device_spec_done(&op->previous_spec);
        free(op);
        l->n_operations--;
        l->n_own_operations -= is_own;

        verb_start_all(&waiting);
        recovery_continue(l);
        watch_continue(l);
        batch_continue(l);
        pools_continue(l);
}

void operation_end(Operation *op, const Outcome *outcome) {
        end(op, outcome, false);
}

void operation_end_and_remove(Operation *op, const Outcome *outcome) {
        assert(!outcome->device);
        end(op, outcome, true);
}

void operation_fail(Operation *op, const Failure *failure) {
        operation_end(op, &(Outcome){ .failure = *failure,
                                      .users = op->task.users && op->task.users->n > 0 ? op->task.users : NULL });
}

void operation_swap_specs(Operation *op) {
        DeviceSpec spec = op->device->spec;

        op->device->spec = op->previous_spec;
        op->previous_spec = spec;
        /* Without memory it still counts as that of the owner before. */
        (void) owners_note(&op->lifecycle->inventory->owners, op->device);
}

void operation_wait(Operation *op, Verb *verb) {
        STAILQ_INSERT_TAIL(&op->waiting, verb, entry);
}
