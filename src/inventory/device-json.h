/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "inventory/device.h"

/* What has gone wrong; NULL: nothing has. A new reference, or NULL when out of memory. */
json_t *reason_encode(const Failure *reason);

/* The device as the API shows it. Returns a new reference, or NULL when out of memory. */
json_t *device_encode(const Device *device);

/* The names of the features of a class, as an array; a new reference, or NULL. Others have it, too: it must not be
 * changed. On the loop's thread only. */
json_t *features_encode(unsigned class, uint64_t features);
