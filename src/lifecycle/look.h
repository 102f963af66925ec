/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Looks at single devices, ours or not, and brings what is known of them up to date. A look reads only; what it
 * finds may begin an operation. */

#include "lifecycle/lifecycle.h"

/* Devices of one look. Requests wait for so many at the most. */
#define LOOK_MAX 16u

typedef void (*look_done_t)(Lifecycle *l, uint64_t duration_usec);

/* Looks at n (at most LOOK_MAX) devices. done() is called from the loop when that is over and all is up to date.
 * Returns 0, or -ENOMEM. */
int look_start(Lifecycle *l, char names[][DEVICE_NAME_MAX], size_t n, look_done_t done);

/* A device that has no operation, and whose state says that it should be on the host, is there and looks like this.
 */
void look_apply_status(Lifecycle *l, Device *device, const DeviceStatus *status);
