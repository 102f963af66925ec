/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Many devices in one call. Each method reads its arguments from where the message stands and answers when all is
 * through, with the outcome of each item in the order of the items: "a(sobss)", the name, the path ("/": there is
 * none), whether it was made, and the name and the text of its error, both empty if there is none. Returns what a
 * method of a vtable has to return. */

#include <systemd/sd-bus.h>

/* Devices of one call: an answer about more could be longer than a bus takes. */
#define BATCH_CALL_MAX 1000u

typedef struct Bus Bus;

/* "a(sa{sv})a{sv}": names and specs, options. */
int batch_call_create(Bus *bus, sd_bus_message *m);

/* "a(sa{sv})a{sv}": names and options of each, options. */
int batch_call_delete(Bus *bus, sd_bus_message *m);
