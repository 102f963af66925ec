/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "inventory/inventory.h"

/* The management device as the API shows it; now_usec as in budget.h. Returns a new reference, or NULL when out of
 * memory. */
json_t *mgmtdev_encode(const Mgmtdev *mgmtdev, uint64_t now_usec);

/* The budgets of all management devices that are present, added up: {"mgmtdevs": N, "budgets": {...}}. A budget's
 * "total" and "free" are of those that know theirs; "unknown" counts the others. A new reference, or NULL. */
json_t *capacity_encode(Inventory *inv, uint64_t now_usec);
