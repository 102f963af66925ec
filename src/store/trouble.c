/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/trouble.h"

#include <errno.h>

#include "util/clock.h"

/* Between two tries: at first, and at the most. */
#define PAUSE_USEC     USEC_PER_SEC
#define PAUSE_MAX_USEC (30 * USEC_PER_SEC)

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Trouble *t = userdata;

        t->try(t->userdata);
        return 0;
}

int trouble_init(Trouble *t, sd_event *event, void (*try)(void *userdata), void *userdata) {
        int r;

        *t = (Trouble){ .try = try, .userdata = userdata };
        r = sd_event_add_time(event, &t->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, t);
        return r < 0 ? r : sd_event_source_set_enabled(t->timer, SD_EVENT_OFF);
}

void trouble_done(Trouble *t) {
        t->timer = sd_event_source_disable_unref(t->timer);
}

void trouble_postpone(Trouble *t) {
        (void) sd_event_source_set_time_relative(t->timer, t->pause_usec);
        (void) sd_event_source_set_enabled(t->timer, SD_EVENT_ONESHOT);
        t->pause_usec *= 2;
        if (t->pause_usec > PAUSE_MAX_USEC)
                t->pause_usec = PAUSE_MAX_USEC;
}

bool trouble_note(Trouble *t, const Failure *failure) {
        bool was_on = t->is_on;

        if (!failure) {
                t->is_on = false;
                (void) sd_event_source_set_enabled(t->timer, SD_EVENT_OFF);
                return was_on;
        }
        if (failure->error == EINVAL || failure->error == ENOMEM)
                return false;

        /* The reason can change meanwhile; what fails beside the tries does not put them off. */
        t->now.failure = *failure;
        t->is_on = true;
        if (!was_on) {
                t->now.since_usec = clock_realtime_usec();
                t->pause_usec = PAUSE_USEC;
                trouble_postpone(t);
                trouble_tell(t);
        }
        return false;
}

void trouble_tell(Trouble *t) {
        if (t->watch)
                t->watch(t->watch_userdata, t->is_on ? &t->now : NULL);
}
