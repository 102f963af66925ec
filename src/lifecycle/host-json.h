/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/lifecycle.h"

/* The host, and what the daemon knows of it. "limits" has what holds for every caller. Returns a new reference, or
 * NULL when out of memory. */
json_t *host_encode(Lifecycle *l);
