/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is not as it should be. Both return what a method of a vtable has to return. */

#include <systemd/sd-bus.h>

typedef struct Bus Bus;

/* "a{sv}", a filter; answered with "aa{sv}ss", one page, the next one's token, and what the configuration says
 * becomes of it. */
int drift_call_list(Bus *bus, sd_bus_message *m);

/* "a{sv}", options; answered with "aa{sv}", a result for each device, when the work is done. */
int drift_call_repair(Bus *bus, sd_bus_message *m);
