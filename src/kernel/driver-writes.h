/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes to the files of the vDPA bus that bind a device to a driver and unbind it, made where they may hang. */

#include "inventory/error.h"
#include "kernel/detached.h"

/* The file of a device that says which driver alone may be bound to it. */
#define DRIVER_OVERRIDE "driver_override"

/* How long the kernel may take before the thread that waits for it is left behind. */
#define DRIVER_WRITES_USEC (10 * USEC_PER_SEC)

/* A list of writes to come, all to one device. Building it never fails; running it does, if it could not be
 * built. */
typedef struct DriverWrites {
        const char *root; /* see kernel/sysfs.h; borrowed, as all */
        Detached *detached;
        const char *device;
        WriteStep steps[DETACHED_STEPS_MAX];
        size_t n;
        int error;
} DriverWrites;

void driver_writes_init(DriverWrites *w, const char *root, Detached *detached, const char *device);

/* From now on only driver can be bound to the device; BUS_DRIVER_NONE: nothing can. */
void driver_writes_add_override(DriverWrites *w, BusDriver driver);

void driver_writes_add_bind(DriverWrites *w, BusDriver driver);

/* It is as good if the device is not bound to the driver. */
void driver_writes_add_unbind(DriverWrites *w, BusDriver driver);

/* As detached_start_writes(). */
int driver_writes_start(const DriverWrites *w, DetachedJob **ret);

/* Starts, and finishes within the time. */
int driver_writes_run(const DriverWrites *w, uint64_t timeout_usec);

/* On the calling thread, which waits for whoever has the device's lock: only for a device that nobody else can be
 * about to bind, to unbind or to delete. Returns as detached_finish(). */
int driver_writes_run_here(const DriverWrites *w);

/* Says what became of a job for the device that was to do what ("unbind"). error: of detached_...(). Returns a
 * negative errno, -ENODEV with ERROR_DEVICE_NOT_FOUND if the device has gone: that explains every error. */
int driver_writes_failure(const DriverWrites *w, const char *what, int error, Failure *f);
