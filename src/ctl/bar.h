/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A part of a whole, drawn. */

#include <stddef.h>
#include <stdint.h>

#include "ctl/screen.h"

/* A bar of width columns, to be freed; NULL when out of memory. It is empty only if part is 0 and full only if part
 * is not less than whole. */
char *bar_format(uint64_t part, uint64_t whole, size_t width);

/* The style of a resource of which part is taken: good while there is room, bad when there is nearly none. */
Style bar_style(uint64_t part, uint64_t whole);
