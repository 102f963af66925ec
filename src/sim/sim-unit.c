/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/sim-unit.h"

#include <bsd/string.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "inventory/feature.h"
#include "inventory/needs.h"
#include "sim/traffic.h"
#include "util/clock.h"

#define DEFAULT_MTU     1500u
#define DEFAULT_MAX_VQP 1u

/* Four for each device that the model has room for. */
#define DEFAULT_ASIDS (UINT32_C(1) << 22)

static const char *const command_names[_SIM_COMMAND_MAX] = {
        [SIM_CREATE] = "create",   [SIM_ASSIGN] = "assign",           [SIM_BIND] = "bind",
        [SIM_PUBLISH] = "publish", [SIM_SET_MAC] = "set MAC address", [SIM_DESTROY] = "destroy",
};

/* As many as there are unless a number is configured; 0: of these there is no limit. */
static uint32_t default_total(const MgmtdevInfo *info, Resource resource) {
        switch (resource) {
        case RESOURCE_ASIDS:
                return info->asid_kind == ASID_PASID ? PASIDS_MAX : DEFAULT_ASIDS;
        case RESOURCE_MSIS:
                return IDS_MAX;
        case RESOURCE_DEVICES:
        case RESOURCE_VQS:
        case _RESOURCE_MAX:
                break;
        }
        return 0;
}

static bool attribute_is_of_class(MgmtdevAttribute attribute, uint64_t classes) {
        bool net = attribute == ATTRIBUTE_MAC || attribute == ATTRIBUTE_MTU || attribute == ATTRIBUTE_MAX_VQP;

        return net ? classes >> CLASS_NET & 1 : true;
}

void sim_unit_init(SimUnit *u, const SimMgmtdev *config) {
        *u = (SimUnit){ .config = *config };

        u->config.info.simulated = true;
        for (Resource resource = 0; resource < _RESOURCE_MAX; resource++) {
                Capacity *capacity = &u->config.info.capacity[resource];

                if (capacity->total == 0)
                        capacity->total = default_total(&config->info, resource);
                capacity->is_known = capacity->total > 0;
                capacity->source = SOURCE_MODEL;
                capacity->enforcer = ENFORCER_MODEL;
        }
        for (unsigned class = 0; class <= CLASS_MAX; class ++)
                if (!(u->config.info.classes >> class & 1))
                        u->config.info.features[class] = 0;

        u->config.info.knows_accepts = true;
        for (MgmtdevAttribute a = 0; a < _ATTRIBUTE_MAX; a++)
                if (attribute_is_of_class(a, u->config.info.classes))
                        u->config.info.accepts |= 1u << a;
}

int sim_unit_plug(SimUnit *u, Model *model, Failure *f) {
        int r;

        r = model_plug_mgmtdev(model, &u->config.info, &u->index);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, r, "There is no room for %s in the model: %s",
                                   u->config.info.handle, strerror(-r));

        u->model = model;
        return 0;
}

MgmtdevCounts sim_unit_counts(const SimUnit *u) {
        ModelCounts counts = model_mgmtdev_counts(u->model, u->index);
        MgmtdevCounts result = {
                .n_faults = counts.n_faults,
                .n_dma = counts.n_dma,
                .n_interrupts = counts.n_interrupts,
                .n_dma_refused = counts.n_dma_refused,
                .n_interrupts_refused = counts.n_interrupts_refused,
        };

        (void) strlcpy(result.last_fault, counts.last_fault, sizeof result.last_fault);
        return result;
}

MgmtdevInfo sim_unit_info(SimUnit *u) {
        MgmtdevInfo info = u->config.info;

        /* What has gone wrong since the last command shall be seen. */
        traffic_run(u->model, u->index, u->config.traffic, &u->traffic_seed);
        info.counts = sim_unit_counts(u);
        return info;
}

static void spend(uint64_t usec) {
        struct timespec t = {
                .tv_sec = (time_t) (usec / USEC_PER_SEC),
                .tv_nsec = (long) (usec % USEC_PER_SEC * 1000),
        };

        if (usec == 0)
                return;
        while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
                ;
}

void sim_unit_wait(SimUnit *u) {
        traffic_run(u->model, u->index, u->config.traffic, &u->traffic_seed);
        spend(u->config.latency_usec);
}

int sim_unit_command(SimUnit *u, SimCommand command, Failure *f) {
        uint32_t every = u->config.fail_every[command];

        sim_unit_wait(u);
        spend(u->config.more_latency_usec[command]);
        u->n_commands[command]++;
        if (every > 0 && u->n_commands[command] % every == 0)
                return failure_set(f, ERROR_BACKEND_FAILED, EIO,
                                   "The simulated management device %s failed the %s command, as one in %u shall",
                                   u->config.info.handle, command_names[command], every);
        return 0;
}

