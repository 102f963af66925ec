/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds devices: a client for as long as it is there. A device that is held goes when its holder has gone. What
 * a holder's name means is known to the interface that it came by. */

#include <bsd/sys/tree.h>
#include <stddef.h>
#include <sys/queue.h>

typedef struct Device Device;
typedef struct Holder Holder;

#define HOLDER_MAX 96

LIST_HEAD(HeldList, Device);

struct Holder {
        RB_ENTRY(Holder) by_name;
        char name[HOLDER_MAX];
        size_t n_devices;
        struct HeldList devices; /* weak; at least one */
};

RB_HEAD(HolderTree, Holder);

/* In order of name: the first after name, which need not be there; the first of all if name is "". NULL: no more.
 */
Holder *holder_next(struct HolderTree *holders, const char *name);

Holder *holder_find(struct HolderTree *holders, const char *name);

/* Gives a device that nobody holds a holder, whose name is not longer than HOLDER_MAX - 1. Returns 0, or -ENOMEM.
 */
int holder_take(struct HolderTree *holders, const char *name, Device *device);

/* Lets go of the device, if it is held. */
void holder_let_go(struct HolderTree *holders, Device *device);
