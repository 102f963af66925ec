/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each ID is in one of these states:
 *   fresh     in no set: never held, as far as is known
 *   held      in "touched" and "held"
 *   released  in "touched" and in one batch of the ring
 *   reserved  in "reserved", and neither held nor in a batch
 *   past      not below n, and touched but in no batch: nobody gets it, unless the set grows again
 *
 * A batch is what was released in one span of time. Batches are in the order of time, and each is out of quarantine
 * as a whole, when the last ID in it is. There are never more than six spans in one quarantine, so in a full ring
 * the two oldest ones are out of it and can be merged. */
#include "inventory/idset.h"

#include <assert.h>
#include <errno.h>

#include "util/bitset.h"
#include "util/clock.h"

#define BATCHES       8u
#define SPANS         4u /* in a quarantine */
#define SPAN_MIN_USEC USEC_PER_SEC
#define FIRST_SIZE    64u

typedef struct Batch {
        Bitset *ids; /* NULL: was never needed */
        uint32_t n;
        uint64_t first_end_usec; /* of the quarantine of the first ID in it, and of the last */
        uint64_t last_end_usec;
} Batch;

struct IdSet {
        uint32_t n;        /* IDs from here on are never handed out */
        uint32_t extent;   /* n, or the end of what was held past it when the set shrank */
        uint32_t capacity; /* the size of every bitmap that is there */
        uint64_t quarantine_usec;

        Bitset *held;
        Bitset *touched;
        Bitset *reserved;
        uint32_t first_fresh; /* there is no fresh one below */

        uint32_t n_held;    /* all of them */
        uint32_t n_surplus; /* of those, past the end */
        uint32_t n_reserved;

        Batch ring[BATCHES];
        unsigned oldest;
        unsigned n_batches;
};

static uint32_t min(uint32_t a, uint32_t b) {
        return a < b ? a : b;
}

static Batch *batch_at(IdSet *set, unsigned i) {
        return &set->ring[(set->oldest + i) % BATCHES];
}

/* Makes room for an ID. The size doubles, so that growing costs little for each ID. */
static int ensure(IdSet *set, uint32_t id) {
        uint32_t capacity = set->capacity;

        if (id < capacity)
                return 0;
        while (capacity <= id)
                capacity *= 2;

        if (bitset_grow(&set->held, capacity) < 0 || bitset_grow(&set->touched, capacity) < 0 ||
            bitset_grow(&set->reserved, capacity) < 0)
                return -ENOMEM;
        for (unsigned i = 0; i < BATCHES; i++)
                if (set->ring[i].ids && bitset_grow(&set->ring[i].ids, capacity) < 0)
                        return -ENOMEM;

        set->capacity = capacity;
        return 0;
}

int idset_new(uint32_t n, uint64_t quarantine_usec, IdSet **ret) {
        _cleanup_(idset_freep) IdSet *set = NULL;

        assert(n <= IDS_MAX);

        set = calloc(1, sizeof *set);
        if (!set)
                return -ENOMEM;
        set->capacity = FIRST_SIZE;
        if (bitset_new(FIRST_SIZE, &set->held) < 0 || bitset_new(FIRST_SIZE, &set->touched) < 0 ||
            bitset_new(FIRST_SIZE, &set->reserved) < 0 || bitset_new(FIRST_SIZE, &set->ring[0].ids) < 0)
                return -ENOMEM;

        set->n = set->extent = n;
        set->quarantine_usec = quarantine_usec;
        *ret = TAKE_PTR(set);
        return 0;
}

IdSet *idset_free(IdSet *set) {
        if (!set)
                return NULL;

        bitset_free(set->held);
        bitset_free(set->touched);
        bitset_free(set->reserved);
        for (unsigned i = 0; i < BATCHES; i++)
                bitset_free(set->ring[i].ids);
        free(set);
        return NULL;
}

/* The second oldest gets both. */
static void merge_oldest(IdSet *set) {
        Batch *a = batch_at(set, 0), *b = batch_at(set, 1);
        uint32_t id = 0;

        if (a->n > b->n) {
                Batch swap = *a;

                a->ids = b->ids;
                a->n = b->n;
                b->ids = swap.ids;
                b->n = swap.n;
        }
        for (; a->n > 0 && bitset_next(a->ids, id, &id); a->n--, b->n++) {
                bitset_remove(a->ids, id);
                bitset_add(b->ids, id);
        }

        set->oldest = (set->oldest + 1) % BATCHES;
        set->n_batches--;
}

