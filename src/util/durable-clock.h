/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A clock for what has to end some day, and must not end early, or never, because the daemon or the host was
 * started anew or somebody has set the wall clock.
 *
 * It only goes forward. Within one boot it goes with CLOCK_BOOTTIME, whatever becomes of the wall clock. After a
 * reboot it goes on from where it was last recorded, by as much as the wall clock says has passed since, and by
 * nothing if the wall clock went back. It begins as the wall clock, so that its values can be read. */

#include <stdint.h>
#include <systemd/sd-id128.h>

/* One moment, by all clocks. */
typedef struct ClockRecord {
        char boot_id[SD_ID128_UUID_STRING_MAX]; /* "": there is none */
        uint64_t boot_usec;                     /* CLOCK_BOOTTIME in that boot */
        uint64_t wall_usec;
        uint64_t time_usec; /* of this clock */
} ClockRecord;

/* No record has a time above this: 200,000 years. */
#define CLOCK_TIME_MAX (UINT64_C(1) << 62)

typedef struct DurableClock {
        ClockRecord start;
} DurableClock;

/* What time it is at now, of which time_usec does not count, if it was what last says. Pure. */
uint64_t durable_clock_resume(const ClockRecord *last, const ClockRecord *now);

/* Goes on from the last record. Returns 0, or a negative errno: there is no boot ID. */
int durable_clock_start(DurableClock *clock, const ClockRecord *last);

uint64_t durable_clock_now(const DurableClock *clock);

/* Safe from any thread, as nothing changes in the clock. */
void durable_clock_read(const DurableClock *clock, ClockRecord *ret);

/* When the wall clock will show it, or has shown it, as that stands now. */
uint64_t durable_clock_to_wall(const DurableClock *clock, uint64_t usec);
