/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps pools filled. A device of a pool is created as if a request had asked for it, and is held by the pool from
 * the first record on: so whatever becomes of the daemon, it is known whose it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/pool.h"
#include "lifecycle/release.h"
#include "util/clock.h"
#include "util/log.h"

/* Enough to keep the backend busy while nobody else does; beside requests, one. */
#define MAKING_MAX 2

#define RETRY_MAX_USEC (60 * USEC_PER_SEC)

/* One that is on its way. */
typedef struct Making {
        Lifecycle *lifecycle; /* weak */
        char holder[HOLDER_MAX];
} Making;

static void note_failure(Pool *pool, const Failure *failure) {
        unsigned n = pool->n_failures < 6 ? pool->n_failures : 6;
        uint64_t pause = USEC_PER_SEC << n;

        if (pool->n_failures++ == 0)
                log_warning("Pool %s: it cannot be filled: %s", pool->name, failure->detail);
        pool_set_reason(pool, failure);
        pool->retry_usec = clock_monotonic_usec() + (pause < RETRY_MAX_USEC ? pause : RETRY_MAX_USEC);
}

static void note_success(Pool *pool) {
        if (pool->n_failures > 0)
                log_notice("Pool %s: it can be filled again", pool->name);
        pool->n_failures = 0;
        pool->retry_usec = 0;
        pool_set_reason(pool, NULL);
}

static void on_made(void *userdata, const Outcome *outcome) {
        Making *making = userdata;
        Lifecycle *l = making->lifecycle;
        Pool *pool = NULL;

        l->pools.n_making--;
        (void) pool_find_by_holder(l->inventory, making->holder, &pool);
        if (!pool)
                lifecycle_release_holder(l, making->holder);
        else {
                pool->n_making--;
                if (outcome->failure.code == ERROR_NONE)
                        note_success(pool);
                else if (!l->stopping)
                        note_failure(pool, &outcome->failure);
        }
        free(making);
}

/* The pool's name and the random end of a fresh uid. */
static void generate_name(Inventory *inv, const Pool *pool, char ret[static DEVICE_NAME_MAX]) {
        do {
                char uid[UID_TEXT_MAX];

                uid_generate(clock_realtime_usec(), uid);
                (void) snprintf(ret, DEVICE_NAME_MAX, "%s-%s", pool->name, uid + strlen(uid) - 12);
        } while (inventory_find_device(inv, ret));
}