static void drop_empty(IdSet *set) {
        while (set->n_batches > 0 && batch_at(set, 0)->n == 0) {
                set->oldest = (set->oldest + 1) % BATCHES;
                set->n_batches--;
        }
}

/* The batch for what is out of quarantine at end: the newest one, or a new one. Without memory for a new one the
 * newest has to do, and there is always memory for the first one. */
static Batch *batch_for(IdSet *set, uint64_t end) {
        uint64_t span = set->quarantine_usec / SPANS;
        Batch *newest, *next;

        if (span < SPAN_MIN_USEC)
                span = SPAN_MIN_USEC;
        drop_empty(set);
        if (set->n_batches == 0)
                set->oldest = 0;
        newest = set->n_batches > 0 ? batch_at(set, set->n_batches - 1) : NULL;
        if (newest && end < newest->first_end_usec + span)
                return newest;

        if (set->n_batches == BATCHES)
                merge_oldest(set);
        next = batch_at(set, set->n_batches);
        if (!next->ids && bitset_new(set->capacity, &next->ids) < 0) {
                assert(newest);
                return newest;
        }
        next->n = 0;
        next->first_end_usec = next->last_end_usec = end;
        set->n_batches++;
        return next;
}

static void add_released(IdSet *set, uint32_t id, uint64_t end) {
        Batch *batch = batch_for(set, end);

        bitset_add(batch->ids, id);
        batch->n++;
        if (batch->last_end_usec < end)
                batch->last_end_usec = end;
}

static bool remove_released(IdSet *set, uint32_t id) {
        for (unsigned i = 0; i < set->n_batches; i++) {
                Batch *batch = batch_at(set, i);

                if (batch->n > 0 && bitset_has(batch->ids, id)) {
                        bitset_remove(batch->ids, id);
                        batch->n--;
                        return true;
                }
        }

        return false;
}

/* The lowest one that is neither touched nor reserved. */
static bool find_fresh(IdSet *set, uint32_t *ret) {
        uint32_t id = set->first_fresh;

        while (id < set->n) {
                uint32_t w = id / BITSET_WORD_BITS;
                uint64_t word = ~(bitset_word(set->touched, w) | bitset_word(set->reserved, w)) &
                                (UINT64_MAX << (id % BITSET_WORD_BITS));

                id = word ? w * BITSET_WORD_BITS + (uint32_t) __builtin_ctzll(word) : (w + 1) * BITSET_WORD_BITS;
                if (word)
                        break;
        }

        set->first_fresh = id < set->n ? id : set->n;
        *ret = id;
        return id < set->n;
}

static void hold(IdSet *set, uint32_t id) {
        bitset_add(set->touched, id);
        bitset_add(set->held, id);
        set->n_held++;
}

int idset_acquire(IdSet *set, uint64_t now, uint32_t *ret) {
        Batch *batch;
        uint32_t id;

        if (find_fresh(set, &id)) {
                if (ensure(set, id) < 0)
                        return -ENOMEM;
        } else {
                drop_empty(set);
                batch = batch_at(set, 0);
                if (set->n_batches == 0 || batch->last_end_usec > now || !bitset_next(batch->ids, 0, &id))
                        return -ENOSPC;
                bitset_remove(batch->ids, id);
                batch->n--;
        }

        hold(set, id);
        *ret = id;
        return 0;
}

int idset_acquire_id(IdSet *set, uint32_t id) {
        if (id >= IDS_MAX)
                return -ERANGE;
        if (ensure(set, id) < 0)
                return -ENOMEM;
        if (bitset_has(set->held, id))
                return -EEXIST;

        if (id >= set->n) {
                set->n_surplus++;
                if (set->extent <= id)
                        set->extent = id + 1;
        } else if (bitset_has(set->reserved, id))
                set->n_reserved--;
        else
                (void) remove_released(set, id);

        hold(set, id);
        return 0;
}

/* Takes an ID from its holder. Returns true if it goes back to those that can be handed out. */
static bool let_go(IdSet *set, uint32_t id) {
        assert(idset_is_held(set, id));

        bitset_remove(set->held, id);
        set->n_held--;
        if (id >= set->n) {
                set->n_surplus--;
                if (set->n_surplus == 0)
                        set->extent = set->n;
                return false;
        }
        if (bitset_has(set->reserved, id)) {
                set->n_reserved++;
                return false;
        }
        return true;
}

