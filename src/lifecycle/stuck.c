/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/stuck.h"

#include <stdio.h>

#include "lifecycle/context.h"
#include "util/clock.h"

bool lifecycle_get_stuck(Lifecycle *l, Stuck *ret) {
        uint64_t usec = workqueue_busy_usec(l->worker);
        Stuck stuck = {
                .usec = usec,
                .since_usec = clock_realtime_usec() - usec,
                .command = l->backend->ops->get_command ? l->backend->ops->get_command(l->backend) : NULL,
        };

        _Static_assert(sizeof stuck.device >= WORK_OBJECT_MAX, "a note fits");
        if (usec < STUCK_USEC || !workqueue_get_note(l->worker, &stuck.what, stuck.device))
                return false;
        *ret = stuck;
        return true;
}

const char *stuck_format(const Stuck *stuck, char ret[STUCK_TEXT_MAX]) {
        char since[RFC3339_MAX];

        (void) snprintf(ret, STUCK_TEXT_MAX,
                        "The kernel does not answer (%s%s%s%s%s, since %s): another program's vDPA command may "
                        "hang in it, as "
                        "when a device is deleted while it is open. This goes on by itself when that ends.",
                        stuck->what, stuck->device[0] ? " " : "", stuck->device, stuck->command ? ": " : "",
                        stuck->command ?: "", clock_format(stuck->since_usec, since));
        return ret;
}

json_t *stuck_encode(Lifecycle *l) {
        char since[RFC3339_MAX];
        Stuck stuck;

        if (!lifecycle_get_stuck(l, &stuck))
                return json_null();
        /* clang-format off */
        return json_pack("{s:s, s:o, s:s?, s:s, s:I}",
                         "what", stuck.what,
                         "device", stuck.device[0] ? json_text(stuck.device) : json_null(),
                         "command", stuck.command,
                         "since", clock_format(stuck.since_usec, since),
                         "seconds", (json_int_t) (stuck.usec / USEC_PER_SEC));
        /* clang-format on */
}
