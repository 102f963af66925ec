/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the store's records to the inventory, as it was when the daemon stopped. */

#include "lifecycle/lifecycle.h"

/* Returns 0, or a negative errno that was logged, or for which f is set: -EUCLEAN if a record cannot be right. */
int load_inventory(Lifecycle *l, Failure *f);
