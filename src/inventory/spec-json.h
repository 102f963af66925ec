/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The JSON form of a spec, for REST, for the store, and to compare two specs. */

#include "inventory/spec.h"
#include "util/json-writer.h"
#include "util/json.h"

/* Decodes and normalises. object is what stands at the path where d stands ("/spec"); every fault is added to
 * d's list with its JSON pointer. Returns 0, or -EINVAL if there are faults, or -ENOMEM; ret is set only on
 * success. */
int device_spec_decode(JsonDecoder *d, json_t *object, DeviceSpec *ret);

/* Adds the fault of a member "name" that is no name of a device, or of a pool. size: of such names, with their NUL.
 */
void json_fault_name(JsonDecoder *d, size_t size);

/* Decodes labels alone, as a PATCH has them: d stands at them. Faults are added to d's list. Returns 0 with a new
 * reference in *ret (NULL: no labels, or faults), or -ENOMEM. */
int labels_decode(JsonDecoder *d, json_t *labels, json_t **ret);

/* The labels (NULL: none) with changes made to them, of which null removes one. Nothing is checked. Returns 0 with
 * a new reference, or -ENOMEM. */
int labels_merge(const json_t *labels, json_t *changes, json_t **ret);

/* Writes all of it, defaults included. */
void device_spec_write(JsonWriter *w, const char *key, const DeviceSpec *spec);

/* The same as a text of its own, to be freed, and as a tree, a new reference; each NULL when out of memory. */
char *device_spec_format(const DeviceSpec *spec);
json_t *device_spec_encode(const DeviceSpec *spec);

/* True if both ask for the same thing. Needs no memory. */
bool device_spec_equal(const DeviceSpec *a, const DeviceSpec *b);