void idset_release(IdSet *set, uint32_t id, uint64_t now) {
        if (let_go(set, id))
                add_released(set, id, now + set->quarantine_usec);
}

int idset_quarantine(IdSet *set, uint32_t id, uint64_t left_usec, uint64_t now) {
        if (id >= IDS_MAX)
                return -ERANGE;
        if (ensure(set, id) < 0)
                return -ENOMEM;
        if (bitset_has(set->touched, id))
                return 0;

        bitset_add(set->touched, id);
        if (id < set->n && !bitset_has(set->reserved, id))
                add_released(set, id, now + left_usec);
        return 0;
}

static void make_fresh(IdSet *set, uint32_t id) {
        bitset_remove(set->touched, id);
        set->first_fresh = min(set->first_fresh, id);
}

void idset_put_back(IdSet *set, uint32_t id) {
        if (let_go(set, id))
                make_fresh(set, id);
}

bool idset_is_held(const IdSet *set, uint32_t id) {
        return id < set->capacity && bitset_has(set->held, id);
}

int idset_make_room(IdSet *set, uint32_t n) {
        return n > 0 ? ensure(set, n - 1) : 0;
}

int idset_reserve(IdSet *set, uint32_t first, uint32_t last) {
        assert(first <= last && last < IDS_MAX);

        if (ensure(set, last) < 0)
                return -ENOMEM;

        for (uint32_t id = first; id <= last; id++) {
                if (bitset_has(set->reserved, id))
                        continue;
                bitset_add(set->reserved, id);
                if (id >= set->n || bitset_has(set->held, id))
                        continue;
                set->n_reserved++;
                if (bitset_has(set->touched, id))
                        (void) remove_released(set, id);
        }

        return 0;
}

/* Of one that nobody holds and that is touched, nobody knows any more when it was released. */
static void make_available(IdSet *set, uint32_t id, uint64_t now) {
        if (bitset_has(set->touched, id))
                add_released(set, id, now + set->quarantine_usec);
        else
                set->first_fresh = min(set->first_fresh, id);
}

void idset_unreserve_all(IdSet *set, uint64_t now) {
        for (uint32_t id = 0; bitset_next(set->reserved, id, &id);) {
                bitset_remove(set->reserved, id);
                if (id < set->n && !bitset_has(set->held, id))
                        make_available(set, id, now);
        }
        set->n_reserved = 0;
}

static void count_past_end(IdSet *set) {
        set->n_surplus = 0;
        set->extent = set->n;
        for (uint32_t id = set->n; bitset_next(set->held, id, &id); id++) {
                set->n_surplus++;
                set->extent = id + 1;
        }
}

static void count_reserved(IdSet *set) {
        set->n_reserved = 0;
        for (uint32_t w = 0; w * BITSET_WORD_BITS < min(set->n, set->capacity); w++) {
                uint64_t word = bitset_word(set->reserved, w) & ~bitset_word(set->held, w);
                uint32_t n_left = set->n - w * BITSET_WORD_BITS;

                if (n_left < BITSET_WORD_BITS)
                        word &= (UINT64_C(1) << n_left) - 1;
                set->n_reserved += (uint32_t) __builtin_popcountll(word);
        }
}

void idset_resize(IdSet *set, uint32_t n, uint64_t now) {
        uint32_t old = set->n, id;

        assert(n <= IDS_MAX);

        set->n = n;
        for (unsigned i = 0; i < set->n_batches; i++) {
                Batch *batch = batch_at(set, i);

                for (id = n; batch->n > 0 && bitset_next(batch->ids, id, &id); batch->n--)
                        bitset_remove(batch->ids, id);
        }
        for (id = old; bitset_next(set->touched, id, &id) && id < n; id++)
                if (!bitset_has(set->held, id) && !bitset_has(set->reserved, id))
                        make_available(set, id, now);
        count_past_end(set);
        count_reserved(set);
}

IdUsage idset_usage(const IdSet *set, uint64_t now) {
        IdUsage usage = {
                .total = set->extent,
                .used = set->n_held,
                .reserved = set->n_reserved + (set->extent - set->n - set->n_surplus),
        };

        for (unsigned i = 0; i < set->n_batches; i++) {
                const Batch *batch = &set->ring[(set->oldest + i) % BATCHES];

                if (batch->last_end_usec > now)
                        usage.quarantined += batch->n;
        }
        usage.free = usage.total - usage.used - usage.reserved - usage.quarantined;
        return usage;
}

uint32_t idset_n_surplus(const IdSet *set) {
        return set->n_surplus;
}
