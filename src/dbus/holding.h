/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices that are held by a connection to the bus, and go with it. A holder is named by the bus and the unique
 * name of the connection, which a bus never gives to another: so it can be told after a restart of the daemon, or
 * of the bus, whether the holder is still there. */

#include <systemd/sd-bus.h>

#include "inventory/holder.h"

typedef struct Bus Bus;

/* Writes the name of the holder that sender, a unique name, is. The bus is connected. Returns 0, or a negative
 * errno. */
int holding_name(sd_bus *connection, const char *sender, char ret[HOLDER_MAX]);

/* sender has left the bus. */
void holding_note_departure(Bus *bus, const char *sender);

/* The bus is there (again): looks which holders are not. */
void holding_check(Bus *bus);
