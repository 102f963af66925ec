/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/resource.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const char *const resource_names[_RESOURCE_MAX] = {
        [RESOURCE_DEVICES] = "devices",
        [RESOURCE_ASIDS] = "asids",
        [RESOURCE_MSIS] = "msis",
        [RESOURCE_VQS] = "vqs",
};

static const char *const source_names[_SOURCE_MAX] = {
        [SOURCE_CONFIG] = "config", [SOURCE_DEVLINK] = "devlink", [SOURCE_PCI] = "pci",
        [SOURCE_DRIVER] = "driver", [SOURCE_MODEL] = "model",
};

static const char *const enforcer_names[_ENFORCER_MAX] = {
        [ENFORCER_LEDGER] = "ledger",
        [ENFORCER_KERNEL] = "kernel",
        [ENFORCER_MODEL] = "model",
};

static const char *const asid_kind_names[_ASID_KIND_MAX] = {
        [ASID_DEVICE_MMU] = "device-mmu",
        [ASID_PASID] = "pasid",
};

const char *resource_name(Resource resource) {
        return resource_names[resource];
}

const char *resource_source_name(ResourceSource source) {
        return source_names[source];
}

const char *resource_enforcer_name(ResourceEnforcer enforcer) {
        return enforcer_names[enforcer];
}

const char *asid_kind_name(AsidKind kind) {
        return asid_kind_names[kind];
}

bool capacity_equal(const Capacity *a, const Capacity *b) {
        return a->is_known == b->is_known && a->total == b->total && a->source == b->source &&
               a->enforcer == b->enforcer && a->n_reserved == b->n_reserved &&
               strcmp(a->reserved_ids, b->reserved_ids) == 0;
}

int device_resources_allocate(DeviceResources *resources, uint16_t n_asids, uint16_t n_vqs, uint16_t n_msis) {
        DeviceResources r = { .is_held = true, .n_asids = n_asids, .n_vqs = n_vqs, .n_msis = n_msis };
        uint32_t n = device_resources_n_ids(&r);

        if (n > DEVICE_IDS_FEW) {
                r.many = calloc(n, sizeof *r.many);
                if (!r.many)
                        return -ENOMEM;
        }

        *resources = r;
        return 0;
}

int device_resources_set(DeviceResources *resources, const uint32_t *asids, uint16_t n_asids, uint16_t n_vqs,
                         const uint32_t *msis, uint16_t n_msis) {
        uint32_t *ids;
        int r;

        r = device_resources_allocate(resources, n_asids, n_vqs, n_msis);
        if (r < 0)
                return r;

        ids = device_resources_ids(resources);
        memcpy(ids, asids, n_asids * sizeof *ids);
        memcpy(ids + n_asids, msis, n_msis * sizeof *ids);
        return 0;
}

void device_resources_done(DeviceResources *resources) {
        if (device_resources_n_ids(resources) > DEVICE_IDS_FEW)
                free(resources->many);
        *resources = (DeviceResources){};
}

int device_resources_copy(const DeviceResources *resources, DeviceResources *ret) {
        const DeviceResources *r = resources;

        if (r->is_held)
                return device_resources_set(ret, device_resources_asids(r), r->n_asids, r->n_vqs,
                                            device_resources_msis(r), r->n_msis);
        *ret = *r;
        return 0;
}

uint32_t device_resources_msi(const DeviceResources *resources, unsigned vq) {
        const uint32_t *msis = device_resources_msis(resources);
        unsigned n = resources->n_msis;

        assert(n > 0 && vq <= resources->n_vqs);

        if (vq == resources->n_vqs)
                return msis[n - 1];
        return msis[n > 1 ? vq % (n - 1) : 0];
}
