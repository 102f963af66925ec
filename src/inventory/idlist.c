/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/idlist.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/resource.h"
#include "util/decimal.h"

#define DIGITS_MAX 10 /* of any ID */
#define RANGES_MAX (RANGES_TEXT_MAX / 2)

static size_t run_length(const uint32_t *ids, size_t n) {
        size_t k = 1;

        while (k < n && ids[k] == ids[0] + k)
                k++;
        return k;
}

char *idlist_format(const uint32_t *ids, size_t n) {
        size_t size = 1, n_runs = 0;
        char *text, *p;

        for (size_t i = 0; i < n; i += run_length(ids + i, n - i))
                n_runs++;
        size += n_runs * (2 * DIGITS_MAX + 2);
        text = p = malloc(size);
        if (!text)
                return NULL;

        for (size_t i = 0, k; i < n; i += k) {
                k = run_length(ids + i, n - i);
                if (i > 0)
                        *p++ = ',';
                p = decimal_write(p, ids[i]);
                if (k > 1) {
                        *p++ = '-';
                        p = decimal_write(p, ids[i + k - 1]);
                }
        }
        *p = '\0';
        return text;
}

/* Digits only: no sign, no blank, no zero in front. */
static int take_id(const char **text, uint32_t *ret) {
        const char *p = *text;
        uint32_t id = 0;

        if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
                return -EINVAL;
        for (; *p >= '0' && *p <= '9'; p++) {
                id = id * 10 + (uint32_t) (*p - '0');
                if (id >= IDS_MAX)
                        return -ERANGE;
        }

        *text = p;
        *ret = id;
        return 0;
}

int idlist_next(const char **text, IdRange *ret) {
        const char *p = *text;
        IdRange range;
        int r;

        if (!*p)
                return 0;

        r = take_id(&p, &range.first);
        if (r < 0)
                return r;
        range.last = range.first;
        if (*p == '-') {
                p++;
                r = take_id(&p, &range.last);
                if (r < 0)
                        return r;
                if (range.last <= range.first)
                        return -EINVAL;
        }
        if (*p && (*p != ',' || !p[1]))
                return -EINVAL;

        *text = *p ? p + 1 : p;
        *ret = range;
        return 1;
}

int idlist_parse(const char *text, uint32_t *ids, size_t max, size_t *ret_n) {
        IdRange range;
        size_t n = 0;
        int r;

        while ((r = idlist_next(&text, &range)) > 0) {
                if (range.last - range.first >= max - n)
                        return -E2BIG;
                for (uint32_t id = range.first; id <= range.last; id++)
                        ids[n++] = id;
        }
        if (r < 0)
                return r;

        *ret_n = n;
        return 0;
}

int idlist_check(const char *text) {
        IdRange range;
        int r;

        while ((r = idlist_next(&text, &range)) > 0)
                ;
        return r;
}

static int range_compare(const void *a, const void *b) {
        const IdRange *x = a, *y = b;

        return x->first < y->first ? -1 : x->first > y->first;
}

static size_t collect(const char *text, IdRange *ranges, size_t n) {
        while (n < 2 * RANGES_MAX && idlist_next(&text, &ranges[n]) > 0)
                n++;
        return n;
}

/* Makes one of those that are at most so many IDs apart. */
static size_t join(IdRange *ranges, size_t n, uint32_t gap) {
        size_t k = 0;

        for (size_t i = 1; i < n; i++)
                if (ranges[i].first <= ranges[k].last || ranges[i].first - ranges[k].last - 1 <= gap)
                        ranges[k].last = ranges[i].last > ranges[k].last ? ranges[i].last : ranges[k].last;
                else
                        ranges[++k] = ranges[i];
        return n > 0 ? k + 1 : 0;
}

static bool print_ranges(const IdRange *ranges, size_t n, char *ret, size_t size) {
        size_t used = 0;

        ret[0] = '\0';
        for (size_t i = 0; i < n && used < size; i++) {
                used += (size_t) snprintf(ret + used, size - used, "%s%u", i > 0 ? "," : "", ranges[i].first);
                if (used < size && ranges[i].last > ranges[i].first)
                        used += (size_t) snprintf(ret + used, size - used, "-%u", ranges[i].last);
        }
        return used < size;
}

void idlist_merge(const char *a, const char *b, char *ret, size_t size) {
        IdRange ranges[2 * RANGES_MAX];
        size_t n = collect(b, ranges, collect(a, ranges, 0));

        qsort(ranges, n, sizeof ranges[0], range_compare);
        n = join(ranges, n, 0);
        for (uint32_t gap = 1; !print_ranges(ranges, n, ret, size); gap *= 2)
                n = join(ranges, n, gap);
}
