/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORD_MAX 31

static size_t least(size_t a, size_t b, size_t c) {
        size_t ab = a < b ? a : b;

        return ab < c ? ab : c;
}

size_t edit_distance(const char *a, const char *b) {
        size_t n_a = strlen(a), n_b = strlen(b), d[WORD_MAX + 1][WORD_MAX + 1];

        if (n_a > WORD_MAX || n_b > WORD_MAX)
                return SIZE_MAX;

        for (size_t i = 0; i <= n_a; i++)
                for (size_t k = 0; k <= n_b; k++) {
                        if (i == 0 || k == 0) {
                                d[i][k] = i + k;
                                continue;
                        }
                        d[i][k] = least(d[i - 1][k] + 1, d[i][k - 1] + 1, d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
                        if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                                d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1, SIZE_MAX);
                }
        return d[n_a][n_b];
}

void suggestion_offer(Suggestion *s, const char *candidate) {
        bool is_prefix = s->word[0] && strncmp(candidate, s->word, strlen(s->word)) == 0;
        size_t distance = is_prefix ? 0 : edit_distance(s->word, candidate);

        /* Two letters off, but not two of three. */
        if (distance <= 2 && distance < (strlen(candidate) + 1) / 2 && (!s->best || distance < s->distance)) {
                s->best = candidate;
                s->distance = distance;
        }
}
