/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/item.h"

#include <errno.h>
#include <string.h>

static void item_done(Item *item) {
        free(item->name);
        free(item->spec);
        free(item->uid);
}

void item_list_done(ItemList *list) {
        for (size_t i = 0; i < list->n; i++)
                item_done(&list->item[i]);
        free(list->item);
        *list = (ItemList){};
}

static int grow(ItemList *list) {
        size_t size = list->size ? list->size * 2 : 16;
        Item *item = reallocarray(list->item, size, sizeof *item);

        if (!item)
                return -ENOMEM;
        list->item = item;
        list->size = size;
        return 0;
}

/* False when out of memory. */
static bool copy(const char *text, char **ret) {
        *ret = text ? strdup(text) : NULL;
        return *ret || !text;
}

int item_list_add(ItemList *list, const char *name, const char *spec, const char *uid) {
        Item item = {};

        if (list->n == ITEMS_MAX)
                return -ENOSPC;
        if (list->n == list->size && grow(list) < 0)
                return -ENOMEM;
        if (!copy(name, &item.name) || !copy(spec, &item.spec) || !copy(uid, &item.uid)) {
                item_done(&item);
                return -ENOMEM;
        }
        list->item[list->n++] = item;
        return 0;
}
