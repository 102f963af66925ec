/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/patience.h"

#include <errno.h>
#include <string.h>

#include "ctl/clock.h"
#include "util/macro.h"

#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS   2000

/* Beside all that comes with HTTP status 503. */
static const char *const passing_codes[] = { "in-use", "no-capacity", "limit-reached" };

static const int passing_errors[] = { ENOENT, ECONNREFUSED, ECONNRESET, ETIMEDOUT };

Patience patience_begin(bool is_on, unsigned seconds) {
        return (Patience){
                .is_on = is_on,
                .end_ms = seconds > 0 ? clock_ms() + (uint64_t) seconds * 1000 : UINT64_MAX,
                .pause_ms = PAUSE_FIRST_MS,
        };
}

static bool may_pass(const HsvError *error, int r, bool can_repeat) {
        if (r == HSV_REFUSED) {
                for (size_t i = 0; i < ELEMENTSOF(passing_codes); i++)
                        if (strcmp(passing_codes[i], hsv_error_code(error)) == 0)
                                return true;
                return hsv_error_http_status(error) == 503;
        }
        if (hsv_error_was_sent(error) && !can_repeat)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(passing_errors); i++)
                if (passing_errors[i] == -r)
                        return true;
        return false;
}

bool patience_is_over(const Patience *p) {
        return clock_ms() >= p->end_ms;
}

void patience_pause(Patience *p) {
        uint64_t now = clock_ms(), left = p->end_ms > now ? p->end_ms - now : 0;

        clock_sleep_ms(left < p->pause_ms ? left : p->pause_ms);
        if (p->pause_ms < PAUSE_MAX_MS)
                p->pause_ms *= 2;
}

bool patience_again(Patience *p, const HsvError *error, int r, bool can_repeat) {
        if (!p->is_on || patience_is_over(p) || !may_pass(error, r, can_repeat))
                return false;
        patience_pause(p);
        return true;
}
