/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking at the host: which management devices it has, which devices there are, and which of those are ours. One
 * path for the first look at start, for the periodic one, and for the one that a verb asks for. */

#include "lifecycle/verb.h"

typedef struct Scanner {
        bool is_running;
        bool is_asked_for; /* the look under way is for the sake of verbs */
        VerbList waiting;  /* run when the look under way is over */
        VerbList next;     /* came while one for nobody's sake was under way: run when another one is over */
        uint64_t ask_usec; /* when a verb may ask for one again, monotonic */
        sd_event_source *timer;
        uint64_t duration_usec; /* of the last look */
        char last_failure[256]; /* so that the same one is logged once */
} Scanner;

int scan_init(Lifecycle *l);
void scan_done(Lifecycle *l);

/* Starts a look, if none is under way. Out of memory: the next one is tried later. */
void scan_start(Lifecycle *l);

/* Starts one in a moment, if none is under way. */
void scan_soon(Lifecycle *l);

/* What the management device has counted up to now: faults are logged, and shown from now on. */
void scan_take_counts(Lifecycle *l, const char *handle, const MgmtdevCounts *counts);

/* Lets the verb run (from its beginning) when a look for its sake is over: one that starts now, or that another
 * verb has asked for and is under way. Returns false, with nothing done, if the last one for a verb ended a moment
 * ago: what that has found has to do. */
bool scan_wait(Lifecycle *l, Verb *verb);
