/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What becomes of a deletion that gives a device back to a pool. */

#include "lifecycle/operation.h"

/* The verb. */
void return_run(Verb *verb);

/* The intent to delete is durable. True if the device is to be scrubbed instead, because the verb says that it goes
 * back to a pool, which has a place for it: then() is called afterwards. */
bool return_begin(Operation *op, operation_step_t then);

/* It is scrubbed: ends the operation, with the device free again, under another uid. Returns 0; or a negative errno
 * with nothing done if the pool has gone, or without memory. */
int return_finish(Operation *op);
