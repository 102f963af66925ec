/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "inventory/mgmtdev.h"

/* The management device as the API shows it; now_usec as in budget.h. Returns a new reference, or NULL when out of
 * memory. */
json_t *mgmtdev_encode(const Mgmtdev *mgmtdev, uint64_t now_usec);
