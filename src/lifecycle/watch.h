/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keeping what is known of the host true while it changes behind the daemon's back. Three things bring that about:
 *
 * - hints of the backend, which say where something may have changed: that device is looked at by itself, or, when
 *   nobody can say which, everything is. Hints that come together are one; there is an upper bound to the looks;
 * - looks at the whole host (lifecycle/scan.h) from time to time, since hints can be lost;
 * - a sweep over all devices of ours, one by one, with a small share of the backend's time: a listing does not tell
 *   addresses, drivers and owners, and not all changes of these are hinted.
 *
 * A client can have all of it done at once: watch_refresh(). */

#include <bsd/sys/tree.h>

#include "lifecycle/verb.h"

typedef struct Hint Hint;
RB_HEAD(HintTree, Hint);

typedef enum RefreshPhase {
        REFRESH_NONE,
        REFRESH_WAITS, /* for a look that began before */
        REFRESH_LISTS,
        REFRESH_SWEEPS,
        REFRESH_SETTLES, /* waits for what it has found to be dealt with */
} RefreshPhase;

typedef struct Watch {
        BackendWatcher watcher;
        bool is_watching;
        sd_event_source *timer;
        struct HintTree hints;
        size_t n_hints;
        bool all;               /* anything may have changed */
        bool is_looking;        /* at some devices, one by one */
        uint64_t next_all_usec; /* when everything may be looked at again, monotonic */

        bool is_sweeping;
        unsigned sweep_pause; /* times what a part of it took, before the next one */
        uint64_t sweep_usec;  /* when that may begin, monotonic */
        char sweep_cursor[DEVICE_NAME_MAX];

        RefreshPhase phase;
        uint64_t settle_usec;      /* until when it waits for that, monotonic */
        VerbList refreshing, next; /* those that the one under way is for; those that came too late for it */
} Watch;

int watch_init(Lifecycle *l);
void watch_done(Lifecycle *l);

/* Begins to take hints; without the backend's there are only our own. */
void watch_start(Lifecycle *l);

/* Something may have changed about the device (ours or not), or about anything (NULL). */
void watch_hint(Lifecycle *l, const char *name);

/* A look at the whole host is over; it was for the sake of nobody. */
void watch_on_scanned(Lifecycle *l, bool was_periodic);

/* What the daemon does by itself may be over. */
void watch_continue(Lifecycle *l);

/* Lets the verb run (from its beginning) when everything has been looked at for its sake. */
void watch_refresh(Lifecycle *l, Verb *verb);
