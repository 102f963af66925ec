/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pieces of the text format of Prometheus. */

#include <stdint.h>
#include <stdio.h>

/* What comes before the samples of a metric. type: "counter", "gauge", "histogram". */
void exposition_family(FILE *f, const char *name, const char *type, const char *help);

/* A number of microseconds, in seconds. */
void exposition_seconds(FILE *f, uint64_t usec);
