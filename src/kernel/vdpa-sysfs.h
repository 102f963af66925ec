/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The vDPA bus as sysfs shows it. Reading here takes none of the kernel's global locks, so it answers even when
 * netlink does not. root: see kernel/sysfs.h. Device names must be valid (device_name_is_valid()). */

#include "inventory/mgmtdev.h"
#include "inventory/spec.h"
#include "kernel/sysfs.h"

bool vdpa_sysfs_has_bus(const char *root);
bool vdpa_sysfs_has_driver(const char *root, BusDriver driver);

/* Whether the kernel binds a new device to a driver by itself. */
bool vdpa_sysfs_get_autoprobe(const char *root);
/* Returns 0, or a negative errno. */
int vdpa_sysfs_set_autoprobe(const char *root, bool on);

/* Returns 1 if the device is there, 0 if it certainly is not, or a negative errno. */
int vdpa_sysfs_has_device(const char *root, const char *name);

/* The driver that the device is bound to. BUS_DRIVER_NONE also while it is being bound or unbound. Returns 0,
 * -ENODEV if there is no such device, or another negative errno. */
int vdpa_sysfs_get_driver(const char *root, const char *name, BusDriver *ret);

/* The directory of the device behind a management device's handle. Returns 0; -ENODEV if it is on no bus, and so
 * has none that can be found; or another negative errno. */
int vdpa_sysfs_get_mgmtdev_path(const char *root, const char *handle, char ret[SYSFS_PATH_MAX]);

/* The driver of that device. Returns 0, or a negative errno: as above, or -ENOENT if it has none. */
int vdpa_sysfs_get_mgmtdev_driver(const char *root, const char *handle, char ret[SYSFS_VALUE_MAX]);

/* Adds what sysfs knows of a management device: transport, numa_node, only_by_name. What cannot be found out is
 * left at "not known". */
void vdpa_sysfs_describe_mgmtdev(const char *root, MgmtdevInfo *info);

/* The number of devices that the management device may have at once, by its kernel driver; 0: no limit known. */
uint32_t vdpa_sysfs_get_device_limit(const char *root, const char *handle);

/* The number of vDPA devices whose parent has this directory; only those bound to driver, unless it is
 * BUS_DRIVER_NONE. Returns 0, or a negative errno. */
int vdpa_sysfs_count_children(const char *directory, BusDriver driver, uint32_t *ret);

/* The number of vDPA devices on the management device now; always 0 for one that is on no bus, since its devices
 * have no parent. Returns 0, or a negative errno. */
int vdpa_sysfs_count_devices(const char *root, const char *handle, uint32_t *ret);
