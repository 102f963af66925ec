/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log-rate.h"

#include <pthread.h>

#include "util/macro.h"

/* More than there are places that warn. */
#define PLACES 512u

typedef struct Place {
        const char *format; /* static text, so that its address tells the place */
        uint64_t begin_usec;
        unsigned n;
        unsigned n_omitted;
} Place;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Place places[PLACES]; /* guarded by it */

/* NULL: there are more places than that. */
static Place *find(const char *format) {
        uintptr_t first = (uintptr_t) format / 8;

        for (uintptr_t i = 0; i < PLACES; i++) {
                Place *place = &places[(first + i) % PLACES];

                if (!place->format)
                        place->format = format;
                if (place->format == format)
                        return place;
        }

        return NULL;
}

static bool allows(Place *place, uint64_t now, unsigned *ret_n_omitted) {
        if (place->n == 0 || now - place->begin_usec >= LOG_RATE_SPAN_USEC) {
                place->begin_usec = now;
                place->n = 0;
        }
        if (place->n >= LOG_RATE_BURST) {
                place->n_omitted++;
                return false;
        }

        place->n++;
        *ret_n_omitted = place->n_omitted;
        place->n_omitted = 0;
        return true;
}

bool log_rate_allows(const char *format, uint64_t now, unsigned *ret_n_omitted) {
        Place *place;
        bool r = true;

        *ret_n_omitted = 0;
        (void) pthread_mutex_lock(&lock);
        place = find(format);
        if (place)
                r = allows(place, now, ret_n_omitted);
        (void) pthread_mutex_unlock(&lock);
        return r;
}
