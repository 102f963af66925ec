/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many virtqueues a device has is for its driver to say, and known only when it is made. One with more of them
 * than were planned gets what they need, durably, before it is handed out; if that does not fit, it goes again. */

#include "lifecycle/operation.h"

/* The device was made, and has more virtqueues than it holds MSI entries for. */
bool grow_is_needed(const Device *device, const DeviceStatus *status);

/* done() or failed() is called in the end; when failed() is, the task's failure says why, and whether anything is
 * left over. */
void grow_run(Operation *op, operation_step_t done, operation_step_t failed);
