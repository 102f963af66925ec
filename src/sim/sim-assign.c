/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/sim-assign.h"

#include <errno.h>

#include "util/crash.h"

bool sim_has_others(const Model *m, const ModelDevice *d, const DeviceResources *resources) {
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

        CRASH_POINT(SIM_MSIS_CLEARED);
        return r < 0 ? r : model_clear_address_spaces(m, ref, f);
}

static int give(Model *m, ModelRef ref, const DeviceResources *resources, Failure *f) {
        int r = 0;

        for (unsigned i = 0; i < resources->n_asids && r >= 0; i++)
                r = model_set_address_space(m, ref, i, device_resources_asids(resources)[i], f);
        CRASH_POINT(SIM_ASIDS_ASSIGNED);
        for (unsigned i = 0; resources->n_msis > 0 && i <= resources->n_vqs && r >= 0; i++)
                r = model_store_msi(m, ref, i, device_resources_msi(resources, i), f);
        return r;
}

int sim_assign_resources(Model *m, ModelDevice *d, const DeviceResources *resources, Failure *f) {
        ModelOwner owner = atomic_load(&d->owner);
        ModelBinding binding = atomic_load(&d->binding);
        ModelRef ref = model_device_ref(m, d);
        int r;

        if (!sim_has_others(m, d, resources))
                return give(m, ref, resources, f);

        r = model_disable_device(m, ref, f);
        if (r >= 0)
                r = clear(m, ref, f);
        if (r >= 0)
                r = give(m, ref, resources, f);
        if (r < 0 || binding.driver == BUS_DRIVER_NONE)
                return r;

        r = model_enable_device(m, ref, (BusDriver) binding.driver, f);
        if (r >= 0)
                model_set_endpoint(d, &(EndpointSpec){ .uid = owner.uid, .gid = owner.gid, .mode = binding.mode });
        return r;
}

int sim_withdraw_device(Model *m, const ModelDevice *d, Failure *f) {
        ModelRef ref = model_device_ref(m, d);
        int r = model_disable_device(m, ref, f);

        CRASH_POINT(SIM_DEVICE_DISABLED);
        if (r >= 0)
                r = clear(m, ref, f);
        CRASH_POINT(SIM_HOLDINGS_CLEARED);
        return r < 0 ? r : model_destroy_device(m, ref, f);
}
