/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/pool.h"

#include <errno.h>
#include <string.h>

#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"

/* Counts as an operation, so that a stop waits for it. */
typedef struct PoolChange {
        Verb *verb;
        Pool *pool; /* owned: as it is recorded; NULL: removed */
} PoolChange;

static void change_end(PoolChange *change, const Outcome *outcome) {
        Lifecycle *l = change->verb->lifecycle;

        l->pools.is_changing = false;
        l->n_operations--;
        verb_answer(change->verb, outcome);
        pool_free(change->pool);
        free(change);
        verb_start_all(&l->pools.waiting);
        pools_look(l);
}

/* From now on it counts. */
static Pool *apply(Lifecycle *l, PoolChange *change, bool *ret_is_new) {
        Pool *pool = pool_find(l->inventory, change->pool->name);

        *ret_is_new = !pool;
        if (!pool) {
                pool = TAKE_PTR(change->pool);
                pool->is_filling = true;
                pool_add(l->inventory, pool);
                return pool;
        }

        pool->spec.low = change->pool->spec.low;
        pool->spec.high = change->pool->spec.high;
        pool->spec.on_return = change->pool->spec.on_return;
        pool->revision = ++l->inventory->revision;
        pool->is_filling = true;
        pool->retry_usec = 0;
        return pool;
}

static void on_recorded(void *userdata, const Failure *failure) {
        PoolChange *change = userdata;
        Outcome outcome = {};

        CRASH_POINT(POOL_AFTER_RECORD);
        if (failure)
                outcome.failure = *failure;
        else {
                outcome.pool = apply(change->verb->lifecycle, change, &outcome.created);
                log_notice("Pool %s: %s, %u to %u devices", outcome.pool->name, outcome.created ? "new" : "changed",
                           outcome.pool->spec.low, outcome.pool->spec.high);
        }
        change_end(change, &outcome);
}

static void on_removed(void *userdata, const Failure *failure) {
        PoolChange *change = userdata;
        Lifecycle *l = change->verb->lifecycle;
        Pool *pool = pool_find(l->inventory, change->verb->pool);
        char holder[HOLDER_MAX];

        CRASH_POINT(POOL_AFTER_REMOVAL);
        if (failure || !pool) {
                change_end(change, &(Outcome){ .failure = failure ? *failure : FAILURE_INIT });
                return;
        }

        log_notice("Pool %s: removed", pool->name);
        pool_format_holder(pool, holder);
        pool_remove(l->inventory, pool);
        lifecycle_release_holder(l, holder);
        change_end(change, &(Outcome){});
}

/* Takes the candidate (NULL: a removal) over. */
static void commit(Verb *verb, Pool *pool) {
        Lifecycle *l = verb->lifecycle;
        PoolChange *change = calloc(1, sizeof *change);
        int r;

        if (!change) {
                pool_free(pool);
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        change->verb = verb;
        change->pool = pool;
        l->pools.is_changing = true;
        l->n_operations++;
        CRASH_POINT(POOL_BEFORE_RECORD);
        r = pool ? store_put_pool(l->store, pool, on_recorded, change)
                 : store_remove_pool(l->store, verb->pool, on_removed, change);
        if (r < 0) {
                Outcome outcome = {};

                (void) failure_set(&outcome.failure, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                change_end(change, &outcome);
        }
}

/* With the identity of the one that is there. */
static void commit_spec(Verb *verb, const Pool *known) {
        Pool *pool;

        if (pool_new(verb->pool, verb->pool_spec, clock_realtime_usec(), &pool) < 0) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        if (known) {
                strcpy(pool->uid, known->uid);
                pool->created_usec = known->created_usec;
        }
        commit(verb, pool);
}

static bool pool_spec_equal(const PoolSpec *a, const PoolSpec *b) {
        return a->low == b->low && a->high == b->high && a->on_return == b->on_return &&
               device_spec_equal(&a->device, &b->device);
}

static bool must_wait(Verb *verb) {
        Pools *pools = &verb->lifecycle->pools;

        if (pools->is_changing)
                STAILQ_INSERT_TAIL(&pools->waiting, verb, entry);
        return pools->is_changing;
}

static void set_run(Verb *verb) {
        Inventory *inv = verb->lifecycle->inventory;
        const Pool *pool = pool_find(inv, verb->pool);

        if (must_wait(verb))
                return;
        if (pool && !device_spec_equal(&pool->spec.device, &verb->pool_spec->device))
                verb_fail(verb, ERROR_ALREADY_EXISTS, EEXIST,
                          "Pool '%s' has another template, which cannot be changed: remove it first", pool->name);
        else if (pool && pool_spec_equal(&pool->spec, verb->pool_spec))
                verb_answer(verb, &(Outcome){ .pool = pool });
        else if (!pool && inv->n_pools >= POOLS_MAX)
                verb_fail(verb, ERROR_LIMIT_REACHED, ENOSPC, "There are %d pools, as many as there can be",
                          POOLS_MAX);
        else if (verb_may_operate(verb))
                commit_spec(verb, pool);
}

void lifecycle_set_pool(Lifecycle *l, const char *name, PoolSpec *spec, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, set_run, "", NULL, done, userdata);

        if (!verb) {
                pool_spec_done(spec);
                return;
        }
        strcpy(verb->pool, name);
        verb->pool_spec = malloc(sizeof *verb->pool_spec);
        if (!verb->pool_spec) {
                pool_spec_done(spec);
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        *verb->pool_spec = *spec;
        device_spec_init(&spec->device);
        verb_start(verb);
}

Pool *verb_find_pool(Verb *verb) {
        Pool *pool = pool_find(verb->lifecycle->inventory, verb->pool);

        if (!pool)
                verb_fail(verb, ERROR_POOL_NOT_FOUND, ENOENT, "There is no pool '%s'", verb->pool);
        return pool;
}

static void remove_run(Verb *verb) {
        if (!must_wait(verb) && verb_find_pool(verb) && verb_may_operate(verb))
                commit(verb, NULL);
}

void lifecycle_remove_pool(Lifecycle *l, const char *name, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, remove_run, "", NULL, done, userdata);

        if (!verb)
                return;
        strcpy(verb->pool, name);
        verb_start(verb);
}
