/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/tombstone.h"

#include <errno.h>
#include <string.h>

static int tombstone_compare(const Tombstone *a, const Tombstone *b) {
        return strcmp(a->uid, b->uid);
}

RB_GENERATE_INTERNAL(TombstoneTree, Tombstone, by_uid, tombstone_compare, _unused_ static)

void tombstones_init(Tombstones *tombstones, size_t max, uint64_t retention_usec) {
        *tombstones = (Tombstones){ .max = max, .retention_usec = retention_usec };
        RB_INIT(&tombstones->by_uid);
        TAILQ_INIT(&tombstones->by_age);
}

static void drop_oldest(Tombstones *tombstones) {
        Tombstone *oldest = TAILQ_FIRST(&tombstones->by_age);

        RB_REMOVE(TombstoneTree, &tombstones->by_uid, oldest);
        TAILQ_REMOVE(&tombstones->by_age, oldest, by_age);
        tombstones->n--;
        free(oldest);
}

void tombstones_done(Tombstones *tombstones) {
        while (tombstones->n > 0)
                drop_oldest(tombstones);
}

static bool is_too_old(const Tombstones *tombstones, const Tombstone *t, uint64_t now) {
        return now > t->made_usec && now - t->made_usec > tombstones->retention_usec;
}

static Tombstone *find(Tombstones *tombstones, const char *uid) {
        Tombstone wanted;

        strcpy(wanted.uid, uid);
        return RB_FIND(TombstoneTree, &tombstones->by_uid, &wanted);
}

bool tombstones_have(Tombstones *tombstones, const char *name, const char *uid, uint64_t now) {
        const Tombstone *t = find(tombstones, uid);

        return t && strcmp(t->name, name) == 0 && !is_too_old(tombstones, t, now);
}

static int insert(Tombstones *tombstones, uint64_t id, const char *name, const char *uid, uint64_t made_usec,
                  Tombstone **ret) {
        size_t size = strlen(name) + 1;
        Tombstone *t = calloc(1, sizeof *t + size);

        if (!t)
                return -ENOMEM;
        memcpy(t->name, name, size);
        strcpy(t->uid, uid);
        t->id = tombstones->last_id = id;
        t->made_usec = made_usec;
        RB_INSERT(TombstoneTree, &tombstones->by_uid, t);
        TAILQ_INSERT_TAIL(&tombstones->by_age, t, by_age);
        tombstones->n++;

        *ret = t;
        return 0;
}

int tombstones_add(Tombstones *tombstones, const char *name, const char *uid, uint64_t now, StoreTombstone *ret) {
        Tombstone *t, *oldest;
        int r;

        while ((oldest = TAILQ_FIRST(&tombstones->by_age)) &&
               (tombstones->n >= tombstones->max || is_too_old(tombstones, oldest, now)))
                drop_oldest(tombstones);

        /* A device whose removal was recorded twice has gone once. */
        t = find(tombstones, uid);
        if (!t) {
                r = insert(tombstones, tombstones->last_id + 1, name, uid, now, &t);
                if (r < 0)
                        return r;
        }

        *ret = (StoreTombstone){
                .id = t->id,
                .name = t->name,
                .uid = t->uid,
                .made_usec = t->made_usec,
                .first_id = TAILQ_FIRST(&tombstones->by_age)->id,
        };
        return 0;
}

int tombstones_load(Tombstones *tombstones, const StoreTombstone *row) {
        Tombstone *t;

        if (!device_name_is_valid(row->name) || !uid_is_valid(row->uid) || row->id <= tombstones->last_id ||
            find(tombstones, row->uid))
                return -EINVAL;
        return insert(tombstones, row->id, row->name, row->uid, row->made_usec, &t);
}
