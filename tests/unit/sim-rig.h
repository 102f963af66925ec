/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A small simulated management device, and what is done with its devices in every test of the backend. */

#include <errno.h>

#include "inventory/feature.h"
#include "sim/sim.h"
#include "test-sim.h"

/* A small management device of two classes; its devices offer all the features, unless asked for fewer. */
#define NET_FEATURES   (FEATURE_NET_MAC | FEATURE_NET_MTU | FEATURE_NET_MQ | FEATURE_NET_CTRL_VQ | FEATURE_VERSION_1)
#define BLOCK_FEATURES (FEATURE_BLOCK_MQ | FEATURE_VERSION_1)
#define CLASS_SCSI     8u

static const SimMgmtdev _unused_ small = {
        .info = {
                .handle = "pci/0000:01:00.0",
                .transport = TRANSPORT_PCI_PF,
                .numa_node = 1,
                .classes = UINT64_C(1) << CLASS_NET | UINT64_C(1) << CLASS_BLOCK | UINT64_C(1) << CLASS_SCSI,
                .features = { [CLASS_NET] = NET_FEATURES, [CLASS_BLOCK] = BLOCK_FEATURES },
                .max_vqs = 9,
                .capacity[RESOURCE_DEVICES] = { .is_known = true, .total = 3 },
        },
};

static const SimConfig _unused_ small_config = { .mgmtdevs = &small, .n_mgmtdevs = 1 };

static inline _unused_ Backend *open_sim(const SimConfig *config) {
        Failure f = FAILURE_INIT;
        Backend *b = NULL;

        ck_assert_msg(sim_backend_new(config, unit_directory(), &b, &f) == 0, "%s", f.detail);
        return b;
}

static inline _unused_ DeviceSpec spec_of(unsigned class) {
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = class;
        return spec;
}

static inline _unused_ void expect(int r, const Failure *f, int error, ErrorCode code) {
        ck_assert_int_eq(r, -error);
        ck_assert_int_eq(f->code, code);
        ck_assert_int_eq(f->error, error);
        ck_assert(f->detail[0]);
}

static inline _unused_ int create(Backend *b, const char *name, const DeviceSpec *spec, Failure *f) {
        return b->ops->create(b, name, small.info.handle, spec, f);
}

static inline _unused_ void create_good(Backend *b, const char *name, unsigned class) {
        DeviceSpec spec = spec_of(class);
        Failure f = FAILURE_INIT;

        ck_assert_msg(create(b, name, &spec, &f) == 0, "%s", f.detail);
}

static inline _unused_ DeviceStatus observe(Backend *b, const char *name) {
        Failure f = FAILURE_INIT;
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;

        ck_assert_msg(b->ops->observe(b, name, mgmtdev, &status, &f) == 0, "%s", f.detail);
        return status;
}

static inline _unused_ bool is_on(Backend *b, const char *name, const char *handle) {
        char mgmtdev[HANDLE_MAX] = "";
        DeviceStatus status;

        return b->ops->observe(b, name, mgmtdev, &status, NULL) == 0 && strcmp(mgmtdev, handle) == 0;
}

/* With the IDs from these on. */
static inline _unused_ int assign(Backend *b, const char *name, uint32_t asid, uint32_t msi, Failure *f) {
        DeviceStatus status = observe(b, name);
        DeviceResources resources;
        int r;

        ck_assert_int_eq(device_resources_allocate(&resources, (uint16_t) status.n_vq_groups,
                                                   (uint16_t) status.max_vqs, (uint16_t) (status.max_vqs + 1)),
                         0);
        for (unsigned i = 0; i < resources.n_asids; i++)
                device_resources_ids(&resources)[i] = asid + i;
        for (unsigned i = 0; i < resources.n_msis; i++)
                device_resources_ids(&resources)[resources.n_asids + i] = msi + i;
        r = b->ops->assign(b, name, &resources, f);
        device_resources_done(&resources);
        return r;
}

/* As a name says it: the devices of a test begin with different letters. */
static inline _unused_ int assign_own(Backend *b, const char *name, Failure *f) {
        uint32_t first = 1000 * (uint32_t) (name[0] - 'a') + 10 * (uint32_t) strlen(name);

        if (name[0] == 'd' && name[1] >= '0' && name[1] <= '9')
                first = 1000000 + 20 * (uint32_t) strtoul(name + 1, NULL, 10);
        return assign(b, name, first, first, f);
}

static inline _unused_ void bind_good(Backend *b, const char *name, BusDriver driver) {
        Failure f = FAILURE_INIT;

        if (observe(b, name).driver == BUS_DRIVER_NONE)
                ck_assert_msg(assign_own(b, name, &f) == 0, "%s", f.detail);
        ck_assert_msg(b->ops->bind(b, name, driver, &f) == 0, "%s", f.detail);
}

static inline _unused_ bool is_there(Backend *b, const char *name) {
        Failure f = FAILURE_INIT;
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;
        int r = b->ops->observe(b, name, mgmtdev, &status, &f);

        if (r < 0)
                expect(r, &f, ENODEV, ERROR_DEVICE_NOT_FOUND);
        return r == 0;
}
