/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Taking a device away from its bus driver.
 *
 * Who unbinds or deletes a device whose endpoint is open waits in the kernel until it is closed; with DEV_DEL, that
 * stops every other vDPA command on the host. To look first is not enough, since it can be opened in between. So
 * the endpoint is first opened here, exclusively: then nobody else has it, and nobody can get it. */

#include "inventory/error.h"
#include "inventory/user.h"
#include "kernel/detached.h"

/* Leaves the device without a driver; from then on only next can be bound to it, or nothing at all if that is
 * BUS_DRIVER_NONE, so that DEV_DEL cannot block any more. Nothing to do for a device that has no driver and is not
 * just losing one. root: see kernel/sysfs.h. Returns 0; -EBUSY with ERROR_IN_USE: the endpoint is in use, by
 * whom is in ret_users (which may be NULL) as far as it is known, and the device left as it was; -ENODEV with
 * ERROR_DEVICE_NOT_FOUND: it is not there; or another negative errno, with f saying what was done. */
int release_device(const char *root, Detached *detached, const char *name, BusDriver next, DeviceUsers *ret_users,
                   Failure *f);

/* Whether nobody has the device open just now, which resets one that nobody has. Returns 0, -EBUSY with
 * ERROR_IN_USE, or another negative errno. */
int release_check_idle(const char *root, Detached *detached, const char *name, Failure *f);
