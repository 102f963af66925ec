/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/counters.h"

#include <inttypes.h>

#include "util/clock.h"
#include "util/macro.h"

/* A claim takes less than a millisecond, a creation some milliseconds, a batch seconds. */
static const uint64_t bounds_usec[HTTP_BUCKETS - 1] = {
        500,    1000,   2500,    5000,    10000,   25000,    50000,    100000,
        250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

void http_counters_note(HttpCounters *c, const HttpRoute *route, unsigned status, uint64_t usec) {
        HttpRouteCounters *counters = route ? &c->routes[http_router_number(route)] : &c->other;
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

/* One after the other; NULL behind the last one. *ret: its route, or one that stands for all that is none. */
static const HttpRouteCounters *get_counters(const HttpCounters *c, size_t i, const HttpRoute **ret) {
        static const HttpRoute other = { .method = "", .path = "" };
        const HttpRoute *route = http_router_at(i);

        if (route) {
                *ret = route;
                return &c->routes[i];
        }
        *ret = &other;
        return i == 0 || http_router_at(i - 1) ? &c->other : NULL;
}

static void write_requests(const HttpCounters *c, FILE *f) {
        const HttpRouteCounters *counters;
        const HttpRoute *route;

        fputs("# HELP hsvdpa_http_requests_total Requests that were answered, by class of the status.\n"
              "# TYPE hsvdpa_http_requests_total counter\n",
              f);
        for (size_t i = 0; (counters = get_counters(c, i, &route)); i++)
                for (size_t k = 0; k < ELEMENTSOF(counters->by_class); k++)
                        if (counters->by_class[k] > 0)
                                fprintf(f,
                                        "hsvdpa_http_requests_total{method=\"%s\",route=\"%s\",code=\"%zuxx\"} "
                                        "%" PRIu64 "\n",
                                        route->method, route->path, k, counters->by_class[k]);
}

static void write_seconds(FILE *f, uint64_t usec) {
        fprintf(f, "%" PRIu64 ".%06" PRIu64, usec / USEC_PER_SEC, usec % USEC_PER_SEC);
}

static void write_histogram(const HttpRouteCounters *counters, const HttpRoute *route, FILE *f) {
        uint64_t n = 0;

        for (size_t k = 0; k < HTTP_BUCKETS; k++) {
                n += counters->buckets[k];
                fprintf(f, "hsvdpa_http_request_seconds_bucket{method=\"%s\",route=\"%s\",le=\"", route->method,
                        route->path);
                if (k < ELEMENTSOF(bounds_usec))
                        write_seconds(f, bounds_usec[k]);
                else
                        fputs("+Inf", f);
                fprintf(f, "\"} %" PRIu64 "\n", n);
        }
        fprintf(f, "hsvdpa_http_request_seconds_sum{method=\"%s\",route=\"%s\"} ", route->method, route->path);
        write_seconds(f, counters->usec);
        fprintf(f, "\nhsvdpa_http_request_seconds_count{method=\"%s\",route=\"%s\"} %" PRIu64 "\n", route->method,
                route->path, n);
}

static bool is_used(const HttpRouteCounters *counters) {
        for (size_t k = 0; k < HTTP_BUCKETS; k++)
                if (counters->buckets[k] > 0)
                        return true;
        return false;
}

static void write_times(const HttpCounters *c, FILE *f) {
        const HttpRouteCounters *counters;
        const HttpRoute *route;

        fputs("# HELP hsvdpa_http_request_seconds Time from the header of a request to its answer.\n"
              "# TYPE hsvdpa_http_request_seconds histogram\n",
              f);
        for (size_t i = 0; (counters = get_counters(c, i, &route)); i++)
                if (is_used(counters))
                        write_histogram(counters, route, f);
}

static void write_problems(const HttpCounters *c, FILE *f) {
        fputs("# HELP hsvdpa_http_problems_total Answers that were a problem, by its code.\n"
              "# TYPE hsvdpa_http_problems_total counter\n",
              f);
        for (ErrorCode e = ERROR_NONE + 1; e < _ERROR_MAX; e++)
                if (c->problems[e] > 0)
                        fprintf(f, "hsvdpa_http_problems_total{code=\"%s\"} %" PRIu64 "\n", error_info(e)->code,
                                c->problems[e]);
}

void http_counters_write(const HttpCounters *c, FILE *file) {
        write_requests(c, file);
        write_times(c, file);
        write_problems(c, file);
}
