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
#include "sim/sim-state.h"
#include "util/crash.h"
#include "util/decimal.h"
#include "util/fs.h"

#define VQ_SIZE 256u

SimUnit *sim_find_unit(Sim *s, const char *handle) {
        for (size_t i = 0; i < s->n_units; i++)
                if (strcmp(s->units[i].config.info.handle, handle) == 0)
                        return &s->units[i];
        return NULL;
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

bool sim_is_open(const Sim *s, const ModelDevice *d) {
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
        _cleanup_sim_ Sim *s = sim_lock(b);
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

static bool sim_get_counts(Backend *b, const char *mgmtdev, MgmtdevCounts *ret) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        const SimUnit *u = sim_find_unit(s, mgmtdev);

        if (u)
                *ret = sim_unit_counts(u);
        return u;
}

/* Returns where the next device's IDs go. */
static uint32_t *list_ids(const Model *m, const ModelDevice *d, uint32_t *ids, BackendDevice *ret) {
        uint32_t *end = ids;

        ret->ids = ids;
        ret->n_vqs = d->n_vqs;
        for (unsigned group = 0; group < d->n_vq_groups; group++)
                end += model_device_asid(m, d, group, end);
        ret->n_asids = (uint16_t) (end - ids);
        for (unsigned vq = 0; vq <= d->n_vqs; vq++)
                end += model_device_msi(m, d, vq, end);
        ret->n_msis = (uint16_t) (end - ids - ret->n_asids);
        return end;
}

static int sim_list_devices(Backend *b, BackendDevice **ret, size_t *ret_n, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        size_t n = model_count_all_devices(s->model), n_ids = 0, i = 0;
        BackendDevice *devices;
        uint32_t *ids;

        for (ModelDevice *d = model_next_device(s->model, NULL); d; d = model_next_device(s->model, d))
                n_ids += d->n_vq_groups + d->n_vqs + 1u;
        devices = calloc(1, (n > 0 ? n : 1) * sizeof *devices + n_ids * sizeof *ids);
        if (!devices)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Cannot list %zu devices", n);

        ids = (uint32_t *) (devices + n);
        for (ModelDevice *d = model_next_device(s->model, NULL); d; d = model_next_device(s->model, d), i++) {
                assert(i < n);
                memcpy(devices[i].name, d->name, sizeof d->name);
                memcpy(devices[i].mgmtdev, sim_unit_of(s, d)->config.info.handle, sizeof devices[i].mgmtdev);
                devices[i].class = d->class;
                ids = list_ids(s->model, d, ids, &devices[i]);
        }

        *ret = devices;
        *ret_n = n;
        return 0;
}

static int sim_list_sriov(Backend *b, BackendSriov **ret, size_t *ret_n, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);

        return sim_units_list_sriov(s->units, s->n_units, ret, ret_n, f);
}

static int sim_create(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
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
        _cleanup_sim_ Sim *s = sim_lock(b);
        ModelDevice *d = sim_find_device(s, name, f);
        int r;

        if (!d)
                return -ENODEV;
        r = sim_unit_command(sim_unit_of(s, d), SIM_ASSIGN, f);
        if (r < 0)
                return r;

        /* To have others in use, the device is stopped; which is for nobody to do to its user. */
        if (sim_has_others(s->model, d, resources) && sim_is_open(s, d))
                return fail_in_use(d, f);
        return sim_assign_resources(s->model, d, resources, f);
}

