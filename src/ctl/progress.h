/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far a long work is: a bar that is drawn again and again on a terminal, and now and then a line elsewhere. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/screen.h"

typedef struct Progress {
        const Screen *screen; /* weak */
        const char *what;     /* "created": has happened to those that are done */
        size_t total;
        size_t n_done; /* failed ones included */
        size_t n_failed;
        uint64_t begun_ms;
        uint64_t shown_ms;
        bool is_shown; /* the cursor stands behind a bar */
} Progress;

/* screen and what have to outlive it. Nothing is drawn yet. */
void progress_init(Progress *p, const Screen *screen, const char *what, size_t total);

/* One more is done. Draws, if it is time to. */
void progress_step(Progress *p, bool is_ok);

/* Takes the bar away, so that something else can be written. */
void progress_hide(Progress *p);
