/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The last changes of the inventory, for who follows them. A ring: what is not read in time is overwritten, so a
 * reader that is slow costs nothing and waits for nobody. Positions only grow. */

#include "inventory/inventory.h"

typedef struct JournalEntry {
        uint64_t revision; /* of the inventory, after the change */
        DeviceChange change;
        char name[DEVICE_NAME_MAX];
        char uid[UID_TEXT_MAX];
        char *text; /* what the readers make of it, kept for the next one; NULL: nobody has read it. Owned */
} JournalEntry;

typedef struct Journal {
        Inventory *inventory; /* weak */
        InventoryWatch watch;
        JournalEntry *entries; /* a ring */
        size_t capacity;
        uint64_t first, next;   /* positions of the oldest entry, and of the one to come */
        uint64_t from_revision; /* of the newest that was overwritten */
        void (*on_entry)(void *userdata);
        void *userdata;
} Journal;

/* Follows the inventory from now on. on_entry() is called after each change, and must not touch the inventory.
 * Returns 0, or -ENOMEM. */
int journal_init(Journal *j, Inventory *inventory, size_t capacity, void (*on_entry)(void *userdata),
                 void *userdata);
void journal_done(Journal *j);

/* The position of the first change after a revision. Returns 0, or -ESTALE: changes after it are not there any
 * more, or it is none of this inventory's. */
int journal_find(const Journal *j, uint64_t revision, uint64_t *ret);

/* The entry at a position before j->next; NULL: it was overwritten. */
JournalEntry *journal_get(Journal *j, uint64_t position);
