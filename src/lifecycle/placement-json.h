/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "lifecycle/placement.h"

/* Each returns a new reference, or NULL when out of memory. */

/* The candidates: which fit and how well, and what speaks against the others. */
json_t *placement_encode_candidates(const Placement *p);

/* Where a device would go, and what it would take there. device: it exists; or NULL. */
json_t *placement_encode_plan(const Placement *p, const Device *device);
