/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A space of ASIDs. Management devices behind the same PCI function share its PASIDs; one with an MMU of its own
 * has a space of its own. */

#include <sys/queue.h>

#include "inventory/idset.h"
#include "inventory/spec.h"

/* "device-mmu/" and a handle, and the NUL. */
#define SPACE_KEY_MAX (HANDLE_MAX + 16)

typedef struct AsidSpace AsidSpace;

struct AsidSpace {
        LIST_ENTRY(AsidSpace) entry;
        char key[SPACE_KEY_MAX]; /* "pasid/0000:01:00.0" */
        AsidKind kind;
        IdSet *ids;
        unsigned n_users; /* management devices */

        /* Of all its users together: the least total that one of them knows, and whatever one of them reserves. */
        bool is_known;
        uint32_t total;
        uint32_t n_foreign; /* held by devices that are not ours */
        bool is_stale;      /* has to be found out again */
};

LIST_HEAD(AsidSpaceList, AsidSpace);
typedef struct AsidSpaceList AsidSpaceList;

/* Writes the key to ret. function: "" if there is none, or it is not known. */
void asid_space_key(AsidKind kind, const char *function, const char *handle, char ret[SPACE_KEY_MAX]);

/* Finds the space, or makes it. Returns 0, -EINVAL for what is no key, or -ENOMEM. */
int asid_space_ensure(AsidSpaceList *list, const char *key, uint64_t quarantine_usec, AsidSpace **ret);

/* Frees those that nobody uses, once nothing of them is in quarantine; all of them. */
void asid_space_prune(AsidSpaceList *list, uint64_t now);
void asid_space_free_all(AsidSpaceList *list);
