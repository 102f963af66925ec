/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the disk takes changes, by what has become of the last ones. While it does not, a small change is tried
 * again and again, so that the trouble ends with its cause and not with the next request. */

#include <systemd/sd-event.h>

#include "store/store.h"

typedef struct Trouble {
        sd_event_source *timer;
        uint64_t pause_usec; /* before the next try */
        bool is_on;
        StoreTrouble now; /* valid while is_on */
        void (*try)(void *userdata);
        void *userdata;
        store_watch_t watch; /* NULL: nobody watches */
        void *watch_userdata;
} Trouble;

/* try() is to queue a change, whose end is noted as that of every other. Returns 0, or a negative errno. */
int trouble_init(Trouble *t, sd_event *event, void (*try)(void *userdata), void *userdata);
void trouble_done(Trouble *t);

/* What has become of a change: failure is NULL if it is durable. What is wrong with a change by itself says nothing
 * of the disk. Returns true if a trouble is over with this: trouble_tell() is due. */
bool trouble_note(Trouble *t, const Failure *failure);

void trouble_tell(Trouble *t);

/* There was no memory to try it, or no room in the queue: it is tried again later. */
void trouble_postpone(Trouble *t);
