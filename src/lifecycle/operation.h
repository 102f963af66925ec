/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Work on one device that is under way: at most one for each device. The device cannot go while it lasts. Verbs
 * that want the device wait here, and run when it ends. */

#include "lifecycle/job.h"
#include "lifecycle/machine.h"
#include "lifecycle/verb.h"

typedef void (*operation_step_t)(Operation *op);
typedef void (*operation_recorded_t)(Operation *op, const Failure *failure);

/* The wait for an endpoint whose name may change; see settle.h. */
typedef struct Settle {
        sd_event_source *timer; /* on while it waits; NULL: it never had to */
        uint64_t end_usec;      /* monotonic; 0: it does not */
        uint64_t step_usec;
} Settle;

struct Operation {
        Job job;
        Lifecycle *lifecycle; /* weak */
        Device *device;       /* weak */
        Verb *verb;           /* what it is for; NULL: the daemon's own work */
        bool is_own;          /* it was begun without a verb */
        VerbList waiting;

        void (*machine)(MachineTask *task, Backend *b);
        operation_step_t then;
        MachineTask task;
        Settle settle;
        bool has_counts; /* of the management device, when the machine was done */
        MgmtdevCounts counts;
        operation_recorded_t recorded;

        /* To go back to when it fails. */
        DeviceState previous_state;
        DeviceSpec previous_spec;     /* of an update and a claim; of a renewal only its lease */
        uint64_t previous_lease_usec; /* of either */
        bool has_acquired;            /* of a create: the device held nothing before */
        bool has_moved;               /* of a create: it was recorded on another management device */

        /* Of a create: two revisions that were set aside when its intent was recorded. The device has the first one
         * while it is made, and the next one when it is ready, which its record says from the start. 0: it has a
         * record of its own for that. */
        uint64_t revision;

        /* Of a create; see grow.h. */
        operation_step_t grow_done, grow_failed;
        Failure grow_failure; /* why the device that was made has to go again */

        bool is_new;      /* of a create: the device had no record before */
        bool is_new_boot; /* of a check: the host has started anew since the record was made */
};

/* Begins an operation on a device that has none. verb (may be NULL) is the operation's from now on. Returns 0, or
 * -ENOMEM with nothing begun. */
int operation_begin(Lifecycle *l, Device *device, Verb *verb, Operation **ret);

/* What is logged from now on is about the operation, until log_clear_context(). */
void operation_set_log_context(const Operation *op);

/* Has the worker run machine() on a copy of the device as it is now; then() is called on the loop afterwards.
 * Out of memory, then() is called at once with the task's failure set. */
void operation_run(Operation *op, void (*machine)(MachineTask *task, Backend *b), operation_step_t then);

/* Has the worker run machine() on the same task once more, as it was left; then() is called as before. */
void operation_run_again(Operation *op, void (*machine)(MachineTask *task, Backend *b));

/* Ends it: the verb is answered, what waited runs. The outcome's device may be NULL. */
void operation_end(Operation *op, const Outcome *outcome);

/* The same, with the device taken out of the inventory. */
void operation_end_and_remove(Operation *op, const Outcome *outcome);

/* Ends it with a failure; the device stays. */
void operation_fail(Operation *op, const Failure *failure);

/* Gives the device the operation's other spec, and the operation that of the device; likewise its owner. */
void operation_swap_specs(Operation *op);

/* Lets the verb wait until op ends. */
void operation_wait(Operation *op, Verb *verb);
