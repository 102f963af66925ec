/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz-host.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "fuzz.h"
#include "sim/sim.h"

static struct {
        Backend backend;
        Backend *sim;
        SimMgmtdev mgmtdevs[2];
        SimConfig config;
        _Atomic unsigned n_failures[_HOST_STEP_MAX];
        _Atomic bool is_late[_HOST_STEP_MAX];
        _Atomic bool hides_small;
} host;

/* Whether the step fails now: at its beginning, or at its end. */
static bool fails(HostStep step, bool at_the_end) {
        unsigned n = atomic_load(&host.n_failures[step]);

        if (n == 0 || atomic_load(&host.is_late[step]) != at_the_end)
                return false;
        atomic_store(&host.n_failures[step], n - 1);
        return true;
}

static int failure(Failure *f) {
        return failure_set(f, ERROR_BACKEND_FAILED, EIO, "The host has failed");
}

#define STEP(step, call)                                                                                           \
        ({                                                                                                         \
                int _r = fails(step, false) ? failure(f) : (call);                                                 \
                _r == 0 && fails(step, true) ? failure(f) : _r;                                                    \
        })

static bool is_hidden(const char *mgmtdev) {
        return atomic_load(&host.hides_small) && strcmp(mgmtdev, HOST_SMALL) == 0;
}

static int get_host(Backend *b, BackendHost *ret, Failure *f) {
        return host.sim->ops->get_host(host.sim, ret, f);
}

static int list_mgmtdevs(Backend *b, MgmtdevInfo **ret, size_t *ret_n, Failure *f) {
        MgmtdevInfo *infos = NULL;
        size_t n = 0, kept = 0;
        int r = STEP(HOST_LIST, host.sim->ops->list_mgmtdevs(host.sim, &infos, &n, f));

        if (r < 0) {
                free(infos);
                return r;
        }
        for (size_t i = 0; i < n; i++)
                if (!is_hidden(infos[i].handle))
                        infos[kept++] = infos[i];
        *ret = infos;
        *ret_n = kept;
        return 0;
}

static bool get_counts(Backend *b, const char *mgmtdev, MgmtdevCounts *ret) {
        return host.sim->ops->get_counts(host.sim, mgmtdev, ret);
}

static int list_devices(Backend *b, BackendDevice **ret, size_t *ret_n, Failure *f) {
        BackendDevice *devices = NULL;
        size_t n = 0, kept = 0;
        int r = STEP(HOST_LIST, host.sim->ops->list_devices(host.sim, &devices, &n, f));

        if (r < 0) {
                free(devices);
                return r;
        }
        for (size_t i = 0; i < n; i++)
                if (!is_hidden(devices[i].mgmtdev))
                        devices[kept++] = devices[i];
        *ret = devices;
        *ret_n = kept;
        return 0;
}

static int list_sriov(Backend *b, BackendSriov **ret, size_t *ret_n, Failure *f) {
        return host.sim->ops->list_sriov(host.sim, ret, ret_n, f);
}

static int create(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        if (is_hidden(mgmtdev))
                return failure_set(f, ERROR_MGMTDEV_NOT_FOUND, ENODEV, "There is no such management device");
        return STEP(HOST_CREATE, host.sim->ops->create(host.sim, name, mgmtdev, spec, f));
}

static int assign(Backend *b, const char *name, const DeviceResources *resources, Failure *f) {
        return STEP(HOST_ASSIGN, host.sim->ops->assign(host.sim, name, resources, f));
}

static int bind(Backend *b, const char *name, BusDriver driver, Failure *f) {
        return STEP(HOST_BIND, host.sim->ops->bind(host.sim, name, driver, f));
}

static int publish(Backend *b, const char *name, const EndpointSpec *endpoint, Failure *f) {
        return STEP(HOST_PUBLISH, host.sim->ops->publish(host.sim, name, endpoint, f));
}

static int observe(Backend *b, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret, Failure *f) {
        DeviceStatus status;
        int r = STEP(HOST_OBSERVE, host.sim->ops->observe(host.sim, name, ret_mgmtdev, &status, f));

        if (r == 0 && is_hidden(ret_mgmtdev))
                return failure_set(f, ERROR_DEVICE_NOT_FOUND, ENODEV, "There is no such device");
        if (r == 0)
                *ret = status;
        return r;
}

static int set_mac(Backend *b, const char *name, const uint8_t mac[6], Failure *f) {
        return STEP(HOST_SET_MAC, host.sim->ops->set_mac(host.sim, name, mac, f));
}

