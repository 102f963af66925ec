/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Of any 64 bit number; there is no NUL. */
#define DECIMAL_MAX 20

/* Writes the digits of value to p, where there is room for them; returns where they end. printf() takes ten times
 * as long, and a record has some twenty numbers. */
char *decimal_write(char *p, uint64_t value);

/* The same, of the last n digits, with zeros in front. */
char *decimal_write_padded(char *p, uint64_t value, unsigned n);
