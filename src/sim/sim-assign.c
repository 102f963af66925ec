/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/sim-assign.h"

#include <errno.h>

/* Whether the device has something that it shall not have. */
static bool has_others(const Model *m, const ModelDevice *d, const DeviceResources *resources) {
        uint32_t id;

        for (unsigned i = 0; i < d->n_vq_groups; i++)
                if (model_device_asid(m, d, i, &id) &&
                    (i >= resources->n_asids || device_resources_asids(resources)[i] != id))
                        return true;
        for (unsigned i = 0; i <= d->n_vqs; i++)
                if (model_device_msi(m, d, i, &id) &&
                    (resources->n_msis == 0 || i > resources->n_vqs || device_resources_msi(resources, i) != id))
                        return true;
        return false;
}

static int clear(Model *m, ModelRef ref, Failure *f) {
        int r = model_clear_msis(m, ref, f);

        return r < 0 ? r : model_clear_address_spaces(m, ref, f);
}

int sim_assign_resources(Model *m, const ModelDevice *d, const DeviceResources *resources, Failure *f) {
        ModelRef ref = model_device_ref(m, d);
        int r = 0;

        if (has_others(m, d, resources))
                r = clear(m, ref, f);

        for (unsigned i = 0; i < resources->n_asids && r >= 0; i++)
                r = model_set_address_space(m, ref, i, device_resources_asids(resources)[i], f);
        for (unsigned i = 0; resources->n_msis > 0 && i <= resources->n_vqs && r >= 0; i++)
                r = model_store_msi(m, ref, i, device_resources_msi(resources, i), f);
        return r;
}

int sim_withdraw_device(Model *m, const ModelDevice *d, Failure *f) {
        ModelRef ref = model_device_ref(m, d);
        int r = model_disable_device(m, ref, f);

        if (r >= 0)
                r = clear(m, ref, f);
        return r < 0 ? r : model_destroy_device(m, ref, f);
}
