/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/operation.h"

/* The get-stats verb: asks the backend, changes nothing. */
void stats_run(Verb *verb);
