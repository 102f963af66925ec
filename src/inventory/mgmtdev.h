/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A management device: what makes managed devices. Found by the backend, never made by us. It stays in the
 * inventory while devices of ours are recorded on it, even when the host no longer has it. */

#include <bsd/sys/tree.h>
#include <stdint.h>

#include "inventory/class.h"
#include "inventory/device.h"

typedef enum Transport {
        TRANSPORT_OTHER, /* not PCI: vdpasim, VDUSE */
        TRANSPORT_PCI_PF,
        TRANSPORT_PCI_VF,
        TRANSPORT_SUBFUNCTION,
        _TRANSPORT_MAX,
} Transport;

const char *transport_name(Transport transport);

/* What a backend says of one management device. */
typedef struct MgmtdevInfo {
        char handle[HANDLE_MAX];
        Transport transport;
        int numa_node;                    /* -1: none, or not known */
        uint64_t classes;                 /* bitmap of virtio device types */
        uint64_t features[CLASS_MAX + 1]; /* by class: what a device of it may offer; 0 where there is no class */
        uint32_t max_vqs;                 /* virtqueues a device at the most; 0: not known */
        uint32_t max_devices; /* 0: not known, or no limit; where it came from: "driver", or "model" if simulated */
        bool only_by_name;    /* makes only what some program has prepared there (VDUSE): never chosen by us */
        bool simulated;
} MgmtdevInfo;

bool mgmtdev_info_equal(const MgmtdevInfo *a, const MgmtdevInfo *b);

struct Mgmtdev {
        RB_ENTRY(Mgmtdev) by_handle;

        MgmtdevInfo info;
        uint64_t revision; /* of the inventory, when what is shown of it last changed */
        bool present;      /* the host has it now */

        uint32_t n_devices; /* recorded here and not failed: what they use of the budget */
        uint32_t n_records; /* recorded here at all */
        uint32_t n_foreign; /* on the host and not ours, when last looked */
        uint32_t n_counted; /* of those, while a look is evaluated */
        bool was_listed;    /* by the look that is being evaluated */
};

/* Whether a device of the class can be made, and which features it may then offer. Returns true if the class is
 * supported, with the features in *ret_features (which may be NULL). */
bool mgmtdev_has_class(const Mgmtdev *mgmtdev, unsigned class, uint64_t *ret_features);
