/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/holder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/device.h"

static int holder_compare(const Holder *a, const Holder *b) {
        return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(HolderTree, Holder, by_name, holder_compare, _unused_ static)

static Holder holder_key(const char *name) {
        Holder key = {};

        (void) snprintf(key.name, sizeof key.name, "%s", name);
        return key;
}

Holder *holder_next(struct HolderTree *holders, const char *name) {
        Holder key = holder_key(name), *holder = RB_NFIND(HolderTree, holders, &key);

        if (holder && strcmp(holder->name, key.name) == 0)
                holder = RB_NEXT(HolderTree, holders, holder);
        return holder;
}

Holder *holder_find(struct HolderTree *holders, const char *name) {
        Holder key = holder_key(name);

        return strlen(name) < HOLDER_MAX ? RB_FIND(HolderTree, holders, &key) : NULL;
}

int holder_take(struct HolderTree *holders, const char *name, Device *device) {
        Holder *holder = holder_find(holders, name);

        if (!holder) {
                holder = malloc(sizeof *holder);
                if (!holder)
                        return -ENOMEM;
                *holder = holder_key(name);
                LIST_INIT(&holder->devices);
                RB_INSERT(HolderTree, holders, holder);
        }

        LIST_INSERT_HEAD(&holder->devices, device, held);
        holder->n_devices++;
        device->holder = holder;
        return 0;
}

void holder_let_go(struct HolderTree *holders, Device *device) {
        Holder *holder = device->holder;

        if (!holder)
                return;
        LIST_REMOVE(device, held);
        holder->n_devices--;
        device->holder = NULL;
        if (!LIST_EMPTY(&holder->devices))
                return;
        RB_REMOVE(HolderTree, holders, holder);
        free(holder);
}
