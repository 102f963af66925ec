/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A new network interface has a name of the kernel's until udev is through with it. An operation does not end
 * before that, so that nobody is told a name that is gone a moment later; but the backend's worker does not wait
 * for it: it has other devices to make. */

#include "lifecycle/operation.h"

/* The operation's machine is through: whether its end has to wait. Then machine_settle() runs after a while, or
 * after a hint, and this is asked again. */
bool settle_await(Operation *op);

/* Something has come to pass about the operation's device: looks now, if that is awaited. */
void settle_hint(Operation *op);
