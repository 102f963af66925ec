/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who may do what: root and the daemon's own user everything, others what polkit says. Where there is no polkit,
 * the members of the daemon's group. */

#include "dbus/call.h"

/* The actions of org.hsvdpa.policy. */
#define POLKIT_MANAGE    "org.hsvdpa.manage-devices"
#define POLKIT_INSPECT   "org.hsvdpa.inspect-devices"
#define POLKIT_CONFIGURE "org.hsvdpa.configure-management-devices"

/* Finds out whether the sender of call may do call->action, without waiting, and calls call->run(), or refuses and
 * frees the call. */
void polkit_check(Call *call);