static void make(Lifecycle *l, Pool *pool) {
        Making *making = calloc(1, sizeof *making);
        char name[DEVICE_NAME_MAX];
        DeviceSpec spec;
        Failure f;

        device_spec_init(&spec);
        if (!making || device_spec_copy(&pool->spec.device, &spec) < 0) {
                free(making);
                (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for another device");
                note_failure(pool, &f);
                return;
        }

        making->lifecycle = l;
        pool_format_holder(pool, making->holder);
        generate_name(l->inventory, pool, name);
        l->pools.n_making++;
        pool->n_making++;
        lifecycle_create_held_device(l, name, &spec, making->holder, NULL, on_made, making);
}

static bool has_room(const Lifecycle *l) {
        size_t n_others = l->n_operations - l->n_own_operations;
        unsigned max = n_others > l->pools.n_making ? 1 : MAKING_MAX;

        return l->pools.n_making < max && l->n_operations < l->max_operations;
}

static bool wants_more(Lifecycle *l, Pool *pool, uint64_t now) {
        size_t n = pool_count(l->inventory, pool);

        if (n < pool->spec.low)
                pool->is_filling = true;
        else if (n >= pool->spec.high)
                pool->is_filling = false;
        return pool->is_filling && pool->retry_usec <= now;
}

/* Those with less than they should have come first. */
static Pool *choose(Lifecycle *l) {
        uint64_t now = clock_monotonic_usec();
        Pool *second = NULL;

        for (Pool *pool = pool_next(l->inventory, ""); pool; pool = pool_next(l->inventory, pool->name)) {
                if (!wants_more(l, pool, now))
                        continue;
                if (pool_count(l->inventory, pool) < pool->spec.low)
                        return pool;
                second = second ?: pool;
        }
        return second;
}

/* Sets the timer for the next pool that is to be tried again. */
static void arm(Lifecycle *l) {
        uint64_t now = clock_monotonic_usec(), next = UINT64_MAX;

        for (Pool *pool = pool_next(l->inventory, ""); pool; pool = pool_next(l->inventory, pool->name))
                if (pool->is_filling && pool->retry_usec > now && pool->retry_usec < next)
                        next = pool->retry_usec;
        if (next == UINT64_MAX)
                return;
        (void) sd_event_source_set_time_relative(l->pools.timer, next - now);
        (void) sd_event_source_set_enabled(l->pools.timer, SD_EVENT_ONESHOT);
}

void pools_continue(Lifecycle *l) {
        Pools *pools = &l->pools;
        Pool *pool;

        /* A creation that is refused ends at once, in here. */
        if (!l->ready || l->stopping || l->inventory->n_pools == 0 || pools->is_continuing ||
            (pools->is_idle && pools->n_let_go == l->inventory->n_let_go))
                return;

        pools->is_continuing = true;
        pools->is_idle = false;
        pools->n_let_go = l->inventory->n_let_go;
        while (!pools->is_idle && has_room(l)) {
                pool = choose(l);
                if (pool)
                        make(l, pool);
                else
                        pools->is_idle = true;
        }
        pools->is_continuing = false;
        if (pools->is_idle)
                arm(l);
}

void pools_look(Lifecycle *l) {
        l->pools.is_idle = false;
        pools_continue(l);
}

/* What became of the pool was not told to them before the daemon ended. */
static void release_orphans(Lifecycle *l) {
        char name[HOLDER_MAX] = "";
        const Holder *holder;
        Pool *pool;

        while ((holder = holder_next(&l->inventory->holders, name))) {
                /* With its last device a holder is freed. */
                strcpy(name, holder->name);
                if (pool_find_by_holder(l->inventory, name, &pool) && !pool)
                        lifecycle_release_holder(l, name);
        }
}

void pools_begin(Lifecycle *l) {
        /* Whether they were being filled is not recorded. */
        for (Pool *pool = pool_next(l->inventory, ""); pool; pool = pool_next(l->inventory, pool->name))
                pool->is_filling = true;
        release_orphans(l);
        pools_check(l);
}

static void check(Lifecycle *l, const Pool *pool) {
        char name[HOLDER_MAX];
        const Holder *holder;
        Device *device;

        pool_format_holder(pool, name);
        holder = holder_find(&l->inventory->holders, name);
        if (!holder)
                return;
        LIST_FOREACH(device, &holder->devices, held)
                if ((device->state == DEVICE_LOST || device->state == DEVICE_FAILED) && !device->operation)
                        release_add(l, device);
}

void pools_check(Lifecycle *l) {
        const size_t *n = l->inventory->n_states;

        if (!l->ready || l->stopping)
                return;
        if (n[DEVICE_LOST] + n[DEVICE_FAILED] > 0)
                for (Pool *pool = pool_next(l->inventory, ""); pool; pool = pool_next(l->inventory, pool->name))
                        check(l, pool);
        release_continue(l);
        pools_look(l);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        pools_look(userdata);
        return 0;
}

int pools_init(Lifecycle *l) {
        int r;

        STAILQ_INIT(&l->pools.waiting);
        r = sd_event_add_time_relative(l->event, &l->pools.timer, CLOCK_MONOTONIC, USEC_PER_SEC, USEC_PER_SEC / 10,
                                       on_timer, l);
        return r < 0 ? r : sd_event_source_set_enabled(l->pools.timer, SD_EVENT_OFF);
}

void pools_done(Lifecycle *l) {
        l->pools.timer = sd_event_source_disable_unref(l->pools.timer);
}
