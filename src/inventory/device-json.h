/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "inventory/device.h"
#include "util/json-writer.h"

/* What has gone wrong; NULL: nothing has. A new reference, or NULL when out of memory. */
json_t *reason_encode(const Failure *reason);

/* Writes the device as the API shows it. */
void device_write(JsonWriter *w, const char *key, const Device *device);

/* The same as a text of its own, to be freed, and as a tree, a new reference; each NULL when out of memory. */
char *device_format(const Device *device);
json_t *device_encode(const Device *device);
