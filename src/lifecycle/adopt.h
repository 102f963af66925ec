/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Takes a foreign device over: its record is made of what is observed of it. Nothing is done to the device but that
 * its endpoint is given to who it was asked for, so its user does not notice. */

#include "lifecycle/verb.h"

/* The run function of a verb with a name and adopt_spec, members of a spec that must fit what is observed. */
void adopt_run(Verb *verb);
