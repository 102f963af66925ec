/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backend's steps, on the devices of the model. */
#include "sim/sim.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "inventory/feature.h"
#include "sim/model-command.h"
#include "sim/sim-assign.h"
#include "sim/sim-sriov.h"
#include "sim/sim-unit.h"
#include "util/fs.h"

#define VQ_SIZE 256u

typedef struct Sim {
        Backend backend;
        Model *model;
        int open_fd;                           /* the directory of open endpoints */
        SimUnit *by_index[MODEL_MGMTDEVS_MAX]; /* weak */
        size_t n_units;
        SimUnit units[];
} Sim;

/* The backend is its first member. */
static Sim *sim_of(Backend *b) {
        return (Sim *) b;
}

static SimUnit *sim_find_unit(Sim *s, const char *handle) {
        for (size_t i = 0; i < s->n_units; i++)
                if (strcmp(s->units[i].config.info.handle, handle) == 0)
                        return &s->units[i];
        return NULL;
}

static SimUnit *sim_unit_of(Sim *s, const ModelDevice *d) {
        return s->by_index[d->mgmtdev];
}

/* NULL if there is none, with f set; to return -ENODEV then. */
static ModelDevice *sim_find_device(Sim *s, const char *name, Failure *f) {
        ModelDevice *d = model_find_device(s->model, name);

        if (!d)
                (void) failure_set(f, ERROR_DEVICE_NOT_FOUND, ENODEV, "There is no simulated device named %s",
                                   name);
        return d;
}

/* The same for a command that cannot be told to fail. */
static ModelDevice *sim_reach_device(Sim *s, const char *name, Failure *f) {
        ModelDevice *d = sim_find_device(s, name, f);

        if (d)
                sim_unit_wait(sim_unit_of(s, d));
        return d;
}

/* In doubt it is open: then nothing is taken away from anyone. */
static bool sim_is_open(const Sim *s, const ModelDevice *d) {
        struct stat st;

        if (model_device_driver(d) == BUS_DRIVER_NONE)
                return false;

        /* Two links are a directory without any directory in it. To look for a name that is not there costs more
         * than all the rest of a command. */
        if (fstat(s->open_fd, &st) >= 0 && st.st_nlink == 2)
                return false;
        return faccessat(s->open_fd, d->name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0 || errno != ENOENT;
}

static int fail_in_use(const ModelDevice *d, Failure *f) {
        return failure_set(f, ERROR_IN_USE, EBUSY, "The endpoint of device %s is open", d->name);
}

static int sim_get_host(Backend *b, BackendHost *ret, Failure *f) {
        *ret = (BackendHost){ .available = true, .can_vhost_vdpa = true, .can_virtio_vdpa = true };
        return 0;
}

static int sim_list_mgmtdevs(Backend *b, MgmtdevInfo **ret, size_t *ret_n, Failure *f) {
        Sim *s = sim_of(b);
        MgmtdevInfo *infos;

        infos = calloc(s->n_units > 0 ? s->n_units : 1, sizeof *infos);
        if (!infos)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Cannot list the management devices");

        for (size_t i = 0; i < s->n_units; i++)
                infos[i] = sim_unit_info(&s->units[i]);

        *ret = infos;
        *ret_n = s->n_units;
        return 0;
}

static int sim_list_devices(Backend *b, BackendDevice **ret, size_t *ret_n, Failure *f) {
        Sim *s = sim_of(b);
        size_t n = model_count_all_devices(s->model), i = 0;
        BackendDevice *devices;

        devices = calloc(n > 0 ? n : 1, sizeof *devices);
        if (!devices)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Cannot list %zu devices", n);

        for (ModelDevice *d = model_next_device(s->model, NULL); d; d = model_next_device(s->model, d), i++) {
                assert(i < n);
                memcpy(devices[i].name, d->name, sizeof d->name);
                memcpy(devices[i].mgmtdev, sim_unit_of(s, d)->config.info.handle, sizeof devices[i].mgmtdev);
                devices[i].class = d->class;
        }

        *ret = devices;
        *ret_n = n;
        return 0;
}

static int sim_list_sriov(Backend *b, BackendSriov **ret, size_t *ret_n, Failure *f) {
        Sim *s = sim_of(b);

        return sim_units_list_sriov(s->units, s->n_units, ret, ret_n, f);
}

static int sim_create(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        Sim *s = sim_of(b);
        ModelDeviceSpec model_spec;
        ModelDevice *d;
        SimUnit *u;
        int r;

        u = sim_find_unit(s, mgmtdev);
        if (!u)
                return failure_set(f, ERROR_MGMTDEV_NOT_FOUND, ENODEV, "There is no management device %s", mgmtdev);

        r = sim_unit_command(u, SIM_CREATE, f);
        if (r < 0)
                return r;

        if (!device_name_is_valid(name))
                return failure_set(f, ERROR_INVALID_REQUEST, EINVAL, "No device can have such a name");
        if (model_find_device(s->model, name))
                return failure_set(f, ERROR_FOREIGN_DEVICE, EEXIST, "There is a simulated device named %s already",
                                   name);

        r = sim_unit_check_spec(u, spec, &model_spec, f);
        if (r < 0)
                return r;

        r = sim_unit_check_room(u, &model_spec, f);
        if (r < 0)
                return r;

        r = model_create_device(s->model, name, &model_spec, &d);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_FAILED, r,
                                   "The runtime directory has no room for another simulated device: %s",
                                   strerror(-r));
        return 0;
}