static int scrub(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        return STEP(HOST_SCRUB, host.sim->ops->scrub(host.sim, name, ret_users, f));
}

static bool is_ours(Backend *b, const char *name) {
        return host.sim->ops->is_ours(host.sim, name);
}

static int destroy(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        return STEP(HOST_DESTROY, host.sim->ops->destroy(host.sim, name, ret_users, f));
}

static int find_users(Backend *b, const char *name, DeviceUsers *ret) {
        return host.sim->ops->find_users(host.sim, name, ret);
}

static int get_stats(Backend *b, const char *name, BackendStat **ret, size_t *ret_n, Failure *f) {
        return host.sim->ops->get_stats(host.sim, name, ret, ret_n, f);
}

static Backend *stay(Backend *b) {
        return NULL;
}

static const BackendOps ops = {
        .name = "sim",
        .get_host = get_host,
        .list_mgmtdevs = list_mgmtdevs,
        .get_counts = get_counts,
        .list_devices = list_devices,
        .list_sriov = list_sriov,
        .create = create,
        .assign = assign,
        .bind = bind,
        .publish = publish,
        .observe = observe,
        .set_mac = set_mac,
        .destroy = destroy,
        .scrub = scrub,
        .is_ours = is_ours,
        .find_users = find_users,
        .get_stats = get_stats,
        .free = stay,
};

Backend *host_open(const char *directory) {
        SimMgmtdev *small = &host.mgmtdevs[0], *large = &host.mgmtdevs[1];
        Failure f = FAILURE_INIT;

        *small = *large = sim_config_default()->mgmtdevs[0];
        strcpy(small->info.handle, HOST_SMALL);
        small->info.transport = TRANSPORT_PCI_PF;
        small->info.asid_kind = ASID_PASID;
        strcpy(small->info.pci_function, "0000:01:00.0");
        small->info.capacity[RESOURCE_DEVICES].total = 3;
        small->info.capacity[RESOURCE_ASIDS].total = 5;
        small->info.capacity[RESOURCE_MSIS].total = 12;
        large->info.capacity[RESOURCE_DEVICES].total = 6;
        large->info.capacity[RESOURCE_MSIS].total = 40;
        for (unsigned i = 0; i < 2; i++)
                for (Resource r = 0; r < _RESOURCE_MAX; r++)
                        if (host.mgmtdevs[i].info.capacity[r].total > 0)
                                host.mgmtdevs[i].info.capacity[r].is_known = true;

        host.config = (SimConfig){ .mgmtdevs = host.mgmtdevs, .n_mgmtdevs = 2 };
        fuzz_expect(sim_backend_new(&host.config, directory, &host.sim, &f) == 0);
        host.backend.ops = &ops;
        return &host.backend;
}

void host_close(void) {
        if (host.sim)
                host.sim->ops->free(TAKE_PTR(host.sim));
}

void host_fail(HostStep step, unsigned times, bool is_late) {
        atomic_store(&host.is_late[step], is_late);
        atomic_store(&host.n_failures[step], times);
}

/* Those on one management device; NULL: all. */
static void destroy_all(const char *mgmtdev) {
        _cleanup_free_ BackendDevice *devices = NULL;
        size_t n = 0;
        Failure f;

        fuzz_expect(host.sim->ops->list_devices(host.sim, &devices, &n, &f) == 0);
        for (size_t i = 0; i < n; i++)
                if (!mgmtdev || strcmp(devices[i].mgmtdev, mgmtdev) == 0)
                        fuzz_expect(host.sim->ops->destroy(host.sim, devices[i].name, NULL, &f) == 0 ||
                                    f.code == ERROR_IN_USE);
}

void host_pull_out(bool small) {
        atomic_store(&host.hides_small, small);
        if (small)
                destroy_all(HOST_SMALL);
}

void host_destroy(const char *name) {
        Failure f;

        (void) host.sim->ops->destroy(host.sim, name, NULL, &f);
}

void host_make_foreign(const char *name) {
        DeviceSpec spec;
        Failure f;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        (void) host.sim->ops->create(host.sim, name, HOST_LARGE, &spec, &f);
}

void host_reset(void) {
        for (HostStep step = 0; step < _HOST_STEP_MAX; step++)
                host_fail(step, 0, false);
        host_pull_out(false);
        destroy_all(NULL);
}

uint64_t host_count_faults(void) {
        MgmtdevCounts small, large;

        fuzz_expect(get_counts(&host.backend, HOST_SMALL, &small) && get_counts(&host.backend, HOST_LARGE, &large));
        return small.n_faults + large.n_faults;
}
