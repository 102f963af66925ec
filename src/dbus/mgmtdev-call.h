/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The method that acts on a management device, which both the manager and the object itself have. It reads its
 * arguments, "a{sv}a{sv}": the settings, options, from where the message stands, and answers when the work is done.
 * Returns what a method of a vtable has to return. */

#include <systemd/sd-bus.h>

typedef struct Bus Bus;

int mgmtdev_call_update(Bus *bus, sd_bus_message *m, const char *handle);
