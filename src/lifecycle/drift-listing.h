/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The list of what is not as it should be: what a client asks for, and one page of it. */

#include "inventory/drift.h"
#include "lifecycle/lifecycle.h"

/* Copies everything, so that it can wait until the host was looked at. */
typedef struct DriftListing {
        int64_t limit;
        uint32_t kinds; /* bits of DriftKind; 0: any */
        char mgmtdev[HANDLE_MAX];
        char after[DEVICE_NAME_MAX * 4]; /* the last name of the page before, or "" */
} DriftListing;

#define DRIFT_LISTING_MAX     1000
#define DRIFT_LISTING_DEFAULT 100

/* The token of a page: the hexadecimal form of the last name of the page before, which may be any bytes. Returns 0,
 * or -EINVAL. */
int drift_listing_continue(DriftListing *listing, const char *token);

/* One page, {"items", "continue", "mode"}: a new reference, or NULL when out of memory. Ordered by name; an item of
 * ours comes before a foreign one of the same name. A page can have fewer items than the limit and not be the
 * last. */
json_t *drift_listing_page(const DriftListing *listing, Lifecycle *l);

/* The items of one device; NULL when out of memory. */
json_t *drift_item_encode(Lifecycle *l, const Device *device, const Drift *drift);
