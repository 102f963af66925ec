/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A management device: what makes managed devices. Found by the backend, never made by us. It stays in the
 * inventory while devices of ours are recorded on it, even when the host no longer has it. */

#include <bsd/sys/tree.h>
#include <stdint.h>

#include "inventory/class.h"
#include "inventory/device.h"
#include "inventory/foreign.h"
#include "inventory/pci.h"
#include "inventory/resource.h"
#include "inventory/settings.h"
#include "inventory/space.h"

typedef enum Transport {
        TRANSPORT_OTHER, /* not PCI: vdpasim, VDUSE */
        TRANSPORT_PCI_PF,
        TRANSPORT_PCI_VF,
        TRANSPORT_SUBFUNCTION,
        _TRANSPORT_MAX,
} Transport;

const char *transport_name(Transport transport);

/* What can be given to a new device beside its class. */
typedef enum MgmtdevAttribute {
        ATTRIBUTE_MAC,
        ATTRIBUTE_MTU,
        ATTRIBUTE_MAX_VQP,
        ATTRIBUTE_FEATURES,
        ATTRIBUTE_VQS,       /* a number of virtqueues, of classes other than net */
        ATTRIBUTE_VQ_GROUPS, /* a number of virtqueue groups other than that of the class */
        _ATTRIBUTE_MAX,
} MgmtdevAttribute;

/* As they are in a spec: "mac", "mtu", "max_vqp", "features", "vqs", "vq_groups". */
const char *mgmtdev_attribute_name(MgmtdevAttribute attribute);

/* What simulated hardware counts. */
typedef struct MgmtdevCounts {
        uint64_t n_faults;    /* that it has raised */
        char last_fault[128]; /* "" if there was none */
        uint64_t n_dma;       /* transfers and interrupts of its devices, that went through ... */
        uint64_t n_interrupts;
        uint64_t n_dma_refused; /* ... and that did not, for which there was a fault */
        uint64_t n_interrupts_refused;
} MgmtdevCounts;

/* What a backend says of one management device. */
typedef struct MgmtdevInfo {
        char handle[HANDLE_MAX];
        Transport transport;
        int numa_node;                    /* -1: none, or not known */
        uint64_t classes;                 /* bitmap of virtio device types */
        uint64_t features[CLASS_MAX + 1]; /* by class: what a device of it may offer; 0 where there is no class */
        uint32_t max_vqs;                 /* virtqueues a device at the most; 0: not known */
        Capacity capacity[_RESOURCE_MAX];
        AsidKind asid_kind;
        char pci_function[PCI_ADDRESS_MAX]; /* "0000:01:00.0": where its DMA comes from (the requester ID); "": none
                                             */
        char pci_pf[PCI_ADDRESS_MAX];       /* of a VF: its PF; "": it is none */
        int vf_index;                       /* of a VF: 0 and up; else -1 */
        bool knows_accepts;
        uint32_t accepts;     /* attributes that it takes when a device is created: bits of MgmtdevAttribute */
        MgmtdevCounts counts; /* of simulated hardware */
        bool only_by_name;    /* makes only what some program has prepared there (VDUSE): never chosen by us */
        bool simulated;
} MgmtdevInfo;

bool mgmtdev_info_equal(const MgmtdevInfo *a, const MgmtdevInfo *b);

/* What of it changes by itself. */
typedef struct MgmtdevNumbers {
        uint32_t budgets[_RESOURCE_MAX][4];
        uint64_t traffic[4];
} MgmtdevNumbers;

struct Mgmtdev {
        RB_ENTRY(Mgmtdev) by_handle;

        MgmtdevInfo info;
        uint64_t revision; /* of the inventory, when what is shown of it last changed */
        MgmtdevNumbers shown;
        uint64_t shown_revision; /* with which that was shown */
        bool present;            /* the host has it now */

        /* What is so in the end, see capacity.h; numbers in use, see budget.h. */
        const MgmtdevSettings *configured; /* weak; NULL: nothing is */
        MgmtdevSettings settings;          /* what was set by REST */
        Capacity capacity[_RESOURCE_MAX];
        AsidSpace *space; /* weak */
        IdSet *msis;      /* owned */
        uint32_t n_asids; /* held by its devices */
        uint32_t n_vqs;
        bool was_told;          /* that something of this is not as it should be; see mgmtdev_describe_conflict() */
        bool is_in_other_space; /* it should be in another one, but there its devices' ASIDs are held by others */

        uint32_t n_devices;        /* recorded here and not failed, or holding something all the same */
        uint32_t n_records;        /* recorded here at all */
        uint32_t n_foreign;        /* on the host and not ours, when last looked */
        Foreign foreign;           /* what those hold */
        Foreign counted;           /* ... while a look is evaluated */
        bool has_foreign_conflict; /* they hold what devices of ours hold, too */
        bool was_listed;           /* by the look that is being evaluated */
};

/* Whether a device of the class can be made, and which features it may then offer. Returns true if the class is
 * supported, with the features in *ret_features (which may be NULL). */
bool mgmtdev_has_class(const Mgmtdev *mgmtdev, unsigned class, uint64_t *ret_features);

/* New devices shall go elsewhere. */
bool mgmtdev_is_cordoned(const Mgmtdev *mgmtdev);

/* An object of strings, borrowed; NULL: there are none. */
const json_t *mgmtdev_labels(const Mgmtdev *mgmtdev);
