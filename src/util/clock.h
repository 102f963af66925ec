/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time, in microseconds, and the one form in which it is shown: RFC 3339 in UTC. */

#include <stdint.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

/* "2026-11-22T10:51:31.123456Z" and its NUL. */
#define RFC3339_MAX 28

uint64_t clock_realtime_usec(void);
uint64_t clock_monotonic_usec(void);

/* Goes on while the host is suspended. */
uint64_t clock_boottime_usec(void);

/* Writes usec (since the epoch) to buffer, at least RFC3339_MAX bytes; returns buffer. */
char *clock_format(uint64_t usec, char *buffer);
