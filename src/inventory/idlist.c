/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/idlist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/resource.h"

#define DIGITS_MAX 8 /* of an ID below 2^24 */

static size_t run_length(const uint32_t *ids, size_t n) {
        size_t k = 1;

        while (k < n && ids[k] == ids[0] + k)
                k++;
        return k;
}

char *idlist_format(const uint32_t *ids, size_t n) {
        size_t size = 1, used = 0, n_runs = 0;
        char *text;

        for (size_t i = 0; i < n; i += run_length(ids + i, n - i))
                n_runs++;
        size += n_runs * (2 * DIGITS_MAX + 2);
        text = malloc(size);
        if (!text)
                return NULL;

        text[0] = '\0';
        for (size_t i = 0, k; i < n; i += k) {
                k = run_length(ids + i, n - i);
                used += (size_t) snprintf(text + used, size - used, "%s%u", i > 0 ? "," : "", ids[i]);
                if (k > 1)
                        used += (size_t) snprintf(text + used, size - used, "-%u", ids[i + k - 1]);
        }
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
