/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looking at the host: which management devices it has, which devices there are, and which of those are ours. One
 * path for the first look at start, for the periodic one, and for the one that a verb asks for. */

#include "lifecycle/verb.h"

typedef struct Scanner {
        bool is_running;
        VerbList waiting; /* run when the look under way is over */
        VerbList next;    /* came while it was under way: run when another one is over */
        sd_event_source *timer;
        char last_failure[256]; /* so that the same one is logged once */
} Scanner;

int scan_init(Lifecycle *l);
void scan_done(Lifecycle *l);

/* Starts a look, if none is under way. Out of memory: the next one is tried later. */
void scan_start(Lifecycle *l);

/* Lets the verb run (from its beginning) when a look that starts now is over. */
void scan_wait(Lifecycle *l, Verb *verb);
