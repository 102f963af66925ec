/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The methods that act on a device, which both the manager and the device itself have. Each reads its arguments
 * from where the message stands, and answers: at once if they are wrong, else when the work is done. Returns what a
 * method of a vtable has to return. */

#include <systemd/sd-bus.h>

typedef struct Bus Bus;

/* "sa{sv}a{sv}": the name or "", the spec, options. */
int device_call_create(Bus *bus, sd_bus_message *m);

/* "sa{sv}a{sv}": the name or "", the spec, options. */
int device_call_plan(Bus *bus, sd_bus_message *m);

/* "a{sv}": options. */
int device_call_delete(Bus *bus, sd_bus_message *m, const char *name);

/* "a{sv}a{sv}": what changes of the spec, options. */
int device_call_update(Bus *bus, sd_bus_message *m, const char *name);

/* "a{sv}": options. */
int device_call_renew(Bus *bus, sd_bus_message *m, const char *name);

/* "sa{sv}a{sv}": the name of a device that is not ours yet, members of a spec, options. */
int device_call_adopt(Bus *bus, sd_bus_message *m);

/* Nothing. */
int device_call_get_stats(Bus *bus, sd_bus_message *m, const char *name);
