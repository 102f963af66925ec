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

bool mgmtdev_info_equal(const MgmtdevInfo *a, const MgmtdevInfo *b) {
        return strcmp(a->handle, b->handle) == 0 && a->transport == b->transport && a->numa_node == b->numa_node &&
               a->classes == b->classes && memcmp(a->features, b->features, sizeof a->features) == 0 &&
               a->max_vqs == b->max_vqs && a->max_devices == b->max_devices && a->only_by_name == b->only_by_name &&
               a->simulated == b->simulated;
}

bool mgmtdev_has_class(const Mgmtdev *mgmtdev, unsigned class, uint64_t *ret_features) {
        if (class > CLASS_MAX || !(mgmtdev->info.classes >> class & 1))
                return false;

        if (ret_features)
                *ret_features = mgmtdev->info.features[class];
        return true;
}
