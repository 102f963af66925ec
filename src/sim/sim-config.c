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
                .vf_index = -1,
                .simulated = true,
        },
};

static const SimConfig default_config = { .mgmtdevs = &default_mgmtdev, .n_mgmtdevs = 1 };

const SimConfig *sim_config_default(void) {
        return &default_config;
}

static int sim_mgmtdev_check(const SimMgmtdev *m, Failure *f) {
        const char *fault = NULL;

        if (!memchr(m->info.handle, 0, sizeof m->info.handle) || !handle_is_valid(m->info.handle))
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                   "A simulated management device has an impossible handle");

        if (m->info.classes == 0 || m->info.classes & 1)
                fault = "classes";
        else if ((unsigned) m->info.transport >= _TRANSPORT_MAX)
                fault = "a transport";
        else if (m->info.numa_node < -1)
                fault = "a NUMA node";
        if (fault)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                   "The simulated management device %s has %s that cannot be", m->info.handle,
                                   fault);
        return 0;
}

int sim_config_check(const SimConfig *config, Failure *f) {
        int r;

        if (config->n_mgmtdevs > MODEL_MGMTDEVS_MAX)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                   "There can be at most %u simulated management devices", MODEL_MGMTDEVS_MAX);

        for (size_t i = 0; i < config->n_mgmtdevs; i++) {
                const char *handle = config->mgmtdevs[i].info.handle;

                r = sim_mgmtdev_check(&config->mgmtdevs[i], f);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < i; k++)
                        if (strcmp(config->mgmtdevs[k].info.handle, handle) == 0)
                                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, EINVAL,
                                                   "The simulated management device %s is there twice", handle);
        }

        return 0;
}
