/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes devices what their specs say again, after others have changed them. Nothing is taken away from anyone: a
 * device in use stays as it is, and what cannot be changed in place is made anew only if that was asked for. */

#include "inventory/drift.h"
#include "lifecycle/verb.h"

/* The run function of a verb that repairs one device; verb->may_recreate. */
void repair_run(Verb *verb);

/* Of a device that was just looked at and has no operation: begins what can be done by itself, if that is wanted.
 * One that fails is tried again, later and later. */
void repair_enforce(Lifecycle *l, Device *device);
