/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers that were never taken are those from a limit on; the free ones below it are a set. So a map of many
 * numbers costs memory only for those that were in use. */
#include "sim/idmap.h"

#include <assert.h>
#include <errno.h>

#include "util/bitset.h"

struct Idmap {
        Bitset *freed; /* the free ones below n_touched */
        uint32_t n_touched;
        uint32_t n;
};

int idmap_new(uint32_t n, Idmap **ret) {
        _cleanup_(idmap_freep) Idmap *map = NULL;

        assert(n > 0 && n <= IDMAP_MAX);

        map = calloc(1, sizeof *map);
        if (!map || bitset_new(n, &map->freed) < 0)
                return -ENOMEM;

        map->n = n;
        *ret = TAKE_PTR(map);
        return 0;
}

Idmap *idmap_free(Idmap *map) {
        if (map)
                bitset_free(map->freed);
        free(map);
        return NULL;
}

int idmap_acquire(Idmap *map, uint32_t *ret) {
        uint32_t id;

        if (bitset_next(map->freed, 0, &id))
                bitset_remove(map->freed, id);
        else if (map->n_touched < map->n)
                id = map->n_touched++;
        else
                return -ENOSPC;

        *ret = id;
        return 0;
}

int idmap_acquire_id(Idmap *map, uint32_t id) {
        if (id >= map->n)
                return -ERANGE;
        if (id < map->n_touched && !bitset_has(map->freed, id))
                return -EEXIST;

        while (map->n_touched <= id)
                bitset_add(map->freed, map->n_touched++);
        bitset_remove(map->freed, id);
        return 0;
}

void idmap_release(Idmap *map, uint32_t id) {
        assert(id < map->n_touched && !bitset_has(map->freed, id));
        bitset_add(map->freed, id);
}
