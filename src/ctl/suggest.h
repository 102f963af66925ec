/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a mistyped word was likely meant to be. */

#include <stddef.h>

typedef struct Suggestion {
        const char *word;
        const char *best; /* NULL while nothing is near */
        size_t distance;
} Suggestion;

/* Start with the word set; then offer every candidate. */
void suggestion_offer(Suggestion *s, const char *candidate);

/* Letters to insert, remove, change or swap with their neighbour to get from a to b; words of more than 31
 * letters are as far from each other as can be. */
size_t edit_distance(const char *a, const char *b);
