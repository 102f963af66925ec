/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The items that a request for many devices gives: {"devices": [{"name": ..., "spec": {...}}, ...]}; for a creation
 * beside that "spec", which those have that give none. */

#include "lifecycle/batch.h"
#include "util/json.h"

/* Takes these members of body, where d stands. Returns 0 with *ret_n items, one at least, for batch_items_free();
 * or -EINVAL with faults, or -ENOMEM, and then there are no items. kind: a BATCH_CREATE_ATOMIC is as a
 * BATCH_CREATE. */
int http_batch_body_decode(JsonDecoder *d, BatchKind kind, json_t *body, BatchItem **ret, size_t *ret_n);
