/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How often one message may be logged: what goes wrong for everyone who asks goes wrong as often as they ask. */

#include <stdbool.h>
#include <stdint.h>

/* So many in so long a time, of each place in the code that logs. */
#define LOG_RATE_BURST     100u
#define LOG_RATE_SPAN_USEC (10 * UINT64_C(1000000))

/* Whether a message of that format may be logged now. ret_n_omitted: how many there were since the last one that
 * was, which should be said. Safe from any thread. */
bool log_rate_allows(const char *format, uint64_t now_usec, unsigned *ret_n_omitted);
