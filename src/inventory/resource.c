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
        size_t n = (size_t) n_asids + n_msis;
        uint32_t *ids;

        ids = calloc(n > 0 ? n : 1, sizeof *ids);
        if (!ids)
                return -ENOMEM;

        *resources = (DeviceResources){ .ids = ids, .n_asids = n_asids, .n_vqs = n_vqs, .n_msis = n_msis };
        return 0;
}

void device_resources_done(DeviceResources *resources) {
        free(resources->ids);
        *resources = (DeviceResources){};
}

int device_resources_copy(const DeviceResources *resources, DeviceResources *ret) {
        DeviceResources copy = {};
        int r;

        if (resources->ids) {
                r = device_resources_allocate(&copy, resources->n_asids, resources->n_vqs, resources->n_msis);
                if (r < 0)
                        return r;
                memcpy(copy.ids, resources->ids, ((size_t) copy.n_asids + copy.n_msis) * sizeof copy.ids[0]);
        }

        *ret = copy;
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
