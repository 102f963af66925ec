/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON form of pools, for REST, D-Bus and the store. */

#include "inventory/inventory.h"
#include "inventory/pool.h"
#include "util/json.h"

/* Decodes what stands where d stands ("/spec"). Faults are added to d's list. Returns 0, -EINVAL with faults, or
 * -ENOMEM; ret is set only on success. */
int pool_spec_decode(JsonDecoder *d, json_t *object, PoolSpec *ret);

/* All of it, defaults included. A new reference, or NULL when out of memory; so is that of the next. */
json_t *pool_spec_encode(const PoolSpec *spec);

/* The pool, with what there is in it now. */
json_t *pool_encode(Inventory *inv, const Pool *pool);
