/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-backend.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake-host.h"

static const char *const call_names[_FAKE_CALL_MAX] = {
        [FAKE_CREATE] = "create",       [FAKE_BIND] = "bind",       [FAKE_PUBLISH] = "publish",
        [FAKE_OBSERVE] = "observe",     [FAKE_SET_MAC] = "set_mac", [FAKE_DESTROY] = "destroy",
        [FAKE_GET_STATS] = "get_stats", [FAKE_SCRUB] = "scrub",     [FAKE_ASSIGN] = "assign",
};

/* Returns the error that the test wants of this call, or 0. */
static int begin(Fake *fake, FakeCall call, const char *name, Failure *f) {
        size_t n = strlen(fake->log);

        fake->calls[call].n_calls++;
        if (call_names[call])
                (void) snprintf(fake->log + n, sizeof fake->log - n, "%s%s %s", n ? ", " : "", call_names[call],
                                name);

        fake->calls[call].n_held++;
        while (fake->calls[call].hold)
                pthread_cond_wait(&fake->changed, &fake->lock);
        fake->calls[call].n_held--;

        if (fake->calls[call].n_fail == 0)
                return 0;
        fake->calls[call].n_fail--;
        return failure_set(f, fake->calls[call].code, fake->calls[call].error, "The test lets '%s %s' fail",
                           call_names[call] ? call_names[call] : "list", name);
}

static int no_such_device(const char *name, Failure *f) {
        return failure_set(f, ERROR_DEVICE_NOT_FOUND, ENODEV, "There is no '%s'", name);
}

static int fake_get_host(Backend *b, BackendHost *ret, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_GET_HOST, "", f);

        if (r < 0)
                return r;
        *ret = (BackendHost){ .available = fake->available, .can_vhost_vdpa = true };
        if (!fake->available)
                strcpy(ret->reason, "the test says so");
        return 0;
}

static int fake_list_mgmtdevs(Backend *b, MgmtdevInfo **ret, size_t *ret_n, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_LIST_MGMTDEVS, "", f);
        MgmtdevInfo *infos;

        if (r < 0)
                return r;
        infos = malloc(sizeof fake->mgmtdevs);
        ck_assert_ptr_nonnull(infos);
        memcpy(infos, fake->mgmtdevs, sizeof fake->mgmtdevs);
        *ret = infos;
        *ret_n = fake->n_mgmtdevs;
        return 0;
}

static int fake_list_devices(Backend *b, BackendDevice **ret, size_t *ret_n, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_LIST_DEVICES, "", f);
        BackendDevice *devices;
        size_t n = 0;

        if (r < 0)
                return r;
        devices = calloc(N_DEVICES, sizeof *devices);
        ck_assert_ptr_nonnull(devices);
        for (size_t i = 0; i < N_DEVICES; i++) {
                const FakeDevice *device = &fake->devices[i];

                if (!device->there || device->unlisted)
                        continue;
                strcpy(devices[n].name, device->name);
                strcpy(devices[n].mgmtdev, device->mgmtdev);
                devices[n++].class = device->status.class;
        }
        *ret = devices;
        *ret_n = n;
        return 0;
}

static int fake_list_sriov(Backend *b, BackendSriov **ret, size_t *ret_n, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_LIST_SRIOV, "", f);
        BackendSriov *functions;

        if (r < 0)
                return r;
        functions = malloc(sizeof fake->sriov);
        ck_assert_ptr_nonnull(functions);
        memcpy(functions, fake->sriov, sizeof fake->sriov);
        *ret = functions;
        *ret_n = fake->n_sriov;
        return 0;
}

static int fake_create(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_CREATE, name, f);
        FakeDevice *device;

        if (r < 0)
                return r;
        if (fake_find(fake, name))
                return failure_set(f, ERROR_FOREIGN_DEVICE, EEXIST, "There is a '%s'", name);
        if (!fake_find_mgmtdev(fake, mgmtdev))
                return failure_set(f, ERROR_BACKEND_FAILED, ENODEV, "There is no %s", mgmtdev);
        device = fake_add(fake, name, mgmtdev, spec->class);
        device->status.net = spec->net;
        device->is_made = true;
        return 0;
}

static int fake_assign(Backend *b, const char *name, const DeviceResources *resources, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_ASSIGN, name, f);
        FakeDevice *device = fake_find(fake, name);

        if (r < 0)
                return r;
        if (!device)
                return no_such_device(name, f);
        device->n_asids = resources->n_asids;
        device->n_vqs = resources->n_vqs;
        device->n_msis = resources->n_msis;
        device->asid = device_resources_asids(resources)[0];
        device->msi = device_resources_msis(resources)[0];
        return 0;
}

static int fake_bind(Backend *b, const char *name, BusDriver driver, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_BIND, name, f);
        FakeDevice *device = fake_find(fake, name);

        if (r < 0)
                return r;
        if (!device)
                return no_such_device(name, f);
        if (device->status.driver == driver && device->status.endpoint[0])
                return 0;
        if (device->in_use)
                return failure_set(f, ERROR_IN_USE, EBUSY, "'%s' is in use", name);
        fake_give_endpoint(fake, device, driver);
        return 0;
}

