/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lifecycle/verb.h"

/* Looking for the users of devices takes time, on a host with many processes; more than these are not waited for.
 */
#define USERS_QUEUED_MAX 256

/* lifecycle_get_users(). */
void users_run(Verb *verb);

/* Looks who uses the device, on a thread of its own, and tells; the device may be gone then. Returns 0, or -EAGAIN
 * (too many look already), or -ENOMEM. */
typedef void (*users_found_t)(void *userdata, int in_use, const DeviceUsers *users);
int users_look(Lifecycle *l, const char *name, users_found_t found, void *userdata);
