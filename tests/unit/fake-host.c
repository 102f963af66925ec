/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The fake backend's host, and the test's side of it. */
#include "fake-host.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"

Fake *fake_lock(Backend *b) {
        Fake *fake = CONTAINER_OF(b, Fake, backend);

        pthread_mutex_lock(&fake->lock);
        return fake;
}

void fake_unlockp(Fake **fake) {
        pthread_mutex_unlock(&(*fake)->lock);
}

FakeDevice *fake_find(Fake *fake, const char *name) {
        for (size_t i = 0; i < N_DEVICES; i++)
                if (fake->devices[i].there && strcmp(fake->devices[i].name, name) == 0)
                        return &fake->devices[i];

        return NULL;
}

FakeDevice *fake_add(Fake *fake, const char *name, const char *mgmtdev, unsigned class) {
        for (size_t i = 0; i < N_DEVICES; i++) {
                FakeDevice *device = &fake->devices[i];

                if (device->there)
                        continue;
                *device = (FakeDevice){ .there = true,
                                        .status.class = class,
                                        .status.max_vqs = class_n_vqs(class) };
                (void) snprintf(device->name, sizeof device->name, "%s", name);
                (void) snprintf(device->mgmtdev, sizeof device->mgmtdev, "%s", mgmtdev);
                return device;
        }

        ck_abort_msg("the fake host is full");
}

void fake_give_endpoint(Fake *fake, FakeDevice *device, BusDriver driver) {
        device->status.driver = driver;
        (void) snprintf(device->status.endpoint, sizeof device->status.endpoint, "/dev/vhost-vdpa-%u",
                        fake->n_endpoints++);
        device->status.is_unsettled = fake->unsettles;
}

void fake_unsettle_endpoints(Backend *b) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        fake->unsettles = true;
}

void fake_settle(Backend *b, const char *name, const char *endpoint) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        FakeDevice *device = fake_find(fake, name);

        ck_assert_ptr_nonnull(device);
        device->status.is_unsettled = false;
        (void) snprintf(device->status.endpoint, sizeof device->status.endpoint, "%s", endpoint);
}

MgmtdevInfo *fake_find_mgmtdev(Fake *fake, const char *handle) {
        for (size_t i = 0; i < fake->n_mgmtdevs; i++)
                if (strcmp(fake->mgmtdevs[i].handle, handle) == 0)
                        return &fake->mgmtdevs[i];

        return NULL;
}

void fake_fail(Backend *b, FakeCall call, unsigned times, ErrorCode code, int error) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        fake->calls[call].n_fail = times;
        fake->calls[call].code = code;
        fake->calls[call].error = error;
}

void fake_hold(Backend *b, FakeCall call) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        fake->calls[call].hold = true;
}

bool fake_is_held(Backend *b, FakeCall call) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        return fake->calls[call].hold && fake->calls[call].n_held > 0;
}

void fake_let_go(Backend *b, FakeCall call) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        fake->calls[call].hold = false;
        pthread_cond_broadcast(&fake->changed);
}

const char *fake_take_calls(Backend *b) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        strcpy(fake->taken, fake->log);
        fake->log[0] = '\0';
        return fake->taken;
}

unsigned fake_count_calls(Backend *b, FakeCall call) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        return fake->calls[call].n_calls;
}

void fake_set_available(Backend *b, bool available) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        fake->available = available;
}

void fake_plug(Backend *b, const char *handle, uint32_t max_devices) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        MgmtdevInfo *info = fake_find_mgmtdev(fake, handle);

        if (!info) {
                ck_assert_uint_lt(fake->n_mgmtdevs, N_MGMTDEVS);
                info = &fake->mgmtdevs[fake->n_mgmtdevs++];
        }
        memset(info, 0, sizeof *info);
        (void) snprintf(info->handle, sizeof info->handle, "%s", handle);
        info->numa_node = -1;
        info->classes = UINT64_C(1) << CLASS_NET | UINT64_C(1) << CLASS_BLOCK;
        info->features[CLASS_NET] = FEATURE_NET_MAC | FEATURE_NET_MTU | FEATURE_NET_MQ | FEATURE_VERSION_1;
        info->features[CLASS_BLOCK] = FEATURE_VERSION_1;
        info->max_vqs = 9;
        info->capacity[RESOURCE_DEVICES].is_known = max_devices > 0;
        info->capacity[RESOURCE_DEVICES].total = max_devices;
}

void fake_add_sriov(Backend *b, const BackendSriov *sriov) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        ck_assert_uint_lt(fake->n_sriov, N_SRIOV);
        fake->sriov[fake->n_sriov++] = *sriov;
}

void fake_unplug(Backend *b, const char *handle) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        MgmtdevInfo *info = fake_find_mgmtdev(fake, handle);

        ck_assert_ptr_nonnull(info);
        *info = fake->mgmtdevs[--fake->n_mgmtdevs];
}

MgmtdevInfo *fake_mgmtdev(Backend *b, const char *handle) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        MgmtdevInfo *info = fake_find_mgmtdev(fake, handle);

        ck_assert_msg(info, "the fake host has no %s", handle);
        return info;
}

void fake_put_device(Backend *b, const char *name, const char *mgmtdev) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        fake_give_endpoint(fake, fake_add(fake, name, mgmtdev, CLASS_NET), BUS_DRIVER_VHOST_VDPA);
}

void fake_remove_device(Backend *b, const char *name) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        FakeDevice *device = fake_find(fake, name);

        ck_assert_ptr_nonnull(device);
        device->there = false;
}

void fake_remove_all_devices(Backend *b) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        memset(fake->devices, 0, sizeof fake->devices);
}

bool fake_has_device(Backend *b, const char *name) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);

        return fake_find(fake, name);
}

FakeDevice *fake_device(Backend *b, const char *name) {
        _cleanup_unlock_ Fake *fake = fake_lock(b);
        FakeDevice *device = fake_find(fake, name);

        ck_assert_msg(device, "the fake host has no '%s'", name);
        return device;
}
