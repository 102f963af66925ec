/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/owner.h"

#include <errno.h>
#include <string.h>

#include "inventory/device.h"

static int owner_compare_name(const char *a, const char *b) {
        return strcmp(a, b);
}

static int owner_compare(const Owner *a, const Owner *b) {
        return owner_compare_name(a->name, b->name);
}

RB_GENERATE_INTERNAL(OwnerTree, Owner, by_name, owner_compare, _unused_ static)

void owners_init(Owners *o) {
        *o = (Owners){};
        RB_INIT(&o->tree);
}

/* The tree is searched by hand, as a key would need a name of its own. */
static Owner *find(Owners *o, const char *name) {
        Owner *owner = RB_ROOT(&o->tree);

        while (owner) {
                int order = owner_compare_name(name, owner->name);

                if (order == 0)
                        return owner;
                owner = order < 0 ? RB_LEFT(owner, by_name) : RB_RIGHT(owner, by_name);
        }

        return NULL;
}

bool owners_have_room(Owners *o, const char *name) {
        const Owner *owner = name && o->max_devices > 0 ? find(o, name) : NULL;

        return !owner || owner->n_devices < o->max_devices;
}

int owners_note(Owners *o, Device *device) {
        const char *name = device->spec.owner;
        Owner *owner = NULL;

        if (device->owner && name && strcmp(device->owner->name, name) == 0)
                return 0;

        if (name)
                owner = find(o, name);
        if (name && !owner) {
                owner = calloc(1, sizeof *owner + strlen(name) + 1);
                if (!owner)
                        return -ENOMEM;
                strcpy(owner->name, name);
                RB_INSERT(OwnerTree, &o->tree, owner);
        }
        if (owner)
                owner->n_devices++;

        owners_forget(o, device);
        device->owner = owner;
        return 0;
}

void owners_forget(Owners *o, Device *device) {
        Owner *owner = TAKE_PTR(device->owner);

        if (!owner || --owner->n_devices > 0)
                return;
        RB_REMOVE(OwnerTree, &o->tree, owner);
        free(owner);
}
