/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/verb.h"

/* The verb that changes what is set of a management device. One after the other, as each builds on what the one
 * before has left. */
void mgmtdev_update_run(Verb *verb);
