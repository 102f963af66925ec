/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/operation.h"

/* The create verb: confirms the device that is there, or places and makes it. */
void create_run(Verb *verb);

/* Goes on with a creation whose intent is durable: from the backend's steps to the answer. */
void create_resume(Operation *op);