static int sim_assign(Backend *b, const char *name, const DeviceResources *resources, Failure *f) {
        Sim *s = sim_of(b);
        ModelDevice *d = sim_find_device(s, name, f);
        int r;

        if (!d)
                return -ENODEV;
        r = sim_unit_command(sim_unit_of(s, d), SIM_ASSIGN, f);
        if (r < 0)
                return r;

        return sim_assign_resources(s->model, d, resources, f);
}

static int sim_bind(Backend *b, const char *name, BusDriver driver, Failure *f) {
        Sim *s = sim_of(b);
        ModelDevice *d = sim_find_device(s, name, f);
        int r;

        if (!d)
                return -ENODEV;
        r = sim_unit_command(sim_unit_of(s, d), SIM_BIND, f);
        if (r < 0)
                return r;

        if (driver != BUS_DRIVER_VHOST_VDPA && driver != BUS_DRIVER_VIRTIO_VDPA)
                return failure_set(f, ERROR_NOT_SUPPORTED, EINVAL, "There is no such bus driver");
        if (model_device_driver(d) == driver)
                return 0;
        if (sim_is_open(s, d))
                return fail_in_use(d, f);

        return model_enable_device(s->model, model_device_ref(s->model, d), driver, f);
}

static int sim_publish(Backend *b, const char *name, const EndpointSpec *endpoint, Failure *f) {
        Sim *s = sim_of(b);
        ModelDevice *d = sim_find_device(s, name, f);
        int r;

        if (!d)
                return -ENODEV;
        r = sim_unit_command(sim_unit_of(s, d), SIM_PUBLISH, f);
        if (r < 0)
                return r;

        switch (model_device_driver(d)) {
        case BUS_DRIVER_VHOST_VDPA:
                model_set_endpoint(d, endpoint);
                return 0;
        case BUS_DRIVER_VIRTIO_VDPA:
                return 0;
        case BUS_DRIVER_NONE:
        case BUS_DRIVER_OTHER:
        case _BUS_DRIVER_MAX:
                break;
        }

        return failure_set(f, ERROR_BACKEND_FAILED, ENOENT, "Device %s has no endpoint", d->name);
}

static const char *endpoint_prefix(const ModelDevice *d, BusDriver driver) {
        if (driver == BUS_DRIVER_VHOST_VDPA)
                return "/dev/vhost-vdpa-";
        if (d->class == CLASS_NET)
                return "simeth";
        if (d->class == CLASS_BLOCK)
                return "/dev/simvd";
        return "simvirtio";
}

static void endpoint_format(const ModelDevice *d, char ret[ENDPOINT_MAX]) {
        ModelBinding binding = atomic_load(&d->binding);

        if (binding.driver == BUS_DRIVER_NONE)
                ret[0] = 0;
        else
                (void) snprintf(ret, ENDPOINT_MAX, "%s%u", endpoint_prefix(d, binding.driver), binding.number);
}

/* What its configuration space tells; a device that does not offer MTU does not tell it. */
static NetSpec device_net(const ModelDevice *d) {
        ModelMac mac = atomic_load(&d->mac);
        NetSpec net = { .max_vqp = d->max_vqp };

        if (d->features & FEATURE_NET_MTU)
                net.mtu = d->mtu;
        if (mac.present) {
                net.has_mac = true;
                memcpy(net.mac, mac.address, sizeof net.mac);
        }
        return net;
}

static int sim_observe(Backend *b, const char *name, DeviceStatus *ret, Failure *f) {
        Sim *s = sim_of(b);
        ModelDevice *d = sim_reach_device(s, name, f);

        if (!d)
                return -ENODEV;

        *ret = (DeviceStatus){
                .class = d->class,
                .max_vqs = d->n_vqs,
                .vq_size = VQ_SIZE,
                .n_vq_groups = d->n_vq_groups,
                .n_address_spaces = d->n_vq_groups,
                .driver = model_device_driver(d),
                .simulated = true,
                .has_features = true,
                .features = d->features,
        };
        memcpy(ret->mgmtdev, sim_unit_of(s, d)->config.info.handle, sizeof ret->mgmtdev);
        endpoint_format(d, ret->endpoint);
        if (d->class == CLASS_NET)
                ret->net = device_net(d);
        return 0;
}

static int sim_set_mac(Backend *b, const char *name, const uint8_t mac[6], Failure *f) {
        Sim *s = sim_of(b);
        ModelDevice *d = sim_find_device(s, name, f);
        int r;

        if (!d)
                return -ENODEV;
        r = sim_unit_command(sim_unit_of(s, d), SIM_SET_MAC, f);
        if (r < 0)
                return r;

        if (d->class != CLASS_NET || !(d->features & FEATURE_NET_MAC))
                return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                                   "Device %s has no MAC address that can be set", d->name);

        model_set_mac(d, mac);
        return 0;
}

