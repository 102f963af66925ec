/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices that one command is about, and what it says of each. */

#include <jansson.h>
#include <stdint.h>

#include "ctl/report.h"

/* As many as an inventory has, with room to spare. */
#define ITEMS_MAX 1000000

typedef struct Item {
        char *name; /* NULL: the daemon chooses one */
        char *spec; /* as JSON text; NULL if there is nothing to say */
        char *uid;  /* only the device that has it; NULL: any */
} Item;

typedef struct ItemList {
        Item *item;
        size_t n;
        size_t size;
} ItemList;

void item_list_done(ItemList *list);

/* Adds copies of the three, each of which may be NULL. Returns 0, -ENOSPC above ITEMS_MAX, or -ENOMEM. */
int item_list_add(ItemList *list, const char *name, const char *spec, const char *uid);

/* Adds what a file says, or standard input if path is "-": JSON values one after the other, or in arrays, or under
 * "items" as lists answer them, or under "devices". A string is a name; an object has "name", "spec" or both, and
 * may have the other members of a device. defaults: what a spec does not say itself, or NULL. Complains by itself.
 */
ExitCode item_list_read(ItemList *list, const char *path, const json_t *defaults);