/* The attributes of a net device each need the feature that tells the driver of them. */
static int sim_unit_check_net(const SimUnit *u, uint64_t features, const NetSpec *net, Failure *f) {
        const struct {
                uint64_t feature;
                bool wanted;
                const char *what;
        } needs[] = {
                { FEATURE_NET_MAC, net->has_mac, "a MAC address needs the feature MAC" },
                { FEATURE_NET_MTU, net->mtu > 0, "an MTU needs the feature MTU" },
                { FEATURE_NET_MQ, net->max_vqp > 1, "more than one virtqueue pair needs the feature MQ" },
        };

        for (size_t i = 0; i < ELEMENTSOF(needs); i++)
                if (needs[i].wanted && !(features & needs[i].feature))
                        return failure_set(f, ERROR_NOT_SUPPORTED, EINVAL, "%s refuses the device: %s",
                                           u->config.info.handle, needs[i].what);

        if (net->mtu > 0 && net->mtu < NET_MTU_MIN)
                return failure_set(f, ERROR_NOT_SUPPORTED, EINVAL, "%s refuses the device: an MTU is at least %d",
                                   u->config.info.handle, NET_MTU_MIN);
        return 0;
}

static int sim_unit_check_class(const SimUnit *u, const DeviceSpec *spec, uint64_t *ret_features, Failure *f) {
        const MgmtdevInfo *info = &u->config.info;
        char class_text[16], feature_text[FEATURE_NAME_MAX];
        uint64_t features, extra;

        (void) class_format(spec->class, class_text);
        if (spec->class > CLASS_MAX || !(info->classes >> spec->class & 1))
                return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP, "%s does not make devices of class %s",
                                   info->handle, class_text);

        features = spec->has_features ? spec->features : info->features[spec->class];
        extra = features & ~info->features[spec->class];
        if (extra) {
                (void) feature_format(spec->class, (unsigned) __builtin_ctzll(extra), feature_text);
                return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                                   "%s does not offer %s to devices of class %s", info->handle, feature_text,
                                   class_text);
        }

        *ret_features = features;
        return 0;
}

int sim_unit_check_spec(const SimUnit *u, const DeviceSpec *spec, ModelDeviceSpec *ret, Failure *f) {
        ModelDeviceSpec model_spec = { .mgmtdev = u->index, .class = spec->class };
        uint32_t max = u->config.info.max_vqs;
        Needs needs;
        int r;

        r = sim_unit_check_class(u, spec, &model_spec.features, f);
        if (r < 0)
                return r;

        if (spec->class == CLASS_NET) {
                r = sim_unit_check_net(u, model_spec.features, &spec->net, f);
                if (r < 0)
                        return r;

                model_spec.net = spec->net;
                if (spec->net.mtu == 0)
                        model_spec.net.mtu = DEFAULT_MTU;
                if (spec->net.max_vqp == 0)
                        model_spec.net.max_vqp = DEFAULT_MAX_VQP;
        }

        if (max == 0 || max > DEVICE_VQS_MAX)
                max = DEVICE_VQS_MAX;
        needs = needs_of(spec, u->config.info.features[spec->class]);
        if (needs.n_vqs > max || needs.n_asids > DEVICE_VQ_GROUPS_MAX)
                return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                                   "%s gives a device at most %u virtqueues and %u groups, and this one needs %u "
                                   "and %u",
                                   u->config.info.handle, max, DEVICE_VQ_GROUPS_MAX, needs.n_vqs, needs.n_asids);

        model_spec.n_vqs = (uint16_t) needs.n_vqs;
        model_spec.n_vq_groups = (uint16_t) needs.n_asids;
        *ret = model_spec;
        return 0;
}

int sim_unit_check_room(const SimUnit *u, const ModelDeviceSpec *spec, Failure *f) {
        const Capacity *capacity = u->config.info.capacity;
        uint32_t max_devices = capacity[RESOURCE_DEVICES].total, max_vqs = capacity[RESOURCE_VQS].total,
                 n_vqs = model_count_vqs(u->model, u->index);

        if ((max_devices > 0 && model_count_devices(u->model, u->index) >= max_devices) ||
            model_count_all_devices(u->model) >= MODEL_DEVICES_MAX)
                return failure_set(f, ERROR_NO_CAPACITY, ENOSPC, "%s has all the devices that it can have",
                                   u->config.info.handle);
        if (max_vqs > 0 && (n_vqs > max_vqs || spec->n_vqs > max_vqs - n_vqs))
                return failure_set(f, ERROR_NO_CAPACITY, ENOSPC,
                                   "%s has %u virtqueues, %u of them in use: %u need "
                                   "more",
                                   u->config.info.handle, max_vqs, n_vqs, spec->n_vqs);
        return 0;
}
