/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One simulated management device at work: how long its commands take, which of them fail, and what it lets
 * through. */

#include "sim/model.h"
#include "sim/sim.h"

typedef struct SimUnit {
        SimMgmtdev config;
        Model *model;   /* weak */
        unsigned index; /* in the model */
        uint32_t n_commands[_SIM_COMMAND_MAX];
        uint64_t traffic_seed;
} SimUnit;

void sim_unit_init(SimUnit *unit, const SimMgmtdev *config);

/* What was pulled out since the model was used last is put in. Returns 0, or a negative errno with f set. */
int sim_unit_plug(SimUnit *unit, Model *model, Failure *f);

/* As it is listed now. */
MgmtdevInfo sim_unit_info(SimUnit *unit);

/* What it has counted up to now. */
MgmtdevCounts sim_unit_counts(const SimUnit *unit);

/* A command reaches the management device: takes its time, in which the devices work. */
void sim_unit_wait(SimUnit *unit);

/* The same for a command that can be told to fail. Returns 0, or -EIO with f set if this one shall. */
int sim_unit_command(SimUnit *unit, SimCommand command, Failure *f);

/* Whether the management device can make such a device, which then is as *ret says. Returns 0, or a negative errno
 * with f set to ERROR_NOT_SUPPORTED. */
int sim_unit_check_spec(const SimUnit *unit, const DeviceSpec *spec, ModelDeviceSpec *ret, Failure *f);

/* Whether it has room for it. Returns 0, or -ENOSPC with f set to ERROR_NO_CAPACITY. */
int sim_unit_check_room(const SimUnit *unit, const ModelDeviceSpec *spec, Failure *f);
