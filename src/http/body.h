/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "inventory/error.h"
#include "util/json.h"

/* Deeper and larger than anything that there is to ask for. */
#define HTTP_BODY_DEPTH_MAX  32
#define HTTP_BODY_VALUES_MAX (1 << 20)

/* Parses a request's body, which must be one JSON object without duplicate keys. Returns 0 with a new reference,
 * or a negative errno with the failure and, where something is wrong with the text, one fault filled in. */
int http_body_parse(const char *text, size_t n, JsonFaults *faults, Failure *f, json_t **ret);
