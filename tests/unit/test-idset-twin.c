/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random operations on an ID set and on a naive twin: an array with the state of each ID. The twin keeps the time
 * of every release, the set only a span of time, so the set may keep an ID in quarantine for one span longer. */
#include "inventory/idset.h"

#include <errno.h>

#include "unit.h"
#include "util/clock.h"

#define QUARANTINE (8 * USEC_PER_SEC)
#define SPAN       (QUARANTINE / 4)

/* Each assertion of Check writes to a file, which is too slow for millions of them. */
#define REQUIRE(condition)                                                                                         \
        do {                                                                                                       \
                if (!(condition))                                                                                  \
                        ck_abort_msg("not so: %s", #condition);                                                    \
        } while (0)

typedef enum State {
        FRESH,
        HELD,
        RELEASED,
        STALE, /* touched and past the end */
} State;

typedef struct Twin {
        uint32_t n, n_max;
        uint64_t now;
        uint8_t *state;
        bool *reserved;
        uint64_t *end; /* of the quarantine */
        uint32_t *held;
        uint32_t *place; /* of an ID among the held ones */
        uint32_t n_held;
        uint32_t n_fresh; /* below n and not reserved, as are the next */
        uint32_t n_released;
        uint32_t n_reserved; /* and not held */
        uint32_t low;        /* no fresh one below */
        uint32_t n_refused;
} Twin;

static void twin_init(Twin *t, uint32_t n, uint32_t n_max) {
        *t = (Twin){ .n = n, .n_max = n_max, .now = USEC_PER_SEC, .n_fresh = n };
        t->state = calloc(n_max, 1);
        t->reserved = calloc(n_max, sizeof(bool));
        t->end = calloc(n_max, sizeof(uint64_t));
        t->held = calloc(n_max, sizeof(uint32_t));
        t->place = calloc(n_max, sizeof(uint32_t));
        REQUIRE(t->state && t->reserved && t->end && t->held && t->place);
}

static void twin_done(Twin *t) {
        free(t->state);
        free(t->reserved);
        free(t->end);
        free(t->held);
        free(t->place);
}

/* Counts an ID in or out, where it counts at all. */
static void twin_count(Twin *t, uint32_t id, int sign) {
        if (id >= t->n || t->state[id] == HELD)
                return;
        if (t->reserved[id])
                t->n_reserved += (uint32_t) sign;
        else if (t->state[id] == FRESH)
                t->n_fresh += (uint32_t) sign;
        else
                t->n_released += (uint32_t) sign;
}

static void twin_set(Twin *t, uint32_t id, State state) {
        twin_count(t, id, -1);
        if (t->state[id] == HELD) {
                uint32_t last = t->held[--t->n_held];

                t->held[t->place[id]] = last;
                t->place[last] = t->place[id];
        }
        if (state == HELD) {
                t->place[id] = t->n_held;
                t->held[t->n_held++] = id;
        }
        t->state[id] = (uint8_t) state;
        if (state == FRESH && id < t->low)
                t->low = id;
        twin_count(t, id, 1);
}

static uint32_t twin_lowest_fresh(Twin *t) {
        while (t->state[t->low] != FRESH || t->reserved[t->low])
                t->low++;
        return t->low;
}

static void release(Twin *t, IdSet *set, uint32_t id) {
        idset_release(set, id, t->now);
        t->end[id] = t->now + QUARANTINE;
        twin_set(t, id, RELEASED);
}

static void acquire(Twin *t, IdSet *set) {
        uint32_t id;
        int r = idset_acquire(set, t->now, &id);

        if (t->n_fresh > 0)
                REQUIRE(r == 0 && id == twin_lowest_fresh(t));
        if (r == -ENOSPC && ++t->n_refused % 64 != 1)
                return;
        if (r == -ENOSPC) {
                for (uint32_t i = 0; i < t->n; i++)
                        REQUIRE(t->state[i] != RELEASED || t->reserved[i] || t->end[i] + SPAN > t->now);
                return;
        }

        REQUIRE(r == 0);
        REQUIRE(id < t->n);
        REQUIRE(t->state[id] != HELD);
        REQUIRE(!t->reserved[id]);
        REQUIRE(t->state[id] == FRESH || t->end[id] <= t->now);
        twin_set(t, id, HELD);
}

static void acquire_id(Twin *t, IdSet *set, uint32_t id) {
        int r = idset_acquire_id(set, id);

        REQUIRE(r == (t->state[id] == HELD ? -EEXIST : 0));
        if (r == 0)
                twin_set(t, id, HELD);
}

static void reserve(Twin *t, IdSet *set, uint32_t first, uint32_t last) {
        REQUIRE(idset_reserve(set, first, last) == 0);
        for (uint32_t id = first; id <= last; id++) {
                twin_count(t, id, -1);
                t->reserved[id] = true;
                twin_count(t, id, 1);
        }
}

/* What is not held and was so before goes through quarantine from now on. */
static void make_available(Twin *t, uint32_t id) {
        if (t->state[id] == FRESH && id < t->low)
                t->low = id;
        if (t->state[id] == RELEASED || t->state[id] == STALE) {
                t->state[id] = RELEASED;
                t->end[id] = t->now + QUARANTINE;
        }
}

static void unreserve_all(Twin *t, IdSet *set) {
        idset_unreserve_all(set, t->now);
        for (uint32_t id = 0; id < t->n_max; id++)
                if (t->reserved[id]) {
                        twin_count(t, id, -1);
                        t->reserved[id] = false;
                        if (id < t->n)
                                make_available(t, id);
                        twin_count(t, id, 1);
                }
}

static void resize(Twin *t, IdSet *set, uint32_t n) {
        uint32_t old = t->n;

        idset_resize(set, n, t->now);
        for (uint32_t id = n; id < old; id++)
                twin_count(t, id, -1);
        t->n = n;
        for (uint32_t id = old; id < n; id++) {
                if (!t->reserved[id])
                        make_available(t, id);
                twin_count(t, id, 1);
        }
}

static void check(Twin *t, IdSet *set, bool thoroughly) {
        IdUsage u = idset_usage(set, t->now);
        uint32_t n_surplus = 0, extent = t->n, n_least = 0, n_most = 0;

        for (uint32_t id = t->n; id < t->n_max; id++)
                if (t->state[id] == HELD) {
                        n_surplus++;
                        extent = id + 1;
                }
        if (n_surplus > 0)
                REQUIRE(u.total >= extent);
        else
                REQUIRE(u.total == t->n);
        REQUIRE(idset_n_surplus(set) == n_surplus);
        REQUIRE(u.total == u.reserved + u.used + u.quarantined + u.free);
        REQUIRE(u.used == t->n_held);
        REQUIRE(u.reserved == t->n_reserved + (u.total - t->n - n_surplus));
        REQUIRE(u.quarantined + u.free == t->n_fresh + t->n_released);
        if (!thoroughly)
                return;

        for (uint32_t id = 0; id < t->n_max; id++) {
                REQUIRE(idset_is_held(set, id) == (t->state[id] == HELD));
                if (id < t->n && t->state[id] == RELEASED && !t->reserved[id]) {
                        n_least += t->end[id] > t->now;
                        n_most += t->end[id] + SPAN > t->now;
                }
        }
        REQUIRE(u.quarantined >= n_least);
        REQUIRE(u.quarantined <= n_most);
}

static void step(Twin *t, IdSet *set, uint32_t phase) {
        uint32_t n = unit_random(1000);

        t->now += unit_random(200 * 1000);
        if (n < (phase % 2 ? 300 : 600))
                acquire(t, set);
        else if (n < 940 && t->n_held > 0)
                release(t, set, t->held[unit_random(t->n_held)]);
        else if (n < 970)
                acquire_id(t, set, unit_random(t->n_max));
        else if (n < 990 && t->n_held > 0) {
                uint32_t id = t->held[unit_random(t->n_held)];

                idset_put_back(set, id);
                twin_set(t, id, id < t->n && !t->reserved[id] ? FRESH : RELEASED);
        }
}

START_TEST(test_small) {
        enum { N = 300, N_MAX = 400 };
        Twin t;
        _cleanup_(idset_freep) IdSet *set = NULL;

        twin_init(&t, N, N_MAX);
        REQUIRE(idset_new(N, QUARANTINE, &set) == 0);
        for (uint32_t i = 0; i < (unit_is_slow() ? 20000u : 300000u); i++) {
                step(&t, set, i / 1000);
                if (unit_random(500) == 0) {
                        uint32_t first = unit_random(N_MAX), last = first + unit_random(20);

                        reserve(&t, set, first, last < N_MAX ? last : N_MAX - 1);
                }
                if (unit_random(3000) == 0)
                        unreserve_all(&t, set);
                if (unit_random(1000) == 0)
                        resize(&t, set, unit_random(N_MAX + 1));
                check(&t, set, i % 16 == 0);
        }
        twin_done(&t);
}
END_TEST

/* All PASIDs: filled, a random half released, filled again, several times over. */
START_TEST(test_large) {
        Twin t;
        _cleanup_(idset_freep) IdSet *set = NULL;
        uint32_t n = unit_is_slow() ? 1u << 14 : PASIDS_MAX;

        twin_init(&t, n, n);
        REQUIRE(idset_new(n, QUARANTINE, &set) == 0);
        reserve(&t, set, 0, 99);
        for (uint32_t round = 0; round < 3; round++) {
                while (t.n_held < n - 100) {
                        acquire(&t, set);
                        t.now += 1;
                }
                check(&t, set, true);
                for (uint32_t i = 0; i < n / 2; i++) {
                        release(&t, set, t.held[unit_random(t.n_held)]);
                        t.now += 40;
                }
                check(&t, set, true);
                t.now += QUARANTINE + SPAN;
        }
        for (uint32_t i = 0; i < n; i++)
                step(&t, set, i / (n / 4));
        check(&t, set, true);
        twin_done(&t);
}
END_TEST

static void add(TCase *tc) {
        tcase_set_timeout(tc, 120);
        tcase_add_test(tc, test_small);
        tcase_add_test(tc, test_large);
}

int main(void) {
        return unit_main("idset-twin", add);
}
