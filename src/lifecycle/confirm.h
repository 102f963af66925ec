/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* At a start nearly all devices are what they were when the daemon stopped. Of many of them that is found out in
 * one piece of the worker's work, without an operation for each; the others are gone after one by one (recovery.h).
 */

#include <stdbool.h>
#include <stddef.h>

#include "lifecycle/lifecycle.h"

typedef struct Confirm Confirm;

typedef struct Confirms {
        Confirm *next; /* owned: what is being put together, or NULL */
        size_t n_under_way;
} Confirms;

/* Whether the device can be one of many: it was recorded as ready, with what it holds, in this boot. */
bool confirm_is_possible(const Lifecycle *l, const Device *device);

/* Adds it. Returns 0, or -ENOMEM, or -EAGAIN: enough is under way. */
int confirm_add(Lifecycle *l, const Device *device);

/* Begins what was put together. When it is through, recovery_continue() is called. */
void confirm_run(Lifecycle *l);

/* The device is as it was recorded, down to the revision. */
void confirm_device(Lifecycle *l, Device *device, const DeviceStatus *status);

void confirm_done(Lifecycle *l);
