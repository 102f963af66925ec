/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/binding.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kernel/driver-writes.h"
#include "kernel/failure.h"
#include "kernel/release.h"
#include "kernel/vdpa-sysfs.h"
#include "util/clock.h"

/* An endpoint is there when its driver is bound, unless modules have to be loaded for it first. */
#define ENDPOINT_USEC (5 * USEC_PER_SEC)

static int bind_unbound(const char *root, Detached *detached, const char *name, BusDriver driver, Failure *f) {
        DriverWrites w;
        BusDriver now;
        int r;

        driver_writes_init(&w, root, detached, name);
        driver_writes_add_override(&w, driver);
        driver_writes_add_bind(&w, driver);
        r = driver_writes_run(&w, DRIVER_WRITES_USEC);
        /* Someone else was faster. */
        if (r < 0 && vdpa_sysfs_get_driver(root, name, &now) >= 0 && now == driver)
                return 0;
        if (r == -EOPNOTSUPP)
                return failure_set(f, ERROR_NOT_SUPPORTED, r,
                                   "%s cannot drive '%s': this kernel does not support it for such a device.",
                                   bus_driver_name(driver), name);

        return r < 0 ? driver_writes_failure(&w, "bind", r, f) : 0;
}

/* For a device that is bound already: this only keeps the choice when the whole bus is probed again. */
static int keep_bound(const char *root, Detached *detached, const char *name, BusDriver driver, bool is_new,
                      Failure *f) {
        DriverWrites w;
        int r;

        driver_writes_init(&w, root, detached, name);
        driver_writes_add_override(&w, driver);
        r = is_new ? driver_writes_run_here(&w) : driver_writes_run(&w, DRIVER_WRITES_USEC);
        return r < 0 ? driver_writes_failure(&w, "set the driver_override of", r, f) : 0;
}

int binding_attach(const char *root, Detached *detached, const char *name, BusDriver driver, bool is_new,
                   Failure *f) {
        BusDriver now;
        int r;

        r = vdpa_sysfs_get_driver(root, name, &now);
        if (r < 0)
                return kernel_failure_sysfs(f, name, r);
        if (now != driver && !vdpa_sysfs_has_driver(root, driver))
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, ENOENT,
                                   "The bus driver %s is not there: load it with \"modprobe %s\".",
                                   bus_driver_name(driver), bus_driver_name(driver));

        if (now == driver)
                return keep_bound(root, detached, name, driver, is_new, f);

        if (now != BUS_DRIVER_NONE)
                r = release_device(root, detached, name, driver, NULL, f);
        return r < 0 ? r : bind_unbound(root, detached, name, driver, f);
}

int binding_wait(const char *root, const char *name, BusDriver driver, Endpoint *ret, Failure *f) {
        int r;

        r = endpoint_wait(root, name, driver, ENDPOINT_USEC, ret);
        return r < 0 ? endpoint_failure(root, name, driver, r, f) : 0;
}

bool binding_take_next(const char *root, const char *name, const Endpoint *last, Endpoint *ret,
                       uint64_t *ret_inode) {
        char path[SYSFS_PATH_MAX];
        _cleanup_close_ int directory = -1;
        struct stat st;

        if (sysfs_path(path, "%s/sys/bus/vdpa/devices/%s", root, name) < 0)
                return false;
        directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0 || fstat(directory, &st) < 0 || !endpoint_take_next(root, name, directory, last, ret) ||
            sysfs_write_at(directory, DRIVER_OVERRIDE, bus_driver_name(BUS_DRIVER_VHOST_VDPA)) < 0)
                return false;

        *ret_inode = st.st_ino;
        return true;
}
