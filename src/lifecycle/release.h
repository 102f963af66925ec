/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of what was held: devices that are to be deleted as soon as that can be, without anyone waiting for it.
 * One that is in use stays until it is not; it is tried again, less and less often. */

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "lifecycle/lifecycle.h"

typedef struct Release Release;

TAILQ_HEAD(ReleaseList, Release);

typedef struct Releases {
        struct ReleaseList waiting; /* their time has come */
        struct ReleaseList later;   /* their timers run */
        unsigned n_running;
} Releases;

void release_init(Lifecycle *l);

/* The device is to be deleted, when its turn comes: release_continue() says that it may have. */
void release_add(Lifecycle *l, Device *device);
void release_continue(Lifecycle *l);

/* Forgets those that wait. Those that run end with their verbs. */
void release_done(Lifecycle *l);
