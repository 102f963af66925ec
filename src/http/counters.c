/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/counters.h"

#include <inttypes.h>

#include "http/exposition.h"
#include "util/macro.h"

#define REQUESTS "hsvdpa_http_requests_total"
#define SECONDS  "hsvdpa_http_request_seconds"
#define PROBLEMS "hsvdpa_http_problems_total"

/* A claim takes less than a millisecond, a creation some milliseconds, a batch seconds. */
static const uint64_t bounds_usec[HTTP_BUCKETS - 1] = {
        500,    1000,   2500,    5000,    10000,   25000,    50000,    100000,
        250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

void http_counters_note(HttpCounters *c, const HttpRoute *route, unsigned status, uint64_t usec) {
        HttpRouteCounters *counters = &c->routes[route ? http_router_number(route) : HTTP_ROUTES_MAX];
        size_t bucket = 0;

        while (bucket < ELEMENTSOF(bounds_usec) && usec > bounds_usec[bucket])
                bucket++;
        counters->buckets[bucket]++;
        counters->usec += usec;
        if (status / 100 < ELEMENTSOF(counters->by_class))
                counters->by_class[status / 100]++;
}

void http_counters_note_problem(HttpCounters *c, ErrorCode code) {
        c->problems[code]++;
}

/* The sample of a route, up to the end of these labels; both are empty for what no route was found for. */
static void begin_sample(FILE *f, const char *name, size_t number) {
        const HttpRoute *route = http_router_at(number);

        fprintf(f, "%s{method=\"%s\",route=\"%s\"", name, route ? route->method : "", route ? route->path : "");
}

static void write_requests(const HttpRouteCounters *counters, size_t number, FILE *f) {
        for (size_t k = 0; k < ELEMENTSOF(counters->by_class); k++)
                if (counters->by_class[k] > 0) {
                        begin_sample(f, REQUESTS, number);
                        fprintf(f, ",code=\"%zuxx\"} %" PRIu64 "\n", k, counters->by_class[k]);
                }
}

static uint64_t count(const HttpRouteCounters *counters) {
        uint64_t n = 0;

        for (size_t k = 0; k < HTTP_BUCKETS; k++)
                n += counters->buckets[k];
        return n;
}

static void write_buckets(const HttpRouteCounters *counters, size_t number, FILE *f) {
        uint64_t n = 0;

        for (size_t k = 0; k < HTTP_BUCKETS; k++) {
                n += counters->buckets[k];
                begin_sample(f, SECONDS "_bucket", number);
                fputs(",le=\"", f);
                if (k < ELEMENTSOF(bounds_usec))
                        exposition_seconds(f, bounds_usec[k]);
                else
                        fputs("+Inf", f);
                fprintf(f, "\"} %" PRIu64 "\n", n);
        }
}

static void write_times(const HttpRouteCounters *counters, size_t number, FILE *f) {
        uint64_t n = count(counters);

        if (n == 0)
                return;
        write_buckets(counters, number, f);
        begin_sample(f, SECONDS "_sum", number);
        fputs("} ", f);
        exposition_seconds(f, counters->usec);
        fputc('\n', f);
        begin_sample(f, SECONDS "_count", number);
        fprintf(f, "} %" PRIu64 "\n", n);
}

void http_counters_write(const HttpCounters *c, FILE *f) {
        exposition_family(f, REQUESTS, "counter", "Requests that were answered, by class of the status.");
        for (size_t i = 0; i < ELEMENTSOF(c->routes); i++)
                write_requests(&c->routes[i], i, f);

        exposition_family(f, SECONDS, "histogram", "Time from the header of a request to its answer.");
        for (size_t i = 0; i < ELEMENTSOF(c->routes); i++)
                write_times(&c->routes[i], i, f);

        exposition_family(f, PROBLEMS, "counter", "Answers that were a problem, by its code.");
        for (ErrorCode e = ERROR_NONE + 1; e < _ERROR_MAX; e++)
                if (c->problems[e] > 0)
                        fprintf(f, PROBLEMS "{code=\"%s\"} %" PRIu64 "\n", error_info(e)->code, c->problems[e]);
}
