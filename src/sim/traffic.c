/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/traffic.h"

#include "sim/model-command.h"

/* A number below n, of a linear congruential generator whose low bits are the worse ones. */
static uint32_t next_number(uint64_t *seed, uint32_t n) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t) ((*seed >> 32) % n);
}

/* Faults are the hardware's to count: nobody waits for the device. */
static void device_work(Model *m, const ModelDevice *d, uint64_t *seed) {
        ModelRef ref = model_device_ref(m, d);
        unsigned group = next_number(seed, d->n_vq_groups), vq = next_number(seed, d->n_vqs + 1u);
        uint32_t id;

        if (model_device_asid(m, d, group, &id))
                (void) model_send_dma(m, ref, id, NULL);
        if (model_device_msi(m, d, vq, &id))
                (void) model_raise_interrupt(m, ref, id, NULL);
}

void traffic_run(Model *m, unsigned mgmtdev, uint32_t n, uint64_t *seed) {
        uint32_t n_devices = model_count_devices(m, mgmtdev);

        if (n_devices == 0)
                return;

        for (uint32_t i = 0; i < n; i++) {
                const ModelDevice *d = model_device_at(m, mgmtdev, next_number(seed, n_devices));

                if (model_device_driver(d) != BUS_DRIVER_NONE)
                        device_work(m, d, seed);
        }
}
