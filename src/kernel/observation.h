/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What there is to see of one device. */

#include "kernel/context.h"

/* What BackendOps says of observe. */
int observation_look(KernelBackend *k, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret,
                     Failure *f);

/* The endpoint as it is now; none if nobody can say which it is. What is done to one device looks for it several
 * times, so that the last one is kept: to see that it is still there is quicker than to find it. Returns 0, or a
 * negative errno with f set. */
int observation_find_endpoint(KernelBackend *k, const char *name, BusDriver *ret_driver, Endpoint *ret, Failure *f);

/* That is the endpoint of the device just now, as somebody else has found. seen_at: see Found. */
void observation_note_endpoint(KernelBackend *k, const char *name, BusDriver driver, const Endpoint *endpoint,
                               uint64_t seen_at);

/* That is who may open the device's endpoint just now. */
void observation_note_access(KernelBackend *k, const char *name, const EndpointSpec *access);
