/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* IDs out of 0 to n - 1 that are held one by one: ASIDs of one space, entries of one message store.
 *
 * Those that were never held come first, the lowest before the others; then those that were released, the oldest
 * first. A released ID is in quarantine for a while, so that a late DMA or interrupt of its last holder meets no
 * one. Releases are kept in the order of spans of time, a quarter of the quarantine each; within one span, the
 * lowest comes first.
 *
 * Time is microseconds of a clock that never goes back, and is passed in. Memory is a few bits an ID, and grows
 * with the highest ID that was touched. */

#include <stdbool.h>
#include <stdint.h>

#include "inventory/resource.h"
#include "util/macro.h"

typedef struct IdSet IdSet;

/* total is the sum of the others. */
typedef struct IdUsage {
        uint32_t total;
        uint32_t reserved; /* never handed out */
        uint32_t used;
        uint32_t quarantined;
        uint32_t free;
} IdUsage;

/* All of the n IDs (at most IDS_MAX) are free. Returns 0, or -ENOMEM. */
int idset_new(uint32_t n, uint64_t quarantine_usec, IdSet **ret);
IdSet *idset_free(IdSet *set);
DEFINE_CLEANUP(IdSet *, idset_free)

/* The next one. Returns 0, -ENOSPC (all others are in quarantine, maybe), or -ENOMEM. */
int idset_acquire(IdSet *set, uint64_t now, uint32_t *ret);

/* This one, in quarantine, reserved or past the end as it may be: somebody holds it already. Returns 0, -EEXIST if
 * it is held by another, -ERANGE if it is not below IDS_MAX, or -ENOMEM. */
int idset_acquire_id(IdSet *set, uint32_t id);

/* Gives back an ID that is held, into quarantine. Cannot fail. */
void idset_release(IdSet *set, uint32_t id, uint64_t now);

/* The same for one whose holder is not known any more, with so much time left (at most the whole quarantine). To be
 * called in the order in which they were released, before anything else is. Nothing happens to an ID that was
 * acquired or is in quarantine already. Returns 0, -ERANGE or -ENOMEM. */
int idset_quarantine(IdSet *set, uint32_t id, uint64_t left_usec, uint64_t now);

/* Gives back an ID that was acquired and never used: as good as never held. */
void idset_put_back(IdSet *set, uint32_t id);

bool idset_is_held(const IdSet *set, uint32_t id);

/* After this, no ID below n needs memory. Returns 0, or -ENOMEM. */
int idset_make_room(IdSet *set, uint32_t n);

/* Never hands out first to last (below IDS_MAX); an ID that is held stays so, and is reserved when it is released.
 * Returns 0, or -ENOMEM with nothing changed. */
int idset_reserve(IdSet *set, uint32_t first, uint32_t last);

/* Ends every reservation. What was held in the meantime goes through quarantine. */
void idset_unreserve_all(IdSet *set, uint64_t now);

/* There are n IDs (at most IDS_MAX) from now on. Those past the end that are held stay with their holders; until
 * they are released, the total includes them, and the others past the end count as reserved. */
void idset_resize(IdSet *set, uint32_t n, uint64_t now);

IdUsage idset_usage(const IdSet *set, uint64_t now);

/* How many are held that are past the end. */
uint32_t idset_n_surplus(const IdSet *set);
