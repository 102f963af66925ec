/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/vdpa-sysfs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/vdpa-uapi.h"

/* Kernel drivers whose management devices take one device each. Most refuse a second one in their own way; vp-vdpa
 * and ifcvf do not look, forget the first one, and later free the wrong one. */
static const char *const single_device_drivers[] = {
        "ifcvf", "mlx5_core", "mlx5_core.sf", "octep_vdpa", "pds_vdpa.vDPA", "vp-vdpa",
};

bool vdpa_sysfs_has_bus(const char *root) {
        char path[SYSFS_PATH_MAX];

        return sysfs_path(path, "%s/sys/bus/vdpa", root) >= 0 && sysfs_exists(path);
}

bool vdpa_sysfs_has_driver(const char *root, BusDriver driver) {
        const char *name = bus_driver_name(driver);
        char path[SYSFS_PATH_MAX];

        return name && sysfs_path(path, "%s/sys/bus/vdpa/drivers/%s", root, name) >= 0 && sysfs_exists(path);
}

bool vdpa_sysfs_get_autoprobe(const char *root) {
        char path[SYSFS_PATH_MAX];
        long on;

        return sysfs_path(path, "%s/sys/bus/vdpa/drivers_autoprobe", root) >= 0 &&
               sysfs_read_number(path, &on) >= 0 && on != 0;
}

int vdpa_sysfs_set_autoprobe(const char *root, bool on) {
        char path[SYSFS_PATH_MAX];
        int r = sysfs_path(path, "%s/sys/bus/vdpa/drivers_autoprobe", root);

        return r < 0 ? r : sysfs_write(path, on ? "1" : "0");
}

int vdpa_sysfs_has_device(const char *root, const char *name) {
        char path[SYSFS_PATH_MAX];
        struct stat st;
        int r;

        r = sysfs_path(path, "%s/sys/bus/vdpa/devices/%s", root, name);
        if (r < 0)
                return r;
        if (lstat(path, &st) >= 0)
                return 1;
        if (errno != ENOENT)
                return -errno;

        /* Without any sysfs this would say that no device exists. */
        r = sysfs_path(path, "%s/sys/bus", root);
        if (r < 0)
                return r;
        return lstat(path, &st) < 0 ? -errno : 0;
}

int vdpa_sysfs_get_driver(const char *root, const char *name, BusDriver *ret) {
        char path[SYSFS_PATH_MAX], driver[SYSFS_VALUE_MAX];
        int r;

        r = sysfs_path(path, "%s/sys/bus/vdpa/devices/%s/driver", root, name);
        if (r < 0)
                return r;
        r = sysfs_read_link_name(path, driver);
        if (r == -ENOENT) {
                r = vdpa_sysfs_has_device(root, name);
                if (r == 0)
                        return -ENODEV;
                if (r > 0)
                        *ret = BUS_DRIVER_NONE;
                return r < 0 ? r : 0;
        }
        if (r < 0)
                return r;

        *ret = BUS_DRIVER_OTHER;
        (void) bus_driver_parse(driver, ret);
        return 0;
}

int vdpa_sysfs_get_mgmtdev_path(const char *root, const char *handle, char ret[SYSFS_PATH_MAX]) {
        const char *slash = strchr(handle, '/');

        if (!slash)
                return -ENODEV;
        if (!handle_is_valid(handle))
                return -EINVAL;

        return sysfs_path(ret, "%s/sys/bus/%.*s/devices/%s", root, (int) (slash - handle), handle, slash + 1);
}

static bool has_file(const char *directory, const char *file) {
        char path[SYSFS_PATH_MAX];

        return sysfs_path(path, "%s/%s", directory, file) >= 0 && sysfs_exists(path);
}

static Transport get_transport(const char *handle, const char *directory) {
        if (strncmp(handle, "pci/", 4) == 0)
                return has_file(directory, "physfn") ? TRANSPORT_PCI_VF : TRANSPORT_PCI_PF;
        if (strncmp(handle, "auxiliary/", 10) != 0)
                return TRANSPORT_OTHER;
        if (strstr(handle, ".sf."))
                return TRANSPORT_SUBFUNCTION;

        /* Some PCI drivers put the management device on an auxiliary device of their function. */
        if (has_file(directory, "../physfn"))
                return TRANSPORT_PCI_VF;
        return has_file(directory, "../vendor") ? TRANSPORT_PCI_PF : TRANSPORT_OTHER;
}

static int get_numa_node(const char *directory) {
        static const char *const files[] = { "numa_node", "../numa_node" };
        char path[SYSFS_PATH_MAX];
        long node;

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (sysfs_path(path, "%s/%s", directory, files[i]) >= 0 && sysfs_read_number(path, &node) >= 0)
                        return node >= 0 && node < 65536 ? (int) node : -1;

        return -1;
}

int vdpa_sysfs_get_mgmtdev_driver(const char *root, const char *handle, char ret[SYSFS_VALUE_MAX]) {
        char path[SYSFS_PATH_MAX], link[SYSFS_PATH_MAX];
        int r;

        r = vdpa_sysfs_get_mgmtdev_path(root, handle, path);
        if (r >= 0)
                r = sysfs_path(link, "%s/driver", path);
        return r < 0 ? r : sysfs_read_link_name(link, ret);
}

uint32_t vdpa_sysfs_get_device_limit(const char *root, const char *handle) {
        char driver[SYSFS_VALUE_MAX];

        if (vdpa_sysfs_get_mgmtdev_driver(root, handle, driver) < 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(single_device_drivers); i++)
                if (strcmp(driver, single_device_drivers[i]) == 0)
                        return 1;

        return 0;
}

void vdpa_sysfs_describe_mgmtdev(const char *root, MgmtdevInfo *info) {
        char path[SYSFS_PATH_MAX];

        info->transport = TRANSPORT_OTHER;
        info->numa_node = -1;
        info->only_by_name = strcmp(info->handle, VDUSE_HANDLE) == 0;
        if (vdpa_sysfs_get_mgmtdev_path(root, info->handle, path) < 0)
                return;

        info->transport = get_transport(info->handle, path);
        info->numa_node = get_numa_node(path);
}

static bool link_is(const char *directory, const char *entry, const char *link, const char *name) {
        char path[SYSFS_PATH_MAX], target[SYSFS_VALUE_MAX];

        return sysfs_path(path, "%s/%s/%s", directory, entry, link) >= 0 &&
               sysfs_read_link_name(path, target) >= 0 && strcmp(target, name) == 0;
}

int vdpa_sysfs_count_children(const char *directory, BusDriver driver, uint32_t *ret) {
        const char *driver_name = bus_driver_name(driver);
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        uint32_t n = 0;

        d = opendir(directory);
        if (!d)
                return -errno;

        while ((entry = readdir(d))) {
                if (entry->d_name[0] == '.' || !link_is(directory, entry->d_name, "subsystem", "vdpa"))
                        continue;
                if (!driver_name || link_is(directory, entry->d_name, "driver", driver_name))
                        n++;
        }

        *ret = n;
        return 0;
}

int vdpa_sysfs_count_devices(const char *root, const char *handle, uint32_t *ret) {
        char path[SYSFS_PATH_MAX];
        int r;

        r = vdpa_sysfs_get_mgmtdev_path(root, handle, path);
        if (r == -ENODEV) {
                *ret = 0;
                return 0;
        }
        if (r < 0)
                return r;

        return vdpa_sysfs_count_children(path, BUS_DRIVER_NONE, ret);
}
