/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/space.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void asid_space_key(AsidKind kind, const char *function, const char *handle, char ret[SPACE_KEY_MAX]) {
        (void) snprintf(ret, SPACE_KEY_MAX, "%s/%s", asid_kind_name(kind),
                        kind == ASID_PASID && function[0] ? function : handle);
}

static int parse_kind(const char *key, AsidKind *ret) {
        for (AsidKind kind = 0; kind < _ASID_KIND_MAX; kind++) {
                size_t n = strlen(asid_kind_name(kind));

                if (strncmp(key, asid_kind_name(kind), n) == 0 && key[n] == '/' && handle_is_valid(key + n + 1)) {
                        *ret = kind;
                        return 0;
                }
        }

        return -EINVAL;
}

int asid_space_ensure(AsidSpaceList *list, const char *key, uint64_t quarantine_usec, AsidSpace **ret) {
        AsidSpace *space;
        AsidKind kind;

        LIST_FOREACH(space, list, entry)
                if (strcmp(space->key, key) == 0) {
                        *ret = space;
                        return 0;
                }

        if (strlen(key) >= SPACE_KEY_MAX || parse_kind(key, &kind) < 0)
                return -EINVAL;
        space = calloc(1, sizeof *space);
        if (!space)
                return -ENOMEM;
        space->kind = kind;
        space->total = kind == ASID_PASID ? PASIDS_MAX : IDS_MAX;
        strcpy(space->key, key);
        if (idset_new(space->total, quarantine_usec, &space->ids) < 0) {
                free(space);
                return -ENOMEM;
        }

        LIST_INSERT_HEAD(list, space, entry);
        *ret = space;
        return 0;
}

static void asid_space_free(AsidSpace *space) {
        LIST_REMOVE(space, entry);
        idset_free(space->ids);
        free(space);
}

void asid_space_prune(AsidSpaceList *list, uint64_t now) {
        AsidSpace *space, *next;

        for (space = LIST_FIRST(list); space; space = next) {
                IdUsage usage = idset_usage(space->ids, now);

                next = LIST_NEXT(space, entry);
                if (space->n_users == 0 && usage.used == 0 && usage.quarantined == 0)
                        asid_space_free(space);
        }
}

void asid_space_free_all(AsidSpaceList *list) {
        AsidSpace *space;

        while ((space = LIST_FIRST(list)))
                asid_space_free(space);
}