static int sim_destroy(Backend *b, const char *name, Failure *f) {
        Sim *s = sim_of(b);
        ModelDevice *d;
        int r;

        d = model_find_device(s->model, name);
        if (!d)
                return 0;
        r = sim_unit_command(sim_unit_of(s, d), SIM_DESTROY, f);
        if (r < 0)
                return r;

        if (sim_is_open(s, d))
                return fail_in_use(d, f);

        return sim_withdraw_device(s->model, d, f);
}

static ModelCounters device_counters(const ModelDevice *d, uint32_t queue) {
        if (queue == 2u * d->max_vqp)
                return d->counters[MODEL_VQ_CONTROL];
        if (queue <= MODEL_VQ_TRANSMIT)
                return d->counters[queue];
        return (ModelCounters){ 0 };
}

static void stat_fill(BackendStat *stat, uint32_t queue, const char *name, uint64_t value) {
        stat->queue = queue;
        (void) snprintf(stat->name, sizeof stat->name, "%s", name);
        stat->value = value;
}

static int sim_get_stats(Backend *b, const char *name, BackendStat **ret, size_t *ret_n, Failure *f) {
        Sim *s = sim_of(b);
        ModelDevice *d = sim_reach_device(s, name, f);
        BackendStat *stats;
        uint32_t n_queues;

        if (!d)
                return -ENODEV;

        if (d->class != CLASS_NET)
                return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP, "Only net devices have statistics");

        n_queues = d->n_vqs;
        stats = calloc(n_queues, 2 * sizeof *stats);
        if (!stats)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Cannot list the statistics of %u virtqueues",
                                   n_queues);

        for (uint32_t q = 0; q < n_queues; q++) {
                ModelCounters counters = device_counters(d, q);

                stat_fill(&stats[2 * q], q, "received_desc", counters.received);
                stat_fill(&stats[2 * q + 1], q, "completed_desc", counters.completed);
        }

        *ret = stats;
        *ret_n = 2 * (size_t) n_queues;
        return 0;
}

static Sim *sim_free(Sim *s) {
        if (!s)
                return NULL;

        model_close(s->model);
        if (s->open_fd >= 0)
                close(s->open_fd);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Sim *, sim_free)

static Backend *sim_backend_free(Backend *b) {
        sim_free(sim_of(b));
        return NULL;
}

static const BackendOps sim_ops = {
        .name = "sim",
        .get_host = sim_get_host,
        .list_mgmtdevs = sim_list_mgmtdevs,
        .list_devices = sim_list_devices,
        .list_sriov = sim_list_sriov,
        .create = sim_create,
        .assign = sim_assign,
        .bind = sim_bind,
        .publish = sim_publish,
        .observe = sim_observe,
        .set_mac = sim_set_mac,
        .destroy = sim_destroy,
        .get_stats = sim_get_stats,
        .free = sim_backend_free,
};

/* What hardware was pulled out and put in since the model was used last. */
static int sim_plug(Sim *s, Failure *f) {
        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX; i++) {
                const char *handle = model_mgmtdev_handle(s->model, i);

                if (handle && !sim_find_unit(s, handle))
                        model_unplug_mgmtdev(s->model, i);
        }

        for (size_t i = 0; i < s->n_units; i++) {
                SimUnit *u = &s->units[i];
                int r;

                r = sim_unit_plug(u, s->model, f);
                if (r < 0)
                        return r;
                s->by_index[u->index] = u;
        }

        return 0;
}

static int sim_open_directory(Sim *s, const char *runtime_dir, Failure *f) {
        _cleanup_free_ char *path = fs_join(runtime_dir, SIM_OPEN_DIRECTORY);

        if (!path)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for the simulation");

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno, "Cannot make the directory %s: %m", path);

        s->open_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->open_fd < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, errno, "Cannot open the directory %s: %m", path);
        return 0;
}

int sim_backend_new(const SimConfig *config, const char *runtime_dir, Backend **ret, Failure *f) {
        _cleanup_(sim_freep) Sim *s = NULL;
        int r;

        r = sim_config_check(config, f);
        if (r < 0)
                return r;

        s = calloc(1, sizeof *s + config->n_mgmtdevs * sizeof s->units[0]);
        if (!s)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for the simulation");

        s->backend.ops = &sim_ops;
        s->open_fd = -1;
        s->n_units = config->n_mgmtdevs;
        for (size_t i = 0; i < s->n_units; i++)
                sim_unit_init(&s->units[i], &config->mgmtdevs[i]);

        r = sim_open_directory(s, runtime_dir, f);
        if (r < 0)
                return r;
        r = model_open(runtime_dir, &s->model, f);
        if (r < 0)
                return r;
        r = sim_plug(s, f);
        if (r < 0)
                return r;

        *ret = &TAKE_PTR(s)->backend;
        return 0;
}
