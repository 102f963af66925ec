/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pools: devices that are made before anyone asks for them, all to one template. Those that are free are held by
 * their pool (see inventory/holder.h), and by nobody once they are claimed. */

#include <bsd/sys/tree.h>

#include "inventory/device.h"

typedef struct Inventory Inventory;

/* As those of devices, which are named after it; and the NUL. */
#define POOL_NAME_MAX 41

#define POOLS_MAX     64
#define POOL_HIGH_MAX 1048576u

/* What becomes of a device that is returned. */
typedef enum PoolReturn {
        POOL_SCRUB,   /* it is reset, and free again */
        POOL_DESTROY, /* it is deleted */
        _POOL_RETURN_MAX,
} PoolReturn;

typedef struct PoolSpec {
        DeviceSpec device; /* the template: without MAC address, owner, labels and lease */
        uint32_t low;      /* with fewer free devices more are made; 1 to high */
        uint32_t high;     /* ... until there are so many; 1 to POOL_HIGH_MAX */
        PoolReturn on_return;
} PoolSpec;

/* Whether the MAC address of a device of the pool can be set while it is there, as far as that was tried. */
typedef enum PoolMacs {
        POOL_MACS_UNKNOWN,
        POOL_MACS_CAN_BE_SET,
        POOL_MACS_CANNOT_BE_SET,
} PoolMacs;

typedef struct Pool {
        RB_ENTRY(Pool) by_name;
        char name[POOL_NAME_MAX];
        char uid[UID_TEXT_MAX];
        uint64_t revision;     /* of the inventory, when the pool was last changed */
        uint64_t created_usec; /* since the epoch */
        PoolSpec spec;

        /* Of this run of the daemon; not recorded. */
        bool is_filling; /* it is new, was changed, or had less than low, and has not got to high since */
        unsigned n_making;
        unsigned n_failures; /* to make one, in a row */
        uint64_t retry_usec; /* when the next one may be made, monotonic */
        Failure *reason;     /* owned: of the last failure; or NULL */
        PoolMacs macs;
        uint64_t n_claims, n_misses, n_returns;
} Pool;

RB_HEAD(PoolTree, Pool);

bool pool_name_is_valid(const char *name);

/* "scrub", "destroy". */
const char *pool_return_name(PoolReturn on_return);
int pool_return_parse(const char *text, PoolReturn *ret);

/* Frees what the spec holds. */
void pool_spec_done(PoolSpec *spec);

/* Makes a pool with a new uid. The spec is taken over: the caller's is left empty. Returns 0, or -ENOMEM. */
int pool_new(const char *name, PoolSpec *spec, uint64_t now_usec, Pool **ret);
Pool *pool_free(Pool *pool);
DEFINE_CLEANUP(Pool *, pool_free)

/* Keeps a copy of reason (NULL: none). Out of memory leaves none. */
void pool_set_reason(Pool *pool, const Failure *reason);

/* The holder of its free devices. */
void pool_format_holder(const Pool *pool, char ret[static HOLDER_MAX]);

/* False: that is not a holder of this kind. *ret: the pool, or NULL if there is none any more. */
bool pool_find_by_holder(Inventory *inv, const char *holder, Pool **ret);

Pool *pool_find(Inventory *inv, const char *name);

/* In order of name: the first after name; the first of all if name is "". NULL: no more. */
Pool *pool_next(Inventory *inv, const char *name);

/* Takes the pool over, whose name is free. */
void pool_add(Inventory *inv, Pool *pool);

/* Takes it out and frees it. Its devices stay with its holder. */
void pool_remove(Inventory *inv, Pool *pool);

/* How many devices it holds, those included that are being made, or were lost. */
size_t pool_count(Inventory *inv, const Pool *pool);

/* ... and of those, how many can be claimed. */
size_t pool_count_free(Inventory *inv, const Pool *pool);

/* True if a device of that spec can be one of the pool's again: it differs in nothing but what a claim sets. */
bool pool_fits(const Pool *pool, const DeviceSpec *spec);
