/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/mgmtdev.h"

#include <string.h>

static const char *const transport_names[_TRANSPORT_MAX] = {
        [TRANSPORT_OTHER] = "other",
        [TRANSPORT_PCI_PF] = "pci-pf",
        [TRANSPORT_PCI_VF] = "pci-vf",
        [TRANSPORT_SUBFUNCTION] = "subfunction",
};

const char *transport_name(Transport transport) {
        return transport_names[transport];
}

static const char *const attribute_names[_ATTRIBUTE_MAX] = {
        [ATTRIBUTE_MAC] = "mac",           [ATTRIBUTE_MTU] = "mtu", [ATTRIBUTE_MAX_VQP] = "max_vqp",
        [ATTRIBUTE_FEATURES] = "features", [ATTRIBUTE_VQS] = "vqs", [ATTRIBUTE_VQ_GROUPS] = "vq_groups",
};

const char *mgmtdev_attribute_name(MgmtdevAttribute attribute) {
        return attribute_names[attribute];
}

bool mgmtdev_info_equal(const MgmtdevInfo *a, const MgmtdevInfo *b) {
        for (Resource resource = 0; resource < _RESOURCE_MAX; resource++)
                if (!capacity_equal(&a->capacity[resource], &b->capacity[resource]))
                        return false;

        return strcmp(a->handle, b->handle) == 0 && a->transport == b->transport && a->numa_node == b->numa_node &&
               a->classes == b->classes && memcmp(a->features, b->features, sizeof a->features) == 0 &&
               a->max_vqs == b->max_vqs && a->only_by_name == b->only_by_name && a->simulated == b->simulated &&
               a->asid_kind == b->asid_kind && strcmp(a->pci_function, b->pci_function) == 0 &&
               strcmp(a->pci_pf, b->pci_pf) == 0 && a->vf_index == b->vf_index &&
               a->knows_accepts == b->knows_accepts && a->accepts == b->accepts &&
               a->counts.n_faults == b->counts.n_faults && strcmp(a->counts.last_fault, b->counts.last_fault) == 0;
}

bool mgmtdev_has_class(const Mgmtdev *mgmtdev, unsigned class, uint64_t *ret_features) {
        if (class > CLASS_MAX || !(mgmtdev->info.classes >> class & 1))
                return false;

        if (ret_features)
                *ret_features = mgmtdev->info.features[class];
        return true;
}

bool mgmtdev_is_cordoned(const Mgmtdev *mgmtdev) {
        const MgmtdevSettings *configured = mgmtdev->configured;

        if (mgmtdev->settings.has_cordoned)
                return mgmtdev->settings.cordoned;
        return configured && configured->has_cordoned && configured->cordoned;
}

const json_t *mgmtdev_labels(const Mgmtdev *mgmtdev) {
        if (mgmtdev->settings.labels)
                return mgmtdev->settings.labels;
        return mgmtdev->configured ? mgmtdev->configured->labels : NULL;
}
