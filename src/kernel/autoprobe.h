/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the kernel binds new vDPA devices by itself: a setting of the whole bus.
 *
 * It binds each to the driver that was loaded first. One that is meant for the other driver is unbound again, which
 * costs more than all the rest of making it. With the bus to itself the daemon turns that off, and back on when it
 * ends. That it has, is noted in a file of the runtime directory, before it is done: it is found by the next daemon
 * if this one dies, and goes with the setting itself when the host is booted. */

#include <stdbool.h>

#include "util/macro.h"

typedef struct Autoprobe Autoprobe;

/* exclusive: nobody else's devices are to be bound by the kernel. Nothing is changed yet. root: see kernel/sysfs.h;
 * runtime_dir: where the note is; NULL: nowhere, and then nothing is ever changed. Both are copied. Returns 0 or
 * -ENOMEM. */
int autoprobe_new(const char *root, const char *runtime_dir, bool exclusive, Autoprobe **ret);

/* Makes the setting what it has to be, if the bus is there: off if exclusive, also when others have turned it on
 * again; else on again, if an exclusive daemon that has died had turned it off. What goes wrong is logged once. */
void autoprobe_apply(Autoprobe *a);

/* Turns it on again, if it was turned off here. */
Autoprobe *autoprobe_free(Autoprobe *a);
DEFINE_CLEANUP(Autoprobe *, autoprobe_free)
