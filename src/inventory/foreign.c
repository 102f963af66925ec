/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int append(ForeignIds *list, const uint32_t *ids, size_t n) {
        if (n == 0)
                return 0;
        if (list->n + n > list->n_allocated) {
                size_t n_allocated = 2 * (list->n + n);
                uint32_t *larger = reallocarray(list->ids, n_allocated, sizeof *larger);

                if (!larger)
                        return -ENOMEM;
                list->ids = larger;
                list->n_allocated = n_allocated;
        }

        memcpy(list->ids + list->n, ids, n * sizeof *ids);
        list->n += n;
        return 0;
}

int foreign_add(Foreign *f, const uint32_t *ids, size_t n_asids, size_t n_msis, uint32_t n_vqs) {
        f->n_devices++;
        f->n_vqs += n_vqs;
        if (append(&f->asids, ids, n_asids) < 0 || append(&f->msis, ids + n_asids, n_msis) < 0)
                return -ENOMEM;
        return 0;
}

static int compare(const void *a, const void *b) {
        const uint32_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void sort(ForeignIds *list) {
        size_t n = 0;

        if (list->n == 0)
                return;
        qsort(list->ids, list->n, sizeof list->ids[0], compare);
        for (size_t i = 0; i < list->n; i++)
                if (i == 0 || list->ids[i] != list->ids[i - 1])
                        list->ids[n++] = list->ids[i];
        list->n = n;
}

void foreign_sort(Foreign *f) {
        sort(&f->asids);
        sort(&f->msis);
}

void foreign_done(Foreign *f) {
        free(f->asids.ids);
        free(f->msis.ids);
        *f = (Foreign){};
}
