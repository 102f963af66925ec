/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a device stores by itself: the ASID of each of its virtqueue groups, and the MSI entry of each of its
 * virtqueues and of configuration changes, in this order. Few words are in the device's slot; where they are more,
 * the slot has the numbers of the blocks that they are in. */

#include "sim/model-state.h"

unsigned model_map_size(const ModelDevice *device);

/* Room for the words, all of them empty, for a device that is not live yet. Returns 0, -ENOSPC, or what the file
 * system says. */
int model_map_allocate(Model *model, ModelDevice *device);
void model_map_release(Model *model, const ModelDevice *device);

/* Takes the room that a live device has according to the file. Returns 0, -EUCLEAN if it cannot be, or what the
 * file system says. */
int model_map_load(Model *model, const ModelDevice *device);

/* False: the word is empty. */
bool model_map_get(const Model *model, const ModelDevice *device, unsigned i, uint32_t *ret);
void model_map_set(Model *model, ModelDevice *device, unsigned i, uint32_t id);
void model_map_clear(Model *model, ModelDevice *device, unsigned i);
