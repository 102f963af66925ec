/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The D-Bus interface: org.hsvdpa on the system bus, on the daemon's loop.
 *
 * The bus may come later, and may go: it is looked for again, less and less often. Nothing here waits for it. */

#include "lifecycle/lifecycle.h"

typedef struct Bus Bus;

/* required: that there is no bus is worth a warning. The group's members may do everything where there is no
 * polkit. The lifecycle is borrowed. Returns 0, or a negative errno. */
int bus_new(sd_event *event, Lifecycle *lifecycle, const char *group, bool required, Bus **ret);

/* Looks for no other bus from now on. Calls that are under way are answered. */
void bus_quiesce(Bus *bus);

/* Waits at most timeout_usec until what was answered is on its way. */
void bus_drain(Bus *bus, uint64_t timeout_usec);

/* When no call is under way in the lifecycle. */
Bus *bus_free(Bus *bus);
DEFINE_CLEANUP(Bus *, bus_free)
