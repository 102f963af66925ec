/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* IDs as text, in the order they have: "40-48,17". A range is ascending; what comes down is written one by one. */

#include <stddef.h>
#include <stdint.h>

/* Allocated, for the caller to free; "" for none. NULL: out of memory. */
char *idlist_format(const uint32_t *ids, size_t n);

/* Reads back what idlist_format() writes, into at most max IDs. Returns 0, -EINVAL for what is no such list,
 * -ERANGE for an ID that is not below IDS_MAX, or -E2BIG. */
int idlist_parse(const char *text, uint32_t *ids, size_t max, size_t *ret_n);

typedef struct IdRange {
        uint32_t first, last;
} IdRange;

/* Takes the first range off a list and leaves *text behind it: at the next one, or at the end. Returns 1, 0 at the
 * end, -EINVAL, or -ERANGE. */
int idlist_next(const char **text, IdRange *ret);

/* Writes what is in one of two lists or in both, in ascending order, as text that fits (size: at least 24). If it
 * does not fit, ranges are joined with the IDs between them. What is no list counts as far as it is one. */
void idlist_merge(const char *a, const char *b, char *ret, size_t size);

/* The whole text is a list, maybe an empty one. Returns 0, -EINVAL, or -ERANGE. */
int idlist_check(const char *text);
