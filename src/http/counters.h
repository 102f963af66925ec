/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What requests have come to, since the daemon was started: for /metrics. What libmicrohttpd answers by itself is
 * in none of these. */

#include <stdint.h>
#include <stdio.h>

#include "http/router.h"

/* Those of the upper bounds in http/counters.c, and one for what takes longer. */
#define HTTP_BUCKETS 16

typedef struct HttpRouteCounters {
        uint64_t by_class[6];           /* of the status: [2] is 2xx */
        uint64_t buckets[HTTP_BUCKETS]; /* by the time from the header to the answer; each request is in one */
        uint64_t usec;                  /* of all of them */
} HttpRouteCounters;

/* Zero is none. */
typedef struct HttpCounters {
        HttpRouteCounters routes[HTTP_ROUTES_MAX + 1]; /* by number; the last one is what no route was found for */
        uint64_t problems[_ERROR_MAX];
} HttpCounters;

/* route: NULL if there is none. usec: that it took. */
void http_counters_note(HttpCounters *c, const HttpRoute *route, unsigned status, uint64_t usec);

/* An answer that is a problem of that kind. */
void http_counters_note_problem(HttpCounters *c, ErrorCode code);

/* In the text format of Prometheus. */
void http_counters_write(const HttpCounters *c, FILE *f);
