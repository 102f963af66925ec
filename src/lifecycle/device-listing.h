/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The list of devices: what a client asks for, and one page of it. */

#include <jansson.h>

#include "inventory/inventory.h"

/* The most items that one page can have, and how many it has if nobody says. */
#define DEVICE_LISTING_MAX     1000
#define DEVICE_LISTING_DEFAULT 100

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
        const char *owner;  /* "": none */
        const char *prefix; /* of the name; never NULL */
        LabelFilter label[DEVICE_LISTING_LABELS_MAX];
        size_t n_labels;
} DeviceListing;

/* What is wrong with a filter; both are static. */
typedef struct FilterFault {
        const char *code;
        const char *detail;
} FilterFault;

/* The first page of all devices; now_revision: of the inventory. */
void device_listing_init(DeviceListing *l, uint64_t now_revision);

/* The names of the filters that a listing can have once: what comes in as "continue", "class" and so on. */
extern const char *const device_listing_filters[];

/* Sets the filter of that name. value is borrowed. Returns 0, or -EINVAL with *ret. */
int device_listing_filter(DeviceListing *l, const char *name, const char *value, FilterFault *ret);

/* Adds a label, of which key_size bytes at key are the key; both are borrowed. Returns 0, or -EINVAL with *ret. */
int device_listing_filter_label(DeviceListing *l, const char *key, size_t key_size, const char *value,
                                FilterFault *ret);

#define LISTING_TOKEN_MAX (16 + 1 + DEVICE_NAME_MAX)

/* Shows the devices of one page to add(), each once: a page of all is never built in between. add() returns 0,
 * 1 for a page that is full with that one, or a negative errno that ends it. *ret_continue is what the next page's
 * "continue" has to be, or "". Returns 0, or what add() has returned. */
int device_listing_page(const DeviceListing *l, Inventory *inventory,
                        int (*add)(void *userdata, const Device *device), void *userdata,
                        char ret_continue[LISTING_TOKEN_MAX]);
