/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A set of numbers out of 0 to n - 1, one bit each, that finds the next member by one look at each of a few levels.
 * Its memory is zero until it is written to, so what is never used of a large set costs no page. */

#include <stdbool.h>
#include <stdint.h>

#include "util/macro.h"

#define BITSET_MAX       (UINT32_C(1) << 24)
#define BITSET_WORD_BITS 64u

typedef struct Bitset Bitset;

/* An empty set with room for n numbers (1 to BITSET_MAX). Returns 0, or -ENOMEM. */
int bitset_new(uint32_t n, Bitset **ret);
Bitset *bitset_free(Bitset *set);
DEFINE_CLEANUP(Bitset *, bitset_free)

/* Makes *set one with room for n numbers at least and the same members. Returns 0, or -ENOMEM with nothing changed.
 */
int bitset_grow(Bitset **set, uint32_t n);

uint32_t bitset_size(const Bitset *set);

/* i: below the size. Adding a member, or removing what is none, changes nothing. */
bool bitset_has(const Bitset *set, uint32_t i);
void bitset_add(Bitset *set, uint32_t i);
void bitset_remove(Bitset *set, uint32_t i);

/* The lowest member that is not below from, which may be past the end. False: there is none. */
bool bitset_next(const Bitset *set, uint32_t from, uint32_t *ret);

/* The members among the numbers from w * BITSET_WORD_BITS on; past the end there are none. */
uint64_t bitset_word(const Bitset *set, uint32_t w);
