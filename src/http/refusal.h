/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/request.h"

/* Looks at the header of a request: finds the route, or what is wrong, in r->refusal. discard_max: bytes of body
 * over its limit that may be read only to drop them. Returns true if the refusal should be answered before the body
 * is read. */
bool http_refuse(HttpRequest *r, bool is_tcp, const char *method, const char *url, uint64_t discard_max);