static int sim_bind(Backend *b, const char *name, BusDriver driver, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
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
        _cleanup_sim_ Sim *s = sim_lock(b);
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
                d->is_foreign = false;
                return 0;
        case BUS_DRIVER_VIRTIO_VDPA:
                d->is_foreign = false;
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
        char *end = ret;

        if (binding.driver != BUS_DRIVER_NONE)
                end = decimal_write(stpcpy(ret, endpoint_prefix(d, binding.driver)), binding.number);
        *end = '\0';
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

/* The last virtqueues have a group each, as the control virtqueue of a net device; the first group has the rest. */
static VqGroups device_vq_groups(const ModelDevice *d) {
        unsigned n_alone = (d->n_vq_groups < d->n_vqs ? d->n_vq_groups : d->n_vqs) - 1u;
        unsigned n_together = d->n_vqs - n_alone;
        VqGroups groups = {};

        for (unsigned vq = 0; vq < d->n_vqs; vq++)
                if (vq_groups_append(&groups, (uint16_t) (vq < n_together ? 0 : vq - n_together + 1)) < 0)
                        return (VqGroups){};
        return groups;
}

static EndpointSpec device_access(const ModelDevice *d) {
        ModelBinding binding = atomic_load(&d->binding);
        ModelOwner owner = atomic_load(&d->owner);

        return (EndpointSpec){ .uid = owner.uid, .gid = owner.gid, .mode = binding.mode };
}

static int sim_observe(Backend *b, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        ModelDevice *d = sim_reach_device(s, name, f);

        if (!d)
                return -ENODEV;

        *ret = (DeviceStatus){
                .class = d->class,
                .max_vqs = d->n_vqs,
                .vq_size = VQ_SIZE,
                .n_vq_groups = d->n_vq_groups,
                .n_address_spaces = d->n_vq_groups,
                .vq_groups = device_vq_groups(d),
                .driver = model_device_driver(d),
                .simulated = true,
                .has_features = true,
                .features = d->features,
        };
        strcpy(ret_mgmtdev, sim_unit_of(s, d)->config.info.handle);
        endpoint_format(d, ret->endpoint);
        if (d->class == CLASS_NET)
                ret->net = device_net(d);
        ret->has_access = ret->driver == BUS_DRIVER_VHOST_VDPA;
        if (ret->has_access)
                ret->access = device_access(d);
        return 0;
}

static int sim_set_mac(Backend *b, const char *name, const uint8_t mac[6], Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
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

/* Whoever plays the user may say who that is, in a file: "PID NAME". */
static void read_user(const Sim *s, const char *name, DeviceUsers *users) {
        DeviceUser user = { .kind = USER_PROCESS, .fd = -1 };
        char path[DEVICE_NAME_MAX + sizeof "/user"], text[128];
        _cleanup_close_ int fd = -1;
        ssize_t n;
        int pid;

        if ((size_t) snprintf(path, sizeof path, "%s/user", name) >= sizeof path)
                return;
        fd = openat(s->open_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
        text[n > 0 ? n : 0] = '\0';
        if (sscanf(text, "%d %127[^\n]", &pid, user.name) < 1)
                return;
        user.pid = pid;
        device_users_add(users, &user);
}

static int sim_find_users(Backend *b, const char *name, DeviceUsers *ret) {
        const Sim *s = CONTAINER_OF(b, Sim, backend);

        *ret = (DeviceUsers){};
        if (faccessat(s->open_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        read_user(s, name, ret);
        return 1;
}

static int fail_destroy(Sim *s, const ModelDevice *d, DeviceUsers *ret_users, Failure *f) {
        char text[DEVICE_USERS_TEXT_MAX];
        DeviceUsers users;

        (void) fail_in_use(d, f);
        if (sim_find_users(&s->backend, d->name, &users) > 0 && users.n > 0) {
                failure_append(f, " (%s)", device_users_format(&users, text));
                if (ret_users)
                        *ret_users = users;
        }
        return -EBUSY;
}

static int sim_destroy(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        ModelDevice *d;
        int r;

        d = model_find_device(s->model, name);
        if (!d)
                return 0;
        r = sim_unit_command(sim_unit_of(s, d), SIM_DESTROY, f);
        if (r < 0)
                return r;

        if (sim_is_open(s, d))
                return fail_destroy(s, d, ret_users, f);

        return sim_withdraw_device(s->model, d, f);
}

static int sim_scrub(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        ModelDevice *d = sim_reach_device(s, name, f);
        int r;

        if (!d)
                return -ENODEV;
        if (sim_is_open(s, d))
                return fail_destroy(s, d, ret_users, f);

        r = model_disable_device(s->model, model_device_ref(s->model, d), f);
        memset(d->counters, 0, sizeof d->counters);
        return r;
}

static bool sim_is_ours(Backend *b, const char *name) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        const ModelDevice *d = model_find_device(s->model, name);

        return d && !d->is_foreign;
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
        _cleanup_sim_ Sim *s = sim_lock(b);
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

/* The lists are as the model has them: an MSI entry that virtqueues share stands there once. */
int sim_get_holdings(const Model *m, const ModelDevice *d, DeviceResources *ret) {
        uint32_t asids[DEVICE_VQ_GROUPS_MAX], msis[DEVICE_VQS_MAX + 1] = {}, id;
        uint16_t n_asids = 0, n_msis = 0;

        for (unsigned i = 0; i < d->n_vq_groups; i++)
                n_asids += model_device_asid(m, d, i, &asids[n_asids]);
        for (unsigned i = 0; i <= d->n_vqs; i++) {
                unsigned k = 0;

                if (!model_device_msi(m, d, i, &id))
                        continue;
                while (k < n_msis && msis[k] != id)
                        k++;
                if (k == n_msis)
                        msis[n_msis++] = id;
        }

        return device_resources_set(ret, asids, n_asids, d->n_vqs, msis, n_msis);
}

static int sim_get_resources(Backend *b, const char *name, DeviceResources *ret, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        const ModelDevice *d = sim_find_device(s, name, f);

        if (!d)
                return -ENODEV;
        if (sim_get_holdings(s->model, d, ret) < 0)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Cannot tell what %s holds", name);
        return 0;
}

static int sim_check_idle(Backend *b, const char *name, Failure *f) {
        _cleanup_sim_ Sim *s = sim_lock(b);
        const ModelDevice *d = sim_find_device(s, name, f);

        if (!d)
                return -ENODEV;
        return sim_is_open(s, d) ? fail_in_use(d, f) : 0;
}

/* Not under the lock: these are the loop's. */
static int sim_watch(Backend *b, sd_event *event, const BackendWatcher *watcher) {
        return outside_watch(((Sim *) b)->outside, event, watcher);
}

static void sim_unwatch(Backend *b) {
        outside_unwatch(((Sim *) b)->outside);
}

static Sim *sim_free(Sim *s) {
        if (!s)
                return NULL;

        outside_free(s->outside);
        model_close(s->model);
        if (s->open_fd >= 0)
                close(s->open_fd);
        (void) pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Sim *, sim_free)

static Backend *sim_backend_free(Backend *b) {
        sim_free((Sim *) b);
        return NULL;
}

static const BackendOps sim_ops = {
        .name = "sim",
        .get_host = sim_get_host,
        .list_mgmtdevs = sim_list_mgmtdevs,
        .get_counts = sim_get_counts,
        .list_devices = sim_list_devices,
        .list_sriov = sim_list_sriov,
        .create = sim_create,
        .assign = sim_assign,
        .bind = sim_bind,
        .publish = sim_publish,
        .observe = sim_observe,
        .set_mac = sim_set_mac,
        .destroy = sim_destroy,
        .scrub = sim_scrub,
        .is_ours = sim_is_ours,
        .find_users = sim_find_users,
        .get_stats = sim_get_stats,
        .check_idle = sim_check_idle,
        .get_resources = sim_get_resources,
        .watch = sim_watch,
        .unwatch = sim_unwatch,
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
                CRASH_POINT(SIM_MGMTDEV_PLUGGED);
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
        (void) pthread_mutex_init(&s->lock, NULL);
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
        r = outside_new(runtime_dir, sim_run_outside, s, &s->outside);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, r, "Cannot make the socket %s/%s: %s", runtime_dir,
                                   OUTSIDE_SOCKET, strerror(-r));

        *ret = &TAKE_PTR(s)->backend;
        return 0;
}
