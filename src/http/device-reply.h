/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The done() of verbs on devices; the userdata is a reference to the request, which they let go of. */

#include "http/request.h"

/* Of those that leave a device. */
void http_device_on_changed(void *request, const Outcome *outcome);

/* Of those that leave none. */
void http_device_on_deleted(void *request, const Outcome *outcome);
