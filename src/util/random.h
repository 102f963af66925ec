/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* n random bytes, at most 64, of the kernel's good ones, of which some are kept for next time: each ID wants a few,
 * and the call costs as much for many. On any thread. Without any, which no supported kernel is, they are zeros. */
void random_fill(void *ret, size_t n);
