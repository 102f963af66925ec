/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a management device has a limited number of, and what a managed device holds of it. */

#include <stdbool.h>
#include <stdint.h>

#include "util/macro.h"

typedef enum Resource {
        RESOURCE_DEVICES,
        RESOURCE_ASIDS, /* address space IDs: numbered, each held by one device */
        RESOURCE_MSIS,  /* entries of the message store: numbered, each held by one device */
        RESOURCE_VQS,   /* virtqueues */
        _RESOURCE_MAX,
} Resource;

/* Where a total comes from. */
typedef enum ResourceSource {
        SOURCE_CONFIG,  /* the administrator said so */
        SOURCE_DEVLINK, /* devlink resources */
        SOURCE_PCI,     /* PCI configuration space and its sysfs files */
        SOURCE_DRIVER,  /* what the driver says, or can be known of it */
        SOURCE_MODEL,   /* the simulated hardware */
        _SOURCE_MAX,
} ResourceSource;

/* Who keeps a device from taking more than it holds. */
typedef enum ResourceEnforcer {
        ENFORCER_LEDGER, /* we account for it and admit against it, and nobody else does */
        ENFORCER_KERNEL, /* the number was applied, or the driver refuses more by itself */
        ENFORCER_MODEL,  /* the simulated hardware checks it */
        _ENFORCER_MAX,
} ResourceEnforcer;

/* Ranges of IDs as text, and the NUL: "0-15,100". */
#define RANGES_TEXT_MAX 64

/* How much there is of one resource. */
typedef struct Capacity {
        bool is_known; /* false: no total is known, so nothing is refused for it */
        uint32_t total;
        ResourceSource source;
        ResourceEnforcer enforcer;
        uint32_t n_reserved;                /* never handed out; of resources without IDs */
        char reserved_ids[RANGES_TEXT_MAX]; /* ... and of those with IDs */
} Capacity;

/* The kind of space that ASIDs are out of. */
typedef enum AsidKind {
        ASID_DEVICE_MMU, /* the management device's own MMU has them */
        ASID_PASID,      /* PASIDs of a PCI function, for all management devices behind it */
        _ASID_KIND_MAX,
} AsidKind;

/* IDs have at most this many bits, and a space of IDs at most that many. */
#define IDS_MAX (UINT32_C(1) << 24)

/* ... those that go by the name of PASID. */
#define PASIDS_MAX (UINT32_C(1) << 20)

/* Most devices hold no more IDs than that, and then the lists take no memory of their own. */
#define DEVICE_IDS_FEW 6u

/* What one device holds; all zero: nothing. */
typedef struct DeviceResources {
        bool is_held;
        uint16_t n_asids; /* one for each virtqueue group */
        uint16_t n_vqs;
        uint16_t n_msis; /* n_vqs + 1, the last one for configuration changes; or fewer, which are shared then */
        union {          /* the ASIDs, by virtqueue group; then the MSI entries: see device_resources_ids() */
                uint32_t few[DEVICE_IDS_FEW];
                uint32_t *many; /* owned */
        };
} DeviceResources;

#define DEVICE_VQ_GROUPS_MAX 64u
#define DEVICE_VQS_MAX       1024u

/* "devices", "device-mmu" and so on, as the API has them. */
const char *resource_name(Resource resource);
const char *resource_source_name(ResourceSource source);
const char *resource_enforcer_name(ResourceEnforcer enforcer);
const char *asid_kind_name(AsidKind kind);

bool capacity_equal(const Capacity *a, const Capacity *b);

/* Makes room for the lists; the IDs are zero, for the caller to fill in. Returns 0, or -ENOMEM. */
int device_resources_allocate(DeviceResources *resources, uint16_t n_asids, uint16_t n_vqs, uint16_t n_msis);

/* The same with the IDs. */
int device_resources_set(DeviceResources *resources, const uint32_t *asids, uint16_t n_asids, uint16_t n_vqs,
                         const uint32_t *msis, uint16_t n_msis);
void device_resources_done(DeviceResources *resources);

/* A deep copy. Returns 0, or -ENOMEM. */
int device_resources_copy(const DeviceResources *resources, DeviceResources *ret);

/* The MSI entry of a virtqueue; vq == n_vqs: of configuration changes. There must be at least one entry. Shared
 * entries are dealt out in turn; configuration changes keep one to themselves as long as there are two. */
uint32_t device_resources_msi(const DeviceResources *resources, unsigned vq);

static inline uint32_t device_resources_n_ids(const DeviceResources *resources) {
        return (uint32_t) resources->n_asids + resources->n_msis;
}

/* All of them, valid until the structure is moved. */
static inline uint32_t *device_resources_ids(DeviceResources *resources) {
        return device_resources_n_ids(resources) > DEVICE_IDS_FEW ? resources->many : resources->few;
}

static inline const uint32_t *device_resources_asids(const DeviceResources *resources) {
        return device_resources_n_ids(resources) > DEVICE_IDS_FEW ? resources->many : resources->few;
}

static inline const uint32_t *device_resources_msis(const DeviceResources *resources) {
        return device_resources_asids(resources) + resources->n_asids;
}
