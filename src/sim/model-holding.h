/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Both sides of "device X holds ID Y": the device's own list and the table of the IDs. It holds if both say so.
 * What is given is entered in the table first and taken from it last, so that an ID in a device's list is always
 * found in the table too. */

#include "sim/model-state.h"

/* The two kinds of ID that a device holds. */
typedef enum ModelIdKind {
        MODEL_ASID, /* for each virtqueue group */
        MODEL_MSI,  /* for each virtqueue, and for configuration changes */
        _MODEL_ID_KIND_MAX,
} ModelIdKind;

/* How many of the kind a device has place for. */
unsigned model_holding_places(const ModelDevice *device, ModelIdKind kind);

bool model_holding_get(const Model *model, const ModelDevice *device, ModelIdKind kind, unsigned place,
                       uint32_t *ret);

/* The table of the IDs of a management device's devices. */
ModelTable *model_holding_table(Model *model, unsigned mgmtdev, ModelIdKind kind);

/* Whether the table, too, has the ID (which has memory there) for a device; and the first place that has it. */
bool model_holding_is(const Model *model, const ModelTable *table, const ModelDevice *device, ModelIdKind kind,
                      uint32_t id, unsigned *ret_place);

/* Who holds an ID that has memory in the table, or NULL. The place is the first in which the device has it. */
ModelDevice *model_holding_find(Model *model, const ModelTable *table, ModelIdKind kind, uint32_t id,
                                unsigned *ret_place);

/* The place must be empty, and nobody else hold the ID, which must have memory in the table. */
void model_holding_give(Model *model, ModelDevice *device, ModelIdKind kind, unsigned place, uint32_t id);

/* Takes all of the kind, the last place first. */
void model_holding_take_all(Model *model, ModelDevice *device, ModelIdKind kind);
