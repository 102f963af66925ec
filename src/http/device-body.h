/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A device as a request gives it: {"name": ..., "spec": {...}}. */

#include "inventory/spec.h"
#include "util/json.h"

/* The member spec of object, where d stands; NULL, with a fault, if it is not there, or no object. */
json_t *http_device_body_take_spec(JsonDecoder *d, json_t *object);

/* Decodes the whole object. name: of the path, which the object's must be then, or NULL. Sets *ret_name to the
 * object's, if it has one; borrowed from object. Returns 0, or -EINVAL with faults, or -ENOMEM. */
int http_device_body_decode(JsonDecoder *d, json_t *object, const char *name, const char **ret_name,
                            DeviceSpec *ret);

/* The member of object that names a device, which may be absent: NULL then, and, with a fault, if it is no device
 * name. */
const char *http_device_body_take_name(JsonDecoder *d, json_t *object, const char *member);
