/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A backend that does not come back: most often someone else's command hangs in the kernel, which then answers no
 * vDPA command at all. What needs no backend goes on; what needs one and has begun waits for that to be over, and
 * no more is begun, so that nobody waits without end and nothing piles up. */

#include "lifecycle/lifecycle.h"

/* More than a slow driver takes for one device. */
#define STUCK_USEC (10 * USEC_PER_SEC)

typedef struct Stuck {
        const char *what;             /* static: "delete", "look at the host" */
        char device[DEVICE_NAME_MAX]; /* "": none */
        const char *command;          /* static: the kernel's name for what it does not answer; NULL: none */
        uint64_t since_usec;          /* CLOCK_REALTIME */
        uint64_t usec;                /* for so long */
} Stuck;

/* Returns true if it is so now. */
bool lifecycle_get_stuck(Lifecycle *l, Stuck *ret);

/* A sentence about it. */
#define STUCK_TEXT_MAX 320
const char *stuck_format(const Stuck *stuck, char ret[STUCK_TEXT_MAX]);

/* For GET /v1/host: a new reference, null if it is not so; NULL when out of memory. */
json_t *stuck_encode(Lifecycle *l);
