/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The backend of simulated management devices, for any machine: no privileges, no kernel modules. It checks what
 * hardware would, keeps its devices in the model (see sim/model.h), and does nothing by chance or by the clock: the
 * same commands give the same devices, the same names and the same failures.
 *
 * Endpoints exist in the model only. Whoever wants one to be in use makes the directory sim-open/NAME in the
 * runtime directory ("mkdir /run/hsvdpa/sim-open/vm42-net0"), and removes it to close the endpoint. For a device
 * without an endpoint it makes no difference. What other programs of a host do to devices is done by commands to a
 * socket there; see docs/drift.md. */

#include "backend/backend.h"

/* The directory, in the runtime directory, of one directory for each device whose endpoint is open. */
#define SIM_OPEN_DIRECTORY "sim-open"

/* The commands that can be told to fail. */
typedef enum SimCommand {
        SIM_CREATE,
        SIM_ASSIGN,
        SIM_BIND,
        SIM_PUBLISH,
        SIM_SET_MAC,
        SIM_DESTROY,
        _SIM_COMMAND_MAX,
} SimCommand;

typedef struct SimMgmtdev {
        /* As it is listed. A total of 0 is: devices and virtqueues as many as the model has room for, ASIDs and MSI
         * entries as many as by default. */
        MgmtdevInfo info;
        uint32_t latency_usec; /* of each command to a device of it, spent before anything happens */
        uint32_t more_latency_usec[_SIM_COMMAND_MAX]; /* of each such command, on top of that */
        uint32_t fail_every[_SIM_COMMAND_MAX]; /* N: the Nth, 2Nth, ... such command fails, with EIO and without any
                                                  effect; counted from the start of the process; 0: none does */
        uint32_t traffic; /* devices that do DMA and raise an interrupt, between two commands */
} SimMgmtdev;

typedef struct SimConfig {
        const SimMgmtdev *mgmtdevs;
        size_t n_mgmtdevs;
} SimConfig;

/* One management device, sim0, that makes as many devices as the model holds, of every class. Static. */
const SimConfig *sim_config_default(void);

/* Whether there can be such management devices: how many, their handles, classes. Returns 0, or -EINVAL with f
 * set. */
int sim_config_check(const SimConfig *config, Failure *f);

/* Makes the backend; config is copied. What devices the model holds on management devices that are not configured
 * now goes, as with hardware that is pulled out. Returns 0, or a negative errno with f set: -EINVAL the
 * configuration is impossible, else as model_open(). */
int sim_backend_new(const SimConfig *config, const char *runtime_dir, Backend **ret, Failure *f);
