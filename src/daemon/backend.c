/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/backend.h"

#include <errno.h>

#include "kernel/kernel.h"
#include "sim/sim.h"
#include "util/log.h"

int backend_open(const Config *config, Backend **ret) {
        const SimConfig sim = { .mgmtdevs = config->sims, .n_mgmtdevs = config->n_sims };
        Failure f = FAILURE_INIT;
        int r = -EINVAL;

        switch (config->backend) {
        case BACKEND_KERNEL:
                r = kernel_backend_new("", config->runtime_dir, config->exclusive, config->mgmtdevs,
                                       config->n_mgmtdevs, ret);
                if (r < 0)
                        return log_error_errno(r, "Cannot start the kernel backend: %m");
                return 0;
        case BACKEND_SIM:
                r = sim_backend_new(sim.n_mgmtdevs > 0 ? &sim : sim_config_default(), config->runtime_dir, ret, &f);
                if (r < 0)
                        return log_error_errno(r, "Cannot start the simulated management devices: %s", f.detail);
                return 0;
        case _BACKEND_MAX:
                break;
        }

        return r;
}
