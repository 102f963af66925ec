/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/changes.h"

#include <string.h>

static int change_compare(const Change *a, const Change *b) {
        return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(ChangeTree, Change, by_name, change_compare, _unused_ static)

void changes_init(Changes *changes) {
        *changes = (Changes){};
        RB_INIT(&changes->tree);
}

Change *changes_take(Changes *changes) {
        Change *change = RB_MIN(ChangeTree, &changes->tree);

        if (change) {
                RB_REMOVE(ChangeTree, &changes->tree, change);
                changes->n--;
        }
        return change;
}

void changes_clear(Changes *changes) {
        Change *change;

        while ((change = changes_take(changes)))
                free(change);
        changes->lost = false;
}

static void lose(Changes *changes) {
        changes_clear(changes);
        changes->lost = true;
}

static Change *find_or_add(Changes *changes, const char *name) {
        Change key = {}, *change;

        strcpy(key.name, name);
        change = RB_FIND(ChangeTree, &changes->tree, &key);
        if (change || changes->n == CHANGES_MAX)
                return change;

        change = calloc(1, sizeof *change);
        if (!change)
                return NULL;
        strcpy(change->name, name);
        RB_INSERT(ChangeTree, &changes->tree, change);
        changes->n++;
        return change;
}

/* Of what nobody was told that it had come, nobody need be told that it went. */
static void note_removal(Changes *changes, Change *change) {
        bool was_told = !change->added;

        change->changed = change->added = false;
        if (was_told)
                change->removed = true;
        else if (!change->removed) {
                RB_REMOVE(ChangeTree, &changes->tree, change);
                changes->n--;
                free(change);
        }
}

void changes_note(Changes *changes, const char *name, DeviceChange what) {
        Change *change = find_or_add(changes, name);

        if (!change) {
                lose(changes);
                return;
        }

        switch (what) {
        case DEVICE_ADDED:
                change->added = true;
                break;
        case DEVICE_CHANGED:
                change->changed = !change->added;
                break;
        case DEVICE_REMOVED:
                note_removal(changes, change);
                break;
        }
}

bool changes_pending(const Changes *changes) {
        return changes->n > 0 || changes->lost;
}
