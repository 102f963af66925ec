/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A tree of bitmaps, 64 children a word. A bit of the lowest level says that the number is taken, a bit above that
 * the word below it is full, so that the lowest free number is found by one look at each level. */
#include "sim/idmap.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

#define LEVELS    4u
#define WORD_BITS 64u

struct Idmap {
        uint64_t *level[LEVELS];
        uint32_t n_bits[LEVELS]; /* that mean something; the rest of the last word is never set */
        uint64_t words[];
};

static uint32_t words_for(uint32_t n_bits) {
        return (n_bits + WORD_BITS - 1) / WORD_BITS;
}

int idmap_new(uint32_t n, Idmap **ret) {
        uint32_t n_bits[LEVELS], n_words = 0;
        uint64_t *next;
        Idmap *map;

        assert(n > 0 && n <= IDMAP_MAX);

        for (unsigned l = 0; l < LEVELS; l++) {
                n_bits[l] = n;
                n = words_for(n);
                n_words += n;
        }

        map = calloc(1, sizeof *map + n_words * sizeof map->words[0]);
        if (!map)
                return -ENOMEM;

        next = map->words;
        for (unsigned l = 0; l < LEVELS; l++) {
                map->n_bits[l] = n_bits[l];
                map->level[l] = next;
                next += words_for(n_bits[l]);
        }

        *ret = map;
        return 0;
}

Idmap *idmap_free(Idmap *map) {
        free(map);
        return NULL;
}

static bool bit_is_set(const Idmap *map, unsigned level, uint32_t i) {
        return map->level[level][i / WORD_BITS] & (UINT64_C(1) << (i % WORD_BITS));
}

static void idmap_set(Idmap *map, uint32_t id) {
        for (unsigned l = 0; l < LEVELS; l++) {
                uint64_t *word = &map->level[l][id / WORD_BITS];

                *word |= UINT64_C(1) << (id % WORD_BITS);
                if (*word != UINT64_MAX)
                        return;
                id /= WORD_BITS;
        }
}

int idmap_acquire(Idmap *map, uint32_t *ret) {
        uint32_t i = 0;

        for (unsigned l = LEVELS; l-- > 0;) {
                uint64_t word = map->level[l][i];

                if (word == UINT64_MAX)
                        return -ENOSPC;
                i = i * WORD_BITS + (uint32_t) __builtin_ctzll(~word);
                if (i >= map->n_bits[l])
                        return -ENOSPC;
        }

        idmap_set(map, i);
        *ret = i;
        return 0;
}

int idmap_acquire_id(Idmap *map, uint32_t id) {
        if (id >= map->n_bits[0])
                return -ERANGE;
        if (bit_is_set(map, 0, id))
                return -EEXIST;

        idmap_set(map, id);
        return 0;
}

void idmap_release(Idmap *map, uint32_t id) {
        assert(id < map->n_bits[0] && bit_is_set(map, 0, id));

        for (unsigned l = 0; l < LEVELS; l++) {
                uint64_t *word = &map->level[l][id / WORD_BITS];
                bool was_full = *word == UINT64_MAX;

                *word &= ~(UINT64_C(1) << (id % WORD_BITS));
                if (!was_full)
                        return;
                id /= WORD_BITS;
        }
}