static int fake_publish(Backend *b, const char *name, const EndpointSpec *endpoint, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_PUBLISH, name, f);
        FakeDevice *device = fake_find(fake, name);

        if (r < 0)
                return r;
        if (!device)
                return no_such_device(name, f);
        device->owner = *endpoint;
        device->is_made = true;
        return 0;
}

static bool fake_is_ours(Backend *b, const char *name) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        const FakeDevice *device = fake_find(fake, name);

        return device && device->is_made;
}

static int fake_observe(Backend *b, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_OBSERVE, name, f);
        FakeDevice *device = fake_find(fake, name);

        if (r < 0)
                return r;
        if (!device)
                return no_such_device(name, f);
        strcpy(ret_mgmtdev, device->mgmtdev);
        *ret = device->status;
        return 0;
}

static void fake_observe_all(Backend *b) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        (void) begin(fake, FAKE_OBSERVE_ALL, "", NULL);
}

static int fake_set_mac(Backend *b, const char *name, const uint8_t mac[6], Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_SET_MAC, name, f);
        FakeDevice *device = fake_find(fake, name);

        if (r < 0)
                return r;
        if (!device)
                return no_such_device(name, f);
        device->status.net.has_mac = true;
        memcpy(device->status.net.mac, mac, sizeof device->status.net.mac);
        return 0;
}

static int fake_scrub(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_SCRUB, name, f);
        FakeDevice *device = fake_find(fake, name);

        if (r < 0)
                return r;
        if (!device)
                return no_such_device(name, f);
        if (device->in_use)
                return failure_set(f, ERROR_IN_USE, EBUSY, "'%s' is open", name);
        device->status.driver = BUS_DRIVER_NONE;
        device->status.endpoint[0] = '\0';
        return 0;
}

static int fake_find_users(Backend *b, const char *name, DeviceUsers *ret) {
        static const DeviceUser user = { .kind = USER_PROCESS, .pid = 4242, .fd = 7, .name = "qemu" };
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        FakeDevice *device = fake_find(fake, name);

        *ret = (DeviceUsers){};
        if (!device)
                return -ENODEV;
        if (device->in_use)
                device_users_add(ret, &user);
        return device->in_use;
}

static int fake_destroy(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_DESTROY, name, f);
        FakeDevice *device = fake_find(fake, name);

        if (r < 0)
                return r;
        if (device && device->in_use) {
                if (ret_users)
                        device_users_add(ret_users,
                                         &(DeviceUser){ .kind = USER_PROCESS, .pid = 4242, .name = "qemu" });
                return failure_set(f, ERROR_IN_USE, EBUSY, "'%s' is in use", name);
        }
        if (device)
                device->there = false;
        return 0;
}

static int fake_get_stats(Backend *b, const char *name, BackendStat **ret, size_t *ret_n, Failure *f) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        int r = begin(fake, FAKE_GET_STATS, name, f);
        BackendStat *stats;

        if (r < 0)
                return r;
        if (!fake_find(fake, name))
                return no_such_device(name, f);
        stats = calloc(2, sizeof *stats);
        ck_assert_ptr_nonnull(stats);
        stats[0] = (BackendStat){ .queue = 0, .name = "received_desc", .value = 7 };
        stats[1] = (BackendStat){ .queue = 1, .name = "completed_desc", .value = UINT64_MAX };
        *ret = stats;
        *ret_n = 2;
        return 0;
}

static Backend *fake_free(Backend *b) {
        Fake *fake = CONTAINER_OF(b, Fake, backend);

        pthread_cond_destroy(&fake->changed);
        pthread_mutex_destroy(&fake->lock);
        free(fake);
        return NULL;
}

static const BackendOps fake_ops = {
        .name = "fake",
        .get_host = fake_get_host,
        .list_mgmtdevs = fake_list_mgmtdevs,
        .list_devices = fake_list_devices,
        .list_sriov = fake_list_sriov,
        .create = fake_create,
        .assign = fake_assign,
        .bind = fake_bind,
        .publish = fake_publish,
        .observe = fake_observe,
        .observe_all = fake_observe_all,
        .set_mac = fake_set_mac,
        .destroy = fake_destroy,
        .scrub = fake_scrub,
        .is_ours = fake_is_ours,
        .find_users = fake_find_users,
        .get_stats = fake_get_stats,
        .free = fake_free,
};

Backend *fake_backend_new(void) {
        Fake *fake = calloc(1, sizeof *fake);

        ck_assert_ptr_nonnull(fake);
        fake->backend.ops = &fake_ops;
        fake->available = true;
        pthread_mutex_init(&fake->lock, NULL);
        pthread_cond_init(&fake->changed, NULL);
        fake_plug(&fake->backend, FAKE_A, 0);
        fake_plug(&fake->backend, FAKE_B, 0);
        return &fake->backend;
}
