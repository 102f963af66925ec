/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is recorded of a device, and when: before it is acted on or answered, or afterwards. */

#include "lifecycle/operation.h"

/* Records the device of op as it is now. recorded() is called when that is durable (failure is NULL), or cannot be;
 * at once if there is no memory for it. */
void record_operation(Operation *op, operation_recorded_t recorded);

/* The same, but as a device that holds nothing: what it holds is released when recorded() is called with success.
 */
void record_operation_released(Operation *op, operation_recorded_t recorded);

/* Answers the verb with the device, which nothing was done to, once its record says the same. */
void record_confirm(Verb *verb, Device *device);

/* Tries again to bring the record of a device that is behind, and has no operation, up to date. */
void record_catch_up(Lifecycle *l, Device *device);

/* Nobody waits for the following two: what they say can be observed again, so if they are lost, the next start
 * comes to the same end. One that fails is logged. */

/* Returns false if it could not even be queued, which is logged too. */
bool record_device(Lifecycle *l, const Device *device);

/* The device, which the host no longer has, goes from the inventory, which gets a new revision; its record follows.
 * What it held is released: its record says that it is being deleted, and such a one gives way to others that hold
 * the same when it is loaded again. */
bool record_removal(Lifecycle *l, Device *device);

/* The same for one whose record says otherwise: what it holds is the caller's to release when done() is called with
 * success. Returns 0, or a negative errno: done() is not called then. */
int record_removal_first(Lifecycle *l, const Device *device, store_done_t done, void *userdata);
