/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/operation.h"

/* The update verb: changes the spec of a ready device, and the device with it. */
void update_run(Verb *verb);
