/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/operation.h"

/* The renew verb: gives the device's lease its full time again; that is durable before the answer. */
void renew_run(Verb *verb);
