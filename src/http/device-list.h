/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The list of devices: what a client asks for, and one page of it. */

#include <jansson.h>

#include "http/query.h"
#include "inventory/inventory.h"

/* The most items that one page can have. */
#define HTTP_LIST_MAX 1000

#define DEVICE_LISTING_LABELS_MAX 8

typedef struct LabelFilter {
        const char *key; /* not terminated */
        size_t key_size;
        const char *value;
} LabelFilter;

typedef struct DeviceListing {
        int64_t limit;
        uint64_t revision;           /* of the inventory, at the first page */
        char after[DEVICE_NAME_MAX]; /* the last name of the page before, or "" */

        unsigned class; /* 0: any; so NULL and -1 below */
        int state;
        const char *mgmtdev;
        const char *owner; /* "": none */
        LabelFilter label[DEVICE_LISTING_LABELS_MAX];
        size_t n_labels;
} DeviceListing;

/* Reads the parameters; strings are borrowed from q. Faults are added to its list. now_revision: of the inventory.
 */
void device_listing_decode(HttpQuery *q, uint64_t now_revision, DeviceListing *ret);

/* The page as the API answers it: a new reference, or NULL when out of memory. */
json_t *device_listing_page(const DeviceListing *l, Inventory *inventory);
