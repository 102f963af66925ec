/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "backend/backend.h"
#include "inventory/inventory.h"

/* For each PF, what its VFs give, and what managed devices on it give. Returns a new reference, or NULL when out of
 * memory. */
json_t *sriov_encode(const BackendSriov *sriov, size_t n, Inventory *inventory, uint64_t now_usec);
