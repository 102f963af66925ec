/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What there is without configuration: what a plain device of each class offers. And what cannot be configured. */
#include "sim/sim.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/idlist.h"
#include "sim/model.h"

#define BIT(n) (UINT64_C(1) << (n))

#define COMMON_FEATURES (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM))

#define NET_FEATURES                                                                                               \
        (COMMON_FEATURES | BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_MTU) |         \
         BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |                     \
         BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_MRG_RXBUF) |                 \
         BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX) | BIT(VIRTIO_NET_F_MQ) | \
         BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

#define BLOCK_FEATURES                                                                                             \
        (COMMON_FEATURES | BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) |   \
         BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_TOPOLOGY) | BIT(VIRTIO_BLK_F_MQ) | BIT(VIRTIO_BLK_F_DISCARD) | \
         BIT(VIRTIO_BLK_F_WRITE_ZEROES))

/* 32 virtqueue pairs and the control virtqueue. */
#define DEFAULT_MAX_VQS 65u

static const SimMgmtdev default_mgmtdev = {
        .info = {
                .handle = "sim0",
                .transport = TRANSPORT_OTHER,
                .numa_node = -1,
                .classes = ~UINT64_C(1), /* 1 to 63 */
                .features = {
                        [CLASS_NET] = NET_FEATURES,
                        [CLASS_BLOCK] = BLOCK_FEATURES,
                        [CLASS_BLOCK + 1 ... CLASS_MAX] = COMMON_FEATURES,
                },
                .max_vqs = DEFAULT_MAX_VQS,
                .capacity[RESOURCE_DEVICES] = {
                        .is_known = true,
                        .total = MODEL_DEVICES_MAX,
                        .source = SOURCE_MODEL,
                        .enforcer = ENFORCER_MODEL,
                },
                .capacity[RESOURCE_ASIDS].reserved_ids = "0",
                .vf_index = -1,
                .simulated = true,
        },
};

static const SimConfig default_config = { .mgmtdevs = &default_mgmtdev, .n_mgmtdevs = 1 };

const SimConfig *sim_config_default(void) {
        return &default_config;
}

/* What cannot be about where it is; NULL: nothing. */
static const char *place_fault(const MgmtdevInfo *info) {
        PciAddress address;

        if ((unsigned) info->transport >= _TRANSPORT_MAX)
                return "a transport";
        if (info->numa_node < -1)
                return "a NUMA node";
        if (info->pci_function[0] && pci_address_parse(info->pci_function, &address) < 0)
                return "a PCI function";
        if (info->vf_index < -1 || info->vf_index > UINT16_MAX)
                return "the index of a VF";
        return NULL;
}

/* What cannot be about the numbers of IDs. */
static const char *ids_fault(const MgmtdevInfo *info) {
        const Capacity *asids = &info->capacity[RESOURCE_ASIDS], *msis = &info->capacity[RESOURCE_MSIS];

        if ((unsigned) info->asid_kind >= _ASID_KIND_MAX)
                return "a kind of ASIDs";
        if (info->asid_kind == ASID_PASID && !info->pci_function[0])
                return "PASIDs, and no PCI function,";
        if (asids->total > (info->asid_kind == ASID_PASID ? PASIDS_MAX : IDS_MAX) ||
            idlist_check(asids->reserved_ids) < 0)
                return "a number of ASIDs";
        if (msis->total > IDS_MAX || idlist_check(msis->reserved_ids) < 0)
                return "a number of MSI entries";
        return NULL;
}

static int sim_mgmtdev_check(const SimMgmtdev *m, Failure *f) {
        const char *fault;

        if (!memchr(m->info.handle, 0, sizeof m->info.handle) || !handle_is_valid(m->info.handle))
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                   "A simulated management device has an impossible handle");

        fault = m->info.classes == 0 || m->info.classes & 1 ? "classes" : place_fault(&m->info);
        if (!fault)
                fault = ids_fault(&m->info);
        if (fault)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                   "The simulated management device %s has %s that cannot be", m->info.handle,
                                   fault);
        return 0;
}

/* Two are different ones, and know of the same PASIDs if they share them. */
static int sim_mgmtdevs_check(const MgmtdevInfo *a, const MgmtdevInfo *b, Failure *f) {
        const Capacity *x = &a->capacity[RESOURCE_ASIDS], *y = &b->capacity[RESOURCE_ASIDS];

        if (strcmp(a->handle, b->handle) == 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                   "The simulated management device %s is there twice", a->handle);

        if (a->asid_kind == ASID_PASID && b->asid_kind == ASID_PASID &&
            strcmp(a->pci_function, b->pci_function) == 0 &&
            (x->total != y->total || strcmp(x->reserved_ids, y->reserved_ids) != 0))
                return failure_set(
                        f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                        "The simulated management devices %s and %s share the PASIDs of %s, and disagree "
                        "about which there are",
                        a->handle, b->handle, a->pci_function);
        return 0;
}

int sim_config_check(const SimConfig *config, Failure *f) {
        int r;

        if (config->n_mgmtdevs > MODEL_MGMTDEVS_MAX)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                   "There can be at most %u simulated management devices", MODEL_MGMTDEVS_MAX);

        for (size_t i = 0; i < config->n_mgmtdevs; i++) {
                r = sim_mgmtdev_check(&config->mgmtdevs[i], f);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < i; k++) {
                        r = sim_mgmtdevs_check(&config->mgmtdevs[k].info, &config->mgmtdevs[i].info, f);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}
