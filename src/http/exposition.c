/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exposition.h"

#include <inttypes.h>

#include "util/clock.h"

void exposition_family(FILE *f, const char *name, const char *type, const char *help) {
        fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_seconds(FILE *f, uint64_t usec) {
        fprintf(f, "%" PRIu64 ".%06" PRIu64, usec / USEC_PER_SEC, usec % USEC_PER_SEC);
}
