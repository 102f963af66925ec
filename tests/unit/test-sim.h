/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of the simulation do with its devices. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model-command.h"
#include "unit.h"

/* A management device of that handle with a device MMU, and with all the IDs that there can be. */
static inline _unused_ MgmtdevInfo test_hardware(const char *handle) {
        MgmtdevInfo info = {
                .asid_kind = ASID_DEVICE_MMU,
                .capacity[RESOURCE_ASIDS].total = IDS_MAX,
                .capacity[RESOURCE_MSIS].total = IDS_MAX,
        };

        (void) snprintf(info.handle, sizeof info.handle, "%s", handle);
        return info;
}

/* As many IDs of each kind as each slot has for itself here. */
#define TEST_SLOT_IDS 16u

/* Gives a device IDs of its slot's own, as a good driver would. Returns 0, or what the command says. */
static inline _unused_ int test_assign(Model *m, const ModelDevice *d) {
        ModelRef ref = model_device_ref(m, d);
        int r = 0;

        for (unsigned i = 0; i < d->n_vq_groups && r >= 0; i++)
                r = model_set_address_space(m, ref, i, ref.slot * TEST_SLOT_IDS + i, NULL);
        for (unsigned i = 0; i <= d->n_vqs && r >= 0; i++)
                r = model_store_msi(m, ref, i, ref.slot * TEST_SLOT_IDS + i, NULL);
        return r;
}

/* ... and enables it. */
static inline _unused_ int test_enable(Model *m, const ModelDevice *d, BusDriver driver) {
        int r = test_assign(m, d);

        return r < 0 ? r : model_enable_device(m, model_device_ref(m, d), driver, NULL);
}

/* All steps back. */
static inline _unused_ int test_destroy(Model *m, const ModelDevice *d) {
        ModelRef ref = model_device_ref(m, d);
        int r = model_disable_device(m, ref, NULL);

        if (r >= 0)
                r = model_clear_msis(m, ref, NULL);
        if (r >= 0)
                r = model_clear_address_spaces(m, ref, NULL);
        return r < 0 ? r : model_destroy_device(m, ref, NULL);
}
