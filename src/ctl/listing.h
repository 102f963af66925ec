/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A list that comes in pages: as many as it takes, shown as one. */

#include <stdlib.h>

#include "ctl/command.h"
#include "ctl/table.h"

/* The daemon gives no more at a time. */
#define LISTING_PAGE_MAX 1000

typedef struct Listing {
        const char *subject; /* for a report of failure */
        const Column *columns;
        size_t n_columns;
        const char *if_empty; /* what to say of none, on a terminal */
} Listing;

static inline _unused_ void list_freep(HsvList **list) {
        hsv_list_free(*list);
}

/* Frees strings that end with a NULL, and their array. */
static inline _unused_ void strings_freep(char ***strings) {
        for (char **s = *strings; s && *s; s++)
                free(*s);
        free(*strings);
}

/* NAME=VALUE for each option of these names (NULL ends them) that was given, and NULL at the end; to be freed. An
 * option without a value is "true". NULL when out of memory. */
char **listing_filters(const Arguments *arguments, const char *const *names);

/* Takes all pages, or as many items as --limit says, and shows them. */
ExitCode listing_run(Context *context, const Arguments *arguments, const Listing *listing, HsvList *list);
