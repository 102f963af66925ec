/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A make-believe / in the directory of the test that runs: what sysfs, /dev and /proc look like to the kernel
 * backend. Here nobody is the kernel but the test. */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "unit.h"
#include "util/fs.h"

#define VDPA "sys/bus/vdpa"

/* The path of something under the root. */
_printf_(2, 3) static inline const char *tree_path(char buffer[512], const char *format, ...) {
        va_list ap;
        int n;

        n = snprintf(buffer, 512, "%s/", unit_directory());
        va_start(ap, format);
        (void) vsnprintf(buffer + n, (size_t) (512 - n), format, ap);
        va_end(ap);
        return buffer;
}

static inline void tree_directory(const char *path) {
        char buffer[512];

        ck_assert_int_eq(fs_make_directory(tree_path(buffer, "%s", path), 0755), 0);
}

/* Makes what is missing above it, too. */
static inline void tree_file(const char *path, const char *text) {
        char buffer[512], *slash;

        tree_path(buffer, "%s", path);
        slash = strrchr(buffer, '/');
        *slash = '\0';
        ck_assert_int_eq(fs_make_directory(buffer, 0755), 0);
        *slash = '/';
        unit_write_file(buffer, text, strlen(text));
}

static inline void tree_link(const char *path, const char *target) {
        char buffer[512], *slash;

        tree_path(buffer, "%s", path);
        slash = strrchr(buffer, '/');
        *slash = '\0';
        ck_assert_int_eq(fs_make_directory(buffer, 0755), 0);
        *slash = '/';
        ck_assert_int_eq(symlink(target, buffer), 0);
}

static inline void tree_remove(const char *path) {
        char buffer[512];

        ck_assert_int_eq(remove(tree_path(buffer, "%s", path)), 0);
}

static inline void tree_check_file(const char *path, const char *text) {
        char buffer[512];
        char *content = unit_read_file(tree_path(buffer, "%s", path), NULL);

        ck_assert_str_eq(content, text);
        free(content);
}

/* A bus with both drivers. */
static inline void tree_bus(void) {
        tree_directory("dev");
        tree_file(VDPA "/drivers_autoprobe", "1\n");
        tree_file(VDPA "/drivers/vhost_vdpa/bind", "");
        tree_file(VDPA "/drivers/vhost_vdpa/unbind", "");
        tree_file(VDPA "/drivers/virtio_vdpa/bind", "");
        tree_file(VDPA "/drivers/virtio_vdpa/unbind", "");
        tree_directory(VDPA "/devices");
}

/* A device without a parent, as the simulators make it. */
static inline void tree_device(const char *name) {
        char path[256], target[256];

        (void) snprintf(path, sizeof path, "sys/devices/%s/driver_override", name);
        tree_file(path, "");
        (void) snprintf(path, sizeof path, "sys/devices/%s/subsystem", name);
        tree_link(path, "../../bus/vdpa");
        (void) snprintf(path, sizeof path, VDPA "/devices/%s", name);
        (void) snprintf(target, sizeof target, "../../../devices/%s", name);
        tree_link(path, target);
}

/* A device of a PCI function, which need not exist before. */
static inline void tree_pci_device(const char *function, const char *name) {
        char path[256], target[256];

        (void) snprintf(path, sizeof path, "sys/devices/pci0/%s/%s/driver_override", function, name);
        tree_file(path, "");
        (void) snprintf(path, sizeof path, "sys/devices/pci0/%s/%s/subsystem", function, name);
        tree_link(path, "../../../../bus/vdpa");
        (void) snprintf(path, sizeof path, VDPA "/devices/%s", name);
        (void) snprintf(target, sizeof target, "../../../devices/pci0/%s/%s", function, name);
        tree_link(path, target);
}

/* Binds it, as far as one can see. */
static inline void tree_driver(const char *name, const char *driver) {
        char path[256], target[256];

        (void) snprintf(path, sizeof path, VDPA "/devices/%s/driver", name);
        (void) snprintf(target, sizeof target, "../../bus/vdpa/drivers/%s", driver);
        tree_link(path, target);
}
