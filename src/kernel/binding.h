/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Binding a device to a bus driver. */

#include "inventory/error.h"
#include "kernel/detached.h"
#include "kernel/endpoint.h"

/* Binds the device to the driver, away from the other one if nobody uses it there (see kernel/release.h), and waits
 * for the endpoint, which is in ret then. Nothing to do if all of that is so. is_new: it was just made, and nobody
 * has been told of it. root: see kernel/sysfs.h. Returns 0, or a negative errno with f set. */
int binding_attach(const char *root, Detached *detached, const char *name, BusDriver driver, bool is_new,
                   Endpoint *ret, Failure *f);
