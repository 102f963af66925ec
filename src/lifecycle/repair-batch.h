/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Repairs many devices in one call, with a result for each. */

#include <jansson.h>

#include "inventory/drift.h"
#include "lifecycle/lifecycle.h"

/* Devices of one call. */
#define REPAIR_BATCH_MAX 10000

typedef struct RepairRequest {
        json_t *devices; /* borrowed: an array of names; NULL: all that are not as they should be */
        uint32_t kinds;  /* bits of DriftKind; 0: any but foreign */
        bool may_recreate;
        bool is_plan; /* only says what it would do */
} RepairRequest;

/* Takes the members "devices", "kinds" and "recreate" of an object, of which none need be there. */
void repair_request_decode(JsonDecoder *d, json_t *object, RepairRequest *ret);

/* report: {"results": [...]}, a reference of the callee's; NULL: out of memory. */
typedef void (*repair_done_t)(void *userdata, json_t *report);

/* Answers by done(), once, from the loop. Without names, the first REPAIR_BATCH_MAX by name are repaired. */
void lifecycle_repair_drift(Lifecycle *l, const RepairRequest *request, repair_done_t done, void *userdata);
