/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Leases: devices that are deleted unless somebody renews them. They stand in the inventory in the order in which
 * they are to be looked at next, with one timer for the first of them. One that cannot be deleted (it is in use)
 * stays, says so, and is tried again, less and less often.
 *
 * Time is that of the store's clock. While there are leases, it is recorded once a minute, so that a host that
 * starts anew again and again, with a wall clock that begins at the same time each time, does not make them last
 * for ever. */

#include <systemd/sd-event.h>

#include "lifecycle/lifecycle.h"

typedef struct Leases {
        uint64_t grace_usec;
        uint64_t start_usec;    /* since then there was somebody who could be asked to renew */
        uint64_t recorded_usec; /* when the time was recorded last for its own sake */
        unsigned n_running;     /* deletions */
        sd_event_source *timer;
} Leases;

int lease_init(Lifecycle *l);
void lease_done(Lifecycle *l);

/* The devices are loaded, and those that have leases wait for them to end. */
void lease_begin(Lifecycle *l);

/* Sets when the device's lease ends: as long from now as its spec says, or at a time (0: never). */
void lease_start(Lifecycle *l, Device *device);
void lease_set(Lifecycle *l, Device *device, uint64_t usec);

/* Whether it has ended, the grace included. */
bool lease_is_over(const Lifecycle *l, const Device *device);
