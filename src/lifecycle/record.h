/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes of the record that nobody waits for: what they say can be observed again, so if they are lost, the next
 * start comes to the same end. One that fails is logged. */

#include "lifecycle/lifecycle.h"

/* Returns false if it could not even be queued, which is logged too. */
bool record_device(Lifecycle *l, const Device *device);

/* The device goes from the inventory, which gets a new revision; its record follows. */
bool record_removal(Lifecycle *l, const Device *device);
