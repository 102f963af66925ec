/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/driver-writes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/failure.h"
#include "kernel/vdpa-sysfs.h"
#include "util/clock.h"

/* A name that no driver has. */
#define NO_DRIVER "none"

void driver_writes_init(DriverWrites *w, const char *root, Detached *detached, const char *device) {
        *w = (DriverWrites){ .root = root, .detached = detached, .device = device };
}

_printf_(4, 5) static void add(DriverWrites *w, bool maybe_absent, const char *text, const char *format, ...) {
        WriteStep *step = &w->steps[w->n];
        va_list ap;
        int length;

        if (w->n >= DETACHED_STEPS_MAX || strlen(text) >= sizeof step->text) {
                w->error = -EINVAL;
                return;
        }

        va_start(ap, format);
        length = vsnprintf(step->path, sizeof step->path, format, ap);
        va_end(ap);
        if (length < 0 || (size_t) length >= sizeof step->path) {
                w->error = -ENAMETOOLONG;
                return;
        }

        strcpy(step->text, text);
        step->maybe_absent = maybe_absent;
        w->n++;
}

void driver_writes_add_override(DriverWrites *w, BusDriver driver) {
        add(w, false, driver == BUS_DRIVER_NONE ? NO_DRIVER : bus_driver_name(driver),
            "%s/sys/bus/vdpa/devices/%s/" DRIVER_OVERRIDE, w->root, w->device);
}

/* The driver's own file and not drivers_probe, which keeps the reason of a failure to itself. */
void driver_writes_add_bind(DriverWrites *w, BusDriver driver) {
        add(w, false, w->device, "%s/sys/bus/vdpa/drivers/%s/bind", w->root, bus_driver_name(driver));
}

void driver_writes_add_unbind(DriverWrites *w, BusDriver driver) {
        add(w, true, w->device, "%s/sys/bus/vdpa/drivers/%s/unbind", w->root, bus_driver_name(driver));
}

int driver_writes_start(const DriverWrites *w, DetachedJob **ret) {
        return w->error < 0 ? w->error : detached_start_writes(w->detached, w->device, w->steps, w->n, ret);
}

int driver_writes_run(const DriverWrites *w, uint64_t timeout_usec) {
        DetachedJob *job;
        int r;

        r = driver_writes_start(w, &job);
        if (r < 0)
                return r;

        return detached_finish(w->detached, job, clock_monotonic_usec() + timeout_usec);
}

int driver_writes_run_here(const DriverWrites *w) {
        return w->error < 0 ? w->error : write_steps(w->steps, w->n);
}

int driver_writes_failure(const DriverWrites *w, const char *what, int error, Failure *f) {
        char since[RFC3339_MAX];

        clock_format(w->detached->hangs_since_usec, since);
        if (error == -EALREADY)
                return failure_set(f, ERROR_BACKEND_FAILED, error,
                                   "An earlier attempt to bind, unbind or open '%s' has been hanging in the kernel "
                                   "since %s: something still uses the device, or it does not answer.",
                                   w->device, since);
        if (error == -EINPROGRESS)
                return failure_set(f, ERROR_BACKEND_FAILED, ETIMEDOUT,
                                   "The attempt to %s '%s' has been hanging in the kernel since %s. It goes on by "
                                   "itself when the device answers, or whoever still uses it lets go.",
                                   what, w->device, since);
        if (error == -EAGAIN)
                return failure_set(f, ERROR_BACKEND_FAILED, error,
                                   "Could not %s '%s': no thread can be had for it, or too many of them hang.",
                                   what, w->device);
        if (vdpa_sysfs_has_device(w->root, w->device) == 0)
                return kernel_failure_no_device(f, w->device);

        return failure_set(f, kernel_error_code(error, ERROR_BACKEND_FAILED), error, "Could not %s '%s': %s.", what,
                           w->device, kernel_error_text(error));
}
