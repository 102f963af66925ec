/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/needs.h"

#include "inventory/class.h"
#include "inventory/feature.h"

static bool has_control_vq(const DeviceSpec *spec, uint64_t offered) {
        uint64_t features = spec->has_features ? spec->features : offered;

        if (spec->class != CLASS_NET)
                return false;
        return (features & FEATURE_NET_CTRL_VQ) || (!spec->has_features && offered == 0);
}

static uint32_t count_vqs(const DeviceSpec *spec, bool has_control) {
        if (spec->class == CLASS_NET)
                return 2u * (spec->net.max_vqp > 1 ? spec->net.max_vqp : 1) + has_control;
        return spec->n_vqs > 0 ? spec->n_vqs : class_n_vqs(spec->class);
}

Needs needs_of(const DeviceSpec *spec, uint64_t offered) {
        bool has_control = has_control_vq(spec, offered);
        Needs needs = { .n_vqs = count_vqs(spec, has_control), .share_msis = spec->share_msis };

        /* The control virtqueue is served by whoever runs the device, the others by the guest's memory: so they are
         * in groups of their own. */
        needs.n_asids = spec->n_vq_groups > 0 ? spec->n_vq_groups : 1u + has_control;
        needs.n_msis = needs.n_vqs + 1;
        return needs;
}

uint32_t needs_most(const Needs *needs, Resource resource) {
        switch (resource) {
        case RESOURCE_DEVICES:
                return 1;
        case RESOURCE_ASIDS:
                return needs->n_asids;
        case RESOURCE_MSIS:
                return needs->n_msis;
        case RESOURCE_VQS:
                return needs->n_vqs;
        case _RESOURCE_MAX:
                break;
        }

        return 0;
}

uint32_t needs_least(const Needs *needs, Resource resource) {
        return resource == RESOURCE_MSIS && needs->share_msis ? 1 : needs_most(needs, resource);
}
