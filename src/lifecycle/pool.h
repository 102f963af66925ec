/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs on pools, which answer as those of lifecycle/lifecycle.h do, and what keeps pools filled. */

#include "inventory/pool.h"
#include "lifecycle/verb.h"

typedef struct Pools {
        bool is_changing;  /* one is being recorded, or removed */
        VerbList waiting;  /* to change one */
        unsigned n_making; /* devices, for all pools */
        bool is_continuing;
        bool is_idle;           /* nothing was missing when that was last looked for, */
        uint64_t n_let_go;      /* ... and so it is as long as the inventory has no other count */
        sd_event_source *timer; /* to the next try after a failure */
} Pools;

/* Makes the pool, or gives the one that is there other marks: durable before the answer, which has the pool
 * (created: it is new). The spec is taken over. ERROR_ALREADY_EXISTS if it is there with another template. */
void lifecycle_set_pool(Lifecycle *l, const char *name, PoolSpec *spec, outcome_done_t done, void *userdata);

/* Removes the pool. Its free devices are deleted afterwards; those that were claimed stay. */
void lifecycle_remove_pool(Lifecycle *l, const char *name, outcome_done_t done, void *userdata);

/* Hands out a free device of the pool, with what the patch says of it: durable before the answer, which has the
 * device. ERROR_POOL_EMPTY if there is none; ERROR_NOT_SUPPORTED if the patch has a MAC address and it cannot be
 * set. Of the precondition only the key counts (NULL: none). */
void lifecycle_claim_device(Lifecycle *l, const char *pool, const Precondition *precondition,
                            const DevicePatch *patch, outcome_done_t done, void *userdata);

/* Gives a device back that nobody uses any more. It gets another uid and is free again, or is deleted, as the pool
 * says; also deleted is what the pool has no place for. ERROR_MISMATCH if it is not like those of the pool;
 * ERROR_IN_USE while its endpoint is open. */
void lifecycle_return_device(Lifecycle *l, const char *pool, const char *device, const Precondition *precondition,
                             outcome_done_t done, void *userdata);

/* The pool of the verb. NULL: there is none, and the verb was answered. */
Pool *verb_find_pool(Verb *verb);

int pools_init(Lifecycle *l);
void pools_done(Lifecycle *l);

/* The daemon is ready: pools are filled from now on, and what those hold that are no more is deleted. */
void pools_begin(Lifecycle *l);

/* Makes what is missing in pools: few at a time, so that requests find room beside them. Costs nothing while
 * nothing can be missing. */
void pools_continue(Lifecycle *l);

/* The same, when something may be missing that no device tells of: a pool is new or has other marks. */
void pools_look(Lifecycle *l);

/* The host was looked at: what is lost of free devices is dropped. */
void pools_check(Lifecycle *l);
