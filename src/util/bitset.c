/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A tree of bitmaps, 64 children a word: a bit of the lowest level is a member, a bit above that says that the word
 * below it has a bit set. */
#include "util/bitset.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define LEVELS 4u

struct Bitset {
        uint64_t *level[LEVELS];
        uint32_t n_words[LEVELS];
        uint32_t n;
        uint64_t words[];
};

static uint32_t words_for(uint32_t n_bits) {
        return (n_bits + BITSET_WORD_BITS - 1) / BITSET_WORD_BITS;
}

static uint64_t bit(uint32_t i) {
        return UINT64_C(1) << (i % BITSET_WORD_BITS);
}

int bitset_new(uint32_t n, Bitset **ret) {
        uint32_t n_words[LEVELS], n_bits = n;
        size_t n_all = 0;
        uint64_t *next;
        Bitset *set;

        assert(n > 0 && n <= BITSET_MAX);

        for (unsigned l = 0; l < LEVELS; l++) {
                n_bits = n_words[l] = words_for(n_bits);
                n_all += n_words[l];
        }

        set = calloc(1, sizeof *set + n_all * sizeof set->words[0]);
        if (!set)
                return -ENOMEM;

        next = set->words;
        set->n = n;
        for (unsigned l = 0; l < LEVELS; l++) {
                set->n_words[l] = n_words[l];
                set->level[l] = next;
                next += n_words[l];
        }

        *ret = set;
        return 0;
}

Bitset *bitset_free(Bitset *set) {
        free(set);
        return NULL;
}

int bitset_grow(Bitset **set, uint32_t n) {
        Bitset *grown;

        if (n <= (*set)->n)
                return 0;
        if (bitset_new(n, &grown) < 0)
                return -ENOMEM;

        /* Word by word, and only those that have something: the rest shall stay untouched. */
        for (unsigned l = 0; l < LEVELS; l++)
                for (uint32_t w = 0; w < (*set)->n_words[l]; w++)
                        if ((*set)->level[l][w])
                                grown->level[l][w] = (*set)->level[l][w];

        bitset_free(*set);
        *set = grown;
        return 0;
}

uint32_t bitset_size(const Bitset *set) {
        return set->n;
}

bool bitset_has(const Bitset *set, uint32_t i) {
        assert(i < set->n);
        return set->level[0][i / BITSET_WORD_BITS] & bit(i);
}

void bitset_add(Bitset *set, uint32_t i) {
        assert(i < set->n);

        for (unsigned l = 0; l < LEVELS; l++) {
                uint64_t *word = &set->level[l][i / BITSET_WORD_BITS];
                bool was_empty = *word == 0;

                *word |= bit(i);
                if (!was_empty)
                        return;
                i /= BITSET_WORD_BITS;
        }
}

void bitset_remove(Bitset *set, uint32_t i) {
        assert(i < set->n);

        for (unsigned l = 0; l < LEVELS; l++) {
                uint64_t *word = &set->level[l][i / BITSET_WORD_BITS];

                *word &= ~bit(i);
                if (*word)
                        return;
                i /= BITSET_WORD_BITS;
        }
}

/* Up until a word has a bit at or behind the place, then down along the first bits. */
bool bitset_next(const Bitset *set, uint32_t from, uint32_t *ret) {
        uint32_t i = from;

        for (unsigned l = 0; l < LEVELS; l++) {
                uint32_t w = i / BITSET_WORD_BITS;
                uint64_t word = w < set->n_words[l] ? set->level[l][w] & (UINT64_MAX << (i % BITSET_WORD_BITS)) : 0;

                if (!word) {
                        i = w + 1;
                        continue;
                }

                i = w * BITSET_WORD_BITS + (uint32_t) __builtin_ctzll(word);
                while (l-- > 0)
                        i = i * BITSET_WORD_BITS + (uint32_t) __builtin_ctzll(set->level[l][i]);
                *ret = i;
                return true;
        }

        return false;
}

uint64_t bitset_word(const Bitset *set, uint32_t w) {
        return w < set->n_words[0] ? set->level[0][w] : 0;
}
