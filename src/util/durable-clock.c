/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/durable-clock.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

#define OFFSET_TOLERANCE_USEC (2 * USEC_PER_SEC)

uint64_t durable_clock_resume(const ClockRecord *last, const ClockRecord *now) {
        if (!last->boot_id[0])
                return now->wall_usec;
        if (strcmp(last->boot_id, now->boot_id) == 0)
                return last->time_usec + (now->boot_usec > last->boot_usec ? now->boot_usec - last->boot_usec : 0);
        return last->time_usec + (now->wall_usec > last->wall_usec ? now->wall_usec - last->wall_usec : 0);
}

int durable_clock_start(DurableClock *clock, const ClockRecord *last) {
        ClockRecord now = { .boot_usec = clock_boottime_usec(), .wall_usec = clock_realtime_usec() };
        sd_id128_t boot_id;
        int r;

        r = sd_id128_get_boot(&boot_id);
        if (r < 0)
                return r;
        sd_id128_to_uuid_string(boot_id, now.boot_id);
        now.time_usec = durable_clock_resume(last, &now);

        clock->start = now;
        return 0;
}

static uint64_t at(const DurableClock *clock, uint64_t boot_usec) {
        return clock->start.time_usec + (boot_usec - clock->start.boot_usec);
}

uint64_t durable_clock_now(const DurableClock *clock) {
        return at(clock, clock_boottime_usec());
}

void durable_clock_read(const DurableClock *clock, ClockRecord *ret) {
        *ret = clock->start;
        ret->boot_usec = clock_boottime_usec();
        ret->wall_usec = clock_realtime_usec();
        ret->time_usec = at(clock, ret->boot_usec);
}

/* By how much the wall clock is ahead of the time since the boot. Read one after the other, the two are never off
 * by quite the same: what is adjusted slowly is as it was at the start, so that one moment is always told as one.
 */
static int64_t wall_offset(const DurableClock *clock) {
        int64_t before = (int64_t) (clock->start.wall_usec - clock->start.boot_usec);
        int64_t now = (int64_t) (clock_realtime_usec() - clock_boottime_usec());

        return llabs(now - before) < (int64_t) OFFSET_TOLERANCE_USEC ? before : now;
}

uint64_t durable_clock_to_wall(const DurableClock *clock, uint64_t usec) {
        int64_t boot = (int64_t) (usec - clock->start.time_usec) + (int64_t) clock->start.boot_usec;
        int64_t wall = boot + wall_offset(clock);

        return wall > 0 ? (uint64_t) wall : 0;
}
