/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers out of 0 to n - 1, always the lowest that is free, as the kernel numbers its devices. */

#include <stdint.h>

#include "util/macro.h"

#define IDMAP_MAX (1u << 24)

typedef struct Idmap Idmap;

/* All of the n numbers (at most IDMAP_MAX) are free. Returns 0, or -ENOMEM. */
int idmap_new(uint32_t n, Idmap **ret);
Idmap *idmap_free(Idmap *map);
DEFINE_CLEANUP(Idmap *, idmap_free)

/* The lowest free number. Returns 0, or -ENOSPC. */
int idmap_acquire(Idmap *map, uint32_t *ret);

/* This number. Returns 0, -EEXIST if it is taken, or -ERANGE. */
int idmap_acquire_id(Idmap *map, uint32_t id);

/* Gives back a number that is taken. */
void idmap_release(Idmap *map, uint32_t id);
