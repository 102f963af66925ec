/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has changed since subscribers were told last, device by device. Changes of one device become one, so that
 * what waits is bounded by the devices there are and those that went; and by CHANGES_MAX, past which all is
 * forgotten and subscribers are told just that. */

#include <bsd/sys/tree.h>
#include <stdbool.h>

#include "inventory/inventory.h"

#define CHANGES_MAX 65536

typedef struct Change {
        RB_ENTRY(Change) by_name;
        char name[DEVICE_NAME_MAX];
        bool removed; /* first */
        bool added;   /* then */
        bool changed; /* then; not of one that was added */
} Change;

RB_HEAD(ChangeTree, Change);

typedef struct Changes {
        struct ChangeTree tree;
        size_t n;
        bool lost; /* some were forgotten */
} Changes;

void changes_init(Changes *changes);

/* Forgets all. */
void changes_clear(Changes *changes);

/* Out of memory, all are forgotten. */
void changes_note(Changes *changes, const char *name, DeviceChange change);

/* Takes one out; the caller frees it. NULL: there is none. */
Change *changes_take(Changes *changes);

bool changes_pending(const Changes *changes);
