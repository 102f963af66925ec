/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* --wait: a call that may fare better later is made again, until the time is over. */

#include <hsvdpa/client.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Patience {
        bool is_on;
        uint64_t end_ms; /* of clock_ms(); UINT64_MAX: never */
        uint64_t pause_ms;
} Patience;

/* seconds: 0 for no end. */
Patience patience_begin(bool is_on, unsigned seconds);

/* After a call that failed with r (not 0). True, after a pause, if it should be made again. can_repeat: it does no
 * harm if it has been done already without our knowing. */
bool patience_again(Patience *p, const HsvError *error, int r, bool can_repeat);

/* True when a further pause would be over its end. */
bool patience_is_over(const Patience *p);

/* Sleeps, each time somewhat longer, but not past the end. */
void patience_pause(Patience *p);
