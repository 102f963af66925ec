/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many devices each owner has, for the limit on that. Devices without an owner are nobody's, and not limited.
 */

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Device Device;
typedef struct Owner Owner;

struct Owner {
        RB_ENTRY(Owner) by_name;
        size_t n_devices;
        char name[];
};

RB_HEAD(OwnerTree, Owner);

typedef struct Owners {
        struct OwnerTree tree;
        size_t max_devices; /* of one owner; 0: there is no limit */
} Owners;

void owners_init(Owners *owners);

/* Whether the owner (NULL: nobody) may have one more. */
bool owners_have_room(Owners *owners, const char *name);

/* The device is its owner's, as its spec says; and no longer that of the one before. Returns 0, or -ENOMEM. */
int owners_note(Owners *owners, Device *device);

/* It is nobody's. */
void owners_forget(Owners *owners, Device *device);
