/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/pool.h"

#include <assert.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/inventory.h"
#include "inventory/spec-json.h"

#define HOLDER_PREFIX "pool "

static_assert(sizeof HOLDER_PREFIX + POOL_NAME_MAX + UID_TEXT_MAX <= HOLDER_MAX,
              "a holder has a pool's name and uid");

static int pool_compare(const Pool *a, const Pool *b) {
        return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(PoolTree, Pool, by_name, pool_compare, _unused_ static)

static const char *const return_names[_POOL_RETURN_MAX] = { [POOL_SCRUB] = "scrub", [POOL_DESTROY] = "destroy" };

const char *pool_return_name(PoolReturn on_return) {
        return return_names[on_return];
}

int pool_return_parse(const char *text, PoolReturn *ret) {
        for (PoolReturn r = 0; r < _POOL_RETURN_MAX; r++)
                if (strcmp(return_names[r], text) == 0) {
                        *ret = r;
                        return 0;
                }

        return -EINVAL;
}

bool pool_name_is_valid(const char *name) {
        return strlen(name) < POOL_NAME_MAX && device_name_is_valid(name);
}

void pool_spec_done(PoolSpec *spec) {
        device_spec_done(&spec->device);
}

int pool_new(const char *name, PoolSpec *spec, uint64_t now_usec, Pool **ret) {
        Pool *pool = calloc(1, sizeof *pool);

        if (!pool)
                return -ENOMEM;
        (void) strlcpy(pool->name, name, sizeof pool->name);
        uid_generate(now_usec, pool->uid);
        pool->created_usec = now_usec;
        pool->spec = *spec;
        device_spec_init(&spec->device);

        *ret = pool;
        return 0;
}

Pool *pool_free(Pool *pool) {
        if (!pool)
                return NULL;

        pool_spec_done(&pool->spec);
        free(pool->reason);
        free(pool);
        return NULL;
}

void pool_set_reason(Pool *pool, const Failure *reason) {
        Failure *copy = reason ? malloc(sizeof *copy) : NULL;

        if (copy)
                *copy = *reason;
        free(pool->reason);
        pool->reason = copy;
}

void pool_format_holder(const Pool *pool, char ret[static HOLDER_MAX]) {
        (void) snprintf(ret, HOLDER_MAX, HOLDER_PREFIX "%s %s", pool->name, pool->uid);
}

bool pool_find_by_holder(Inventory *inv, const char *holder, Pool **ret) {
        size_t n_prefix = strlen(HOLDER_PREFIX), n = strcspn(holder, " "), n_name;
        char name[HOLDER_MAX];
        Pool *pool;

        if (n + 1 != n_prefix || strncmp(holder, HOLDER_PREFIX, n_prefix) != 0)
                return false;
        holder += n_prefix;
        n_name = strcspn(holder, " ");
        (void) strlcpy(name, holder, n_name < sizeof name ? n_name + 1 : sizeof name);
        pool = pool_find(inv, name);
        *ret = pool && holder[n_name] == ' ' && strcmp(holder + n_name + 1, pool->uid) == 0 ? pool : NULL;
        return true;
}

/* A key to search the tree with. Too long a name is cut: it comes right after what is left of it. */
static Pool pool_key(const char *name) {
        Pool key = {};

        (void) strlcpy(key.name, name, sizeof key.name);
        return key;
}

Pool *pool_find(Inventory *inv, const char *name) {
        Pool key = pool_key(name);

        return strlen(name) < POOL_NAME_MAX ? RB_FIND(PoolTree, &inv->pools, &key) : NULL;
}

Pool *pool_next(Inventory *inv, const char *name) {
        Pool key = pool_key(name), *pool = RB_NFIND(PoolTree, &inv->pools, &key);

        return pool && strcmp(pool->name, key.name) == 0 ? RB_NEXT(PoolTree, &inv->pools, pool) : pool;
}

void pool_add(Inventory *inv, Pool *pool) {
        pool->revision = ++inv->revision;
        RB_INSERT(PoolTree, &inv->pools, pool);
        inv->n_pools++;
}

void pool_remove(Inventory *inv, Pool *pool) {
        RB_REMOVE(PoolTree, &inv->pools, pool);
        inv->n_pools--;
        inv->revision++;
        pool_free(pool);
}

size_t pool_count(Inventory *inv, const Pool *pool) {
        char name[HOLDER_MAX];
        const Holder *holder;

        pool_format_holder(pool, name);
        holder = holder_find(&inv->holders, name);
        return holder ? holder->n_devices : 0;
}

size_t pool_count_free(Inventory *inv, const Pool *pool) {
        size_t n = pool_count(inv, pool);

        return n > pool->n_making ? n - pool->n_making : 0;
}

bool pool_fits(const Pool *pool, const DeviceSpec *spec) {
        const DeviceSpec *template = &pool->spec.device;
        DeviceSpec like = *spec;

        like.owner = template->owner;
        like.labels = template->labels;
        like.lease_seconds = template->lease_seconds;
        like.drift = template->drift;
        like.endpoint = template->endpoint;
        like.net.has_mac = template->net.has_mac;
        memcpy(like.net.mac, template->net.mac, sizeof like.net.mac);
        return device_spec_equal(&like, template);
}
