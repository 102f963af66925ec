/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What enabled devices do all day: DMA through their address spaces, and interrupts from their MSI entries. The
 * hardware checks each (see sim/model-command.h), so two devices that got the same would show as a fault. */

#include <stdint.h>

#include "sim/model.h"

/* Lets n devices of a management device, by no chance but in no order, send DMA from one of their virtqueue groups
 * and raise an interrupt from one of their virtqueues. *seed is where the next ones go on. */
void traffic_run(Model *model, unsigned mgmtdev, uint32_t n, uint64_t *seed);
