/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/json-writer.h"

/* Writes the names of the features of a class, as an array. On the loop's thread only. */
void features_write(JsonWriter *w, const char *key, unsigned class, uint64_t features);

/* The same as a tree: a new reference, or NULL when out of memory. */
json_t *features_encode(unsigned class, uint64_t features);
