/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of dbus/ share: the Bus itself. Nobody else includes this. */

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "dbus/bus.h"
#include "dbus/call.h"
#include "dbus/signals.h"

struct Bus {
        sd_event *event;
        Lifecycle *lifecycle; /* weak */
        bool required;
        bool closing;

        sd_bus *bus;    /* NULL: there is none now */
        bool connected; /* we have our name on it */
        unsigned n_failures;
        bool has_complained;
        sd_event_source *retry;

        bool has_group;
        gid_t group; /* whose members may do everything where there is no polkit */

        CallList calls;
        Signals signals;
};

/* Whose the object is that a method was called on: the slot's userdata, which the object has replaced. */
static inline Bus *bus_of(sd_bus_message *m) {
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(m)));
}
