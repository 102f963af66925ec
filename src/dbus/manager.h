/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /org/hsvdpa: org.hsvdpa.Manager1. */

#include <systemd/sd-bus.h>

typedef struct Bus Bus;

/* Adds the object to a connection. Returns 0, or a negative errno. */
int manager_add(Bus *bus, sd_bus *connection);
