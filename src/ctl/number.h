/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Reads digits of base (up to 10) and nothing else: no sign, no blank. False if it is not that, or above
 * max. */
bool number_parse(const char *text, unsigned base, uint64_t max, uint64_t *ret);
