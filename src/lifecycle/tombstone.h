/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tombstones: which devices have gone, so that a deletion that comes again, late, is told from one of the device
 * that has the name now. They are forgotten in the order in which they were made: when they are too old, or when
 * there are too many. Pure; time is that of the store's clock. */

#include <bsd/sys/tree.h>
#include <sys/queue.h>

#include "inventory/device.h"
#include "store/store.h"

typedef struct Tombstone {
        RB_ENTRY(Tombstone) by_uid;
        TAILQ_ENTRY(Tombstone) by_age;
        uint64_t id;
        uint64_t made_usec;
        char uid[UID_TEXT_MAX];
        char name[]; /* as long as it is */
} Tombstone;

RB_HEAD(TombstoneTree, Tombstone);
TAILQ_HEAD(TombstoneList, Tombstone);

typedef struct Tombstones {
        struct TombstoneTree by_uid;
        struct TombstoneList by_age; /* the oldest first, which is in order of ID */
        size_t n, max;
        uint64_t retention_usec;
        uint64_t last_id;
} Tombstones;

void tombstones_init(Tombstones *tombstones, size_t max, uint64_t retention_usec);
void tombstones_done(Tombstones *tombstones);

/* Whether a device of that name and uid has gone. */
bool tombstones_have(Tombstones *tombstones, const char *name, const char *uid, uint64_t now);

/* Adds one, and says what the store shall record of it; strings are borrowed from the tombstone. The oldest make
 * room for it. Returns 0, or -ENOMEM. */
int tombstones_add(Tombstones *tombstones, const char *name, const char *uid, uint64_t now, StoreTombstone *ret);

/* Adds what was recorded. Returns 0, -EINVAL if that can be none, or -ENOMEM. */
int tombstones_load(Tombstones *tombstones, const StoreTombstone *row);
