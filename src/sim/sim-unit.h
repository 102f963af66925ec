/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One simulated management device at work: how long its commands take, which of them fail, and what it lets
 * through. */

#include "sim/model.h"
#include "sim/sim.h"

typedef struct SimUnit {
        SimMgmtdev config;
        unsigned index; /* in the model */
        uint32_t n_commands[_SIM_COMMAND_MAX];
} SimUnit;

void sim_unit_init(SimUnit *unit, const SimMgmtdev *config);

/* A command reaches the management device: takes its time. */
void sim_unit_wait(const SimUnit *unit);

/* The same for a command that can be told to fail. Returns 0, or -EIO with f set if this one shall. */
int sim_unit_command(SimUnit *unit, SimCommand command, Failure *f);

/* Whether the management device can make such a device, which then is as *ret says. Returns 0, or a negative errno
 * with f set to ERROR_NOT_SUPPORTED. */
int sim_unit_check_spec(const SimUnit *unit, const DeviceSpec *spec, ModelDeviceSpec *ret, Failure *f);

bool sim_unit_is_full(const SimUnit *unit, const Model *model);

/* The virtqueues of a device; max_vqp is of net devices. */
uint32_t sim_device_max_vqs(unsigned class, unsigned max_vqp);
