/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static JournalEntry *at(const Journal *j, uint64_t position) {
        return &j->entries[position % j->capacity];
}

static void drop_oldest(Journal *j) {
        JournalEntry *oldest = at(j, j->first);

        j->from_revision = oldest->revision;
        free(TAKE_PTR(oldest->text));
        j->first++;
}

static void on_device(void *userdata, const Device *device, DeviceChange change) {
        Journal *j = userdata;
        JournalEntry *entry;

        if (j->next - j->first == j->capacity)
                drop_oldest(j);
        entry = at(j, j->next++);
        *entry = (JournalEntry){ .revision = j->inventory->revision, .change = change };
        strcpy(entry->name, device->name);
        strcpy(entry->uid, device->uid);
        j->on_entry(j->userdata);
}

int journal_init(Journal *j, Inventory *inventory, size_t capacity, void (*on_entry)(void *userdata),
                 void *userdata) {
        *j = (Journal){ .inventory = inventory, .capacity = capacity, .on_entry = on_entry, .userdata = userdata };
        j->entries = calloc(capacity, sizeof *j->entries);
        if (!j->entries)
                return -ENOMEM;

        j->watch = (InventoryWatch){ .on_device = on_device, .userdata = j };
        inventory_watch(inventory, &j->watch);
        return 0;
}

void journal_done(Journal *j) {
        if (!j->entries)
                return;
        inventory_unwatch(j->inventory, &j->watch);
        while (j->first < j->next)
                drop_oldest(j);
        free(TAKE_PTR(j->entries));
}

int journal_find(const Journal *j, uint64_t revision, uint64_t *ret) {
        uint64_t low = j->first, high = j->next;

        if (revision < j->from_revision || revision < j->inventory->first_revision ||
            revision > j->inventory->revision)
                return -ESTALE;

        while (low < high) {
                uint64_t middle = low + (high - low) / 2;

                if (at(j, middle)->revision > revision)
                        high = middle;
                else
                        low = middle + 1;
        }
        *ret = low;
        return 0;
}

JournalEntry *journal_get(Journal *j, uint64_t position) {
        return position >= j->first ? at(j, position) : NULL;
}
