/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/operation.h"

/* The delete verb. */
void delete_run(Verb *verb);

/* The device that the verb means is known to have gone: another one may have its name by now. */
bool delete_is_over(const Verb *verb);

/* Goes on with a deletion whose intent is durable. */
void delete_resume(Operation *op);
