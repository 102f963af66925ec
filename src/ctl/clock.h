/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Milliseconds of a clock that only goes forward. */
uint64_t clock_ms(void);

/* Sleeps so long, whatever signals come. */
void clock_sleep_ms(uint64_t ms);
