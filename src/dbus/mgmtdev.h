/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /org/hsvdpa/mgmtdev/...: org.hsvdpa.ManagementDevice1. */

#include <systemd/sd-bus.h>

typedef struct Bus Bus;

/* Adds the objects to a connection. Returns 0, or a negative errno. */
int mgmtdev_add(Bus *bus, sd_bus *connection);

/* Sends the properties of the management device that can change, as they are now. Returns 0, or a negative errno.
 */
int mgmtdev_emit_changed(sd_bus *connection, const char *handle);
