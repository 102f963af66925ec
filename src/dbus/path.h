/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where things are on the bus. Names and handles have characters that an object path cannot have; those are escaped
 * as libsystemd does it: "." becomes "_2e". */

#include "inventory/inventory.h"

#define BUS_NAME          "org.hsvdpa"
#define MANAGER_PATH      "/org/hsvdpa"
#define DEVICE_PATH       MANAGER_PATH "/device"
#define MGMTDEV_PATH      MANAGER_PATH "/mgmtdev"
#define MANAGER_INTERFACE "org.hsvdpa.Manager1"
#define DEVICE_INTERFACE  "org.hsvdpa.Device1"
#define MGMTDEV_INTERFACE "org.hsvdpa.ManagementDevice1"

/* The path of an object; the caller frees it. NULL: out of memory. */
char *path_of_device(const char *name);
char *path_of_mgmtdev(const char *handle);

/* What is there. Returns 1 with *ret, 0 if there is nothing, or -ENOMEM. */
int path_find_device(Inventory *inventory, const char *path, Device **ret);
int path_find_mgmtdev(Inventory *inventory, const char *path, Mgmtdev **ret);
