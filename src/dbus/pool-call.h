/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The manager's methods about pools; as those of dbus/device-call.h. */

#include <systemd/sd-bus.h>

typedef struct Bus Bus;

/* Nothing. */
int pool_call_list(Bus *bus, sd_bus_message *m);

/* "s": the pool. */
int pool_call_get(Bus *bus, sd_bus_message *m);

/* "sa{sv}a{sv}": the pool, its spec, options. */
int pool_call_set(Bus *bus, sd_bus_message *m);

/* "sa{sv}": the pool, options. */
int pool_call_remove(Bus *bus, sd_bus_message *m);

/* "sa{sv}a{sv}": the pool, what the device is given, options. */
int pool_call_claim(Bus *bus, sd_bus_message *m);

/* "ssa{sv}": the pool, the device, options. */
int pool_call_return(Bus *bus, sd_bus_message *m);
