/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/operation.h"

/* The delete verb. */
void delete_run(Verb *verb);

/* Goes on with a deletion whose intent is durable. */
void delete_resume(Operation *op);
