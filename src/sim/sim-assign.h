/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Gives a simulated device what it shall hold, and takes everything back: the commands in their order. */

#include "inventory/resource.h"
#include "sim/model-command.h"

/* Whether the device has something that it would have to give back for these. */
bool sim_has_others(const Model *model, const ModelDevice *device, const DeviceResources *resources);

/* Sets the address space of each virtqueue group, and stores the MSI entry of each virtqueue and of configuration
 * changes. What the device has already stays. If that is something else it goes first, and a device that is
 * enabled is stopped for that, and enabled again afterwards, maybe with another endpoint. Returns 0, or a negative
 * errno with f set. */
int sim_assign_resources(Model *model, ModelDevice *device, const DeviceResources *resources, Failure *f);

/* All that was given to the device, in the reverse order, and the device. Each step can be run again, so a kill in
 * between leaves nothing that the next time does not end. Returns as above. */
int sim_withdraw_device(Model *model, const ModelDevice *device, Failure *f);
