/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a new device goes: the management device that its spec names, or the one with the fewest devices among
 * those that can make it. */

#include "lifecycle/verb.h"

/* Chooses for a create verb. False: the verb was answered with the reason, of each candidate if there are several;
 * or it waits for a look at the host, because the management device that it names is not known. */
bool placement_choose(Verb *verb, Mgmtdev **ret);
