/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t clock_usec(clockid_t id) {
        struct timespec ts;

        /* Cannot fail for the clocks below: they always exist. */
        (void) clock_gettime(id, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

uint64_t clock_realtime_usec(void) {
        return clock_usec(CLOCK_REALTIME);
}

uint64_t clock_monotonic_usec(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_usec(void) {
        return clock_usec(CLOCK_BOOTTIME);
}

char *clock_format(uint64_t usec, char *buffer) {
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        struct tm tm;
        size_t n;

        gmtime_r(&seconds, &tm);
        n = strftime(buffer, RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
        (void) snprintf(buffer + n, RFC3339_MAX - n, ".%06uZ", (unsigned) (usec % USEC_PER_SEC));
        return buffer;
}
