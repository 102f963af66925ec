/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A table in the model's file that says of each ID who holds it: of each ASID of a space, of each entry of a
 * message store. The holder is a device slot and its generation, so what a device leaves behind is nobody's when
 * another is in its slot, and the place in the device's own list, where the ID must be found again (see
 * sim/model-map.h): what a kill has left half done holds nothing. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/model-file.h"

typedef struct ModelTable {
        ModelArea area;
        _Atomic uint64_t *entries; /* mapped; NULL: not in use */
        uint32_t n_ids;
} ModelTable;

typedef struct ModelHolder {
        uint32_t slot;
        uint32_t generation;
        unsigned place; /* of the virtqueue group or virtqueue */
} ModelHolder;

/* Maps the table of that number for at least so many IDs (1 to IDS_MAX). Returns 0, or a negative errno with
 * nothing changed. */
int model_table_open(ModelTable *table, ModelFile *file, unsigned number, uint32_t n_ids);
void model_table_close(ModelTable *table);

/* To be called before an ID is looked at or given away. Returns 0, or what the file system says. */
int model_table_back(ModelTable *table, ModelFile *file, uint32_t id);

/* Who is entered as the holder. False: nobody. */
bool model_table_get(const ModelTable *table, uint32_t id, ModelHolder *ret);
void model_table_set(ModelTable *table, uint32_t id, const ModelHolder *holder);
void model_table_clear(ModelTable *table, uint32_t id);
