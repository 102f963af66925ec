/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/clock.h"

#include <string.h>
#include <time.h>

#include "util/decimal.h"

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

/* What is shown together mostly was within a second. */
char *clock_format(uint64_t usec, char *buffer) {
        static _Thread_local struct {
                time_t seconds;
                char text[RFC3339_MAX - sizeof "123456"]; /* "": of none */
        } last;
        time_t seconds = (time_t) (usec / USEC_PER_SEC);
        struct tm tm;
        char *p;

        if (seconds != last.seconds || !last.text[0]) {
                gmtime_r(&seconds, &tm);
                /* Of a year with five digits there is none. */
                if (strftime(last.text, sizeof last.text, "%Y-%m-%dT%H:%M:%S.", &tm) == 0)
                        last.text[0] = '\0';
                last.seconds = seconds;
        }
        p = decimal_write_padded(stpcpy(buffer, last.text), usec % USEC_PER_SEC, 6);
        *p++ = 'Z';
        *p = '\0';
        return buffer;
}
