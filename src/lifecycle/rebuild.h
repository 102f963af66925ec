/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An inventory from what the host has, for one that was lost. What only the lost one knew is not in it: owners,
 * labels, features that were asked for; and where the host does not tell which ASIDs and MSI entries a device
 * holds, it gets them anew when the daemon starts. */

#include "backend/backend.h"
#include "store/database.h"

typedef struct RebuildCount {
        size_t n_taken, n_left;
} RebuildCount;

/* Records every device of the host whose name begins with prefix, and prints a line for each and why for each that
 * is left. Returns 0, or a negative errno with f set. */
int rebuild_image(Backend *backend, const char *prefix, Database *image, RebuildCount *ret, Failure *f);
