/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/settle.h"

#include "lifecycle/context.h"
#include "util/clock.h"

/* How long udev may take. If it does not come around to it, the name is as good as it gets. */
#define SETTLE_USEC (5 * USEC_PER_SEC)

/* Looks without a hint: from time to time, since hints can be lost. */
#define LOOK_FIRST_USEC (50 * USEC_PER_MSEC)
#define LOOK_LAST_USEC  (1 * USEC_PER_SEC)

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        operation_run_again(userdata, machine_settle);
        return 0;
}

static int arm(Operation *op, uint64_t usec) {
        Settle *s = &op->settle;
        int r;

        if (!s->timer)
                return sd_event_add_time_relative(op->lifecycle->event, &s->timer, CLOCK_MONOTONIC, usec,
                                                  USEC_PER_MSEC, on_timer, op);
        r = sd_event_source_set_time_relative(s->timer, usec);
        return r < 0 ? r : sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

bool settle_await(Operation *op) {
        const MachineTask *t = &op->task;
        uint64_t now = clock_monotonic_usec();
        Settle *s = &op->settle;

        if (t->failure.code != ERROR_NONE || !t->has_status || !t->status.is_unsettled || op->lifecycle->stopping)
                return false;
        if (s->end_usec == 0)
                *s = (Settle){ .timer = s->timer, .end_usec = now + SETTLE_USEC, .step_usec = LOOK_FIRST_USEC };
        else if (s->step_usec < LOOK_LAST_USEC)
                s->step_usec *= 2;

        return now < s->end_usec && arm(op, s->step_usec) >= 0;
}

void settle_hint(Operation *op) {
        int is_on = SD_EVENT_OFF;

        if (!op->settle.timer || sd_event_source_get_enabled(op->settle.timer, &is_on) <= 0)
                return;
        (void) sd_event_source_set_enabled(op->settle.timer, SD_EVENT_OFF);
        operation_run_again(op, machine_settle);
}
