/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/hex.h"

static const char *const bus_driver_names[_BUS_DRIVER_MAX] = {
        [BUS_DRIVER_VHOST_VDPA] = "vhost_vdpa",
        [BUS_DRIVER_VIRTIO_VDPA] = "virtio_vdpa",
        [BUS_DRIVER_OTHER] = "other",
};

void device_spec_init(DeviceSpec *spec) {
        *spec = (DeviceSpec){
                .driver = BUS_DRIVER_VHOST_VDPA,
                .persistent = true,
                .endpoint.mode = 0600,
                .placement.numa_node = -1,
        };
}

void device_spec_done(DeviceSpec *spec) {
        free(spec->mgmtdev);
        free(spec->owner);
        json_decref(spec->labels);
        json_decref(spec->placement.labels);
        device_spec_init(spec);
}

static int copy_string(const char *s, char **ret) {
        *ret = s ? strdup(s) : NULL;
        return s && !*ret ? -ENOMEM : 0;
}

int device_spec_copy(const DeviceSpec *spec, DeviceSpec *ret) {
        DeviceSpec copy = *spec;

        copy.owner = NULL;
        copy.labels = copy.placement.labels = NULL;
        if (copy_string(spec->mgmtdev, &copy.mgmtdev) < 0)
                return -ENOMEM;
        if (copy_string(spec->owner, &copy.owner) < 0)
                goto fail;
        copy.labels = json_deep_copy(spec->labels);
        copy.placement.labels = json_deep_copy(spec->placement.labels);
        if ((spec->labels && !copy.labels) || (spec->placement.labels && !copy.placement.labels))
                goto fail;

        *ret = copy;
        return 0;

fail:
        device_spec_done(&copy);
        return -ENOMEM;
}

static bool is_lower_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool device_name_is_valid(const char *name) {
        size_t n = strlen(name);

        if (n == 0 || n >= DEVICE_NAME_MAX || !is_lower_alnum(name[0]) || !is_lower_alnum(name[n - 1]))
                return false;

        for (size_t i = 0; i < n; i++)
                if (!is_lower_alnum(name[i]) && !strchr("._-", name[i]))
                        return false;

        return true;
}

/* "bus/device" or "device", of what the kernel names devices with. Both parts become parts of sysfs paths, so
 * neither may be "." or "..". */
bool handle_is_valid(const char *handle) {
        size_t n = strlen(handle), slashes = 0;

        if (n == 0 || n >= HANDLE_MAX)
                return false;

        for (size_t i = 0; i < n; i++) {
                bool starts_part = i == 0 || handle[i - 1] == '/';

                if (handle[i] == '/')
                        slashes++;
                if (starts_part && (handle[i] == '/' || handle[i] == '.'))
                        return false;
                if (handle[i] <= ' ' || handle[i] >= 0x7f)
                        return false;
        }

        return slashes <= 1 && handle[n - 1] != '/';
}

const char *bus_driver_name(BusDriver driver) {
        return bus_driver_names[driver];
}

int bus_driver_parse(const char *text, BusDriver *ret) {
        for (BusDriver d = BUS_DRIVER_VHOST_VDPA; d <= BUS_DRIVER_VIRTIO_VDPA; d++)
                if (strcmp(bus_driver_names[d], text) == 0) {
                        *ret = d;
                        return 0;
                }

        return -EINVAL;
}

static const char *const placement_policy_names[_PLACEMENT_POLICY_MAX] = {
        [PLACEMENT_SPREAD] = "spread",
        [PLACEMENT_PACK] = "pack",
};

const char *placement_policy_name(PlacementPolicy policy) {
        return placement_policy_names[policy];
}

int placement_policy_parse(const char *text, PlacementPolicy *ret) {
        for (PlacementPolicy p = PLACEMENT_SPREAD; p < _PLACEMENT_POLICY_MAX; p++)
                if (strcmp(placement_policy_names[p], text) == 0) {
                        *ret = p;
                        return 0;
                }

        return -EINVAL;
}

static const char *const drift_mode_names[_DRIFT_MODE_MAX] = {
        [DRIFT_OBSERVE] = "observe",
        [DRIFT_ENFORCE] = "enforce",
};

const char *drift_mode_name(DriftMode mode) {
        return drift_mode_names[mode];
}

int drift_mode_parse(const char *text, DriftMode *ret) {
        for (DriftMode m = DRIFT_OBSERVE; m < _DRIFT_MODE_MAX; m++)
                if (strcmp(drift_mode_names[m], text) == 0) {
                        *ret = m;
                        return 0;
                }

        return -EINVAL;
}

const char *mac_format(const uint8_t mac[6], char *buffer) {
        char *p = buffer;

        for (unsigned i = 0; i < 6; i++) {
                p = hex_format(&mac[i], 1, p);
                if (i < 5)
                        *p++ = ':';
        }
        return buffer;
}

int mac_parse(const char *text, uint8_t ret[6]) {
        static const uint8_t zero[6];
        uint8_t mac[6];

        if (strlen(text) != MAC_TEXT_MAX - 1)
                return -EINVAL;

        for (size_t i = 0; i < sizeof mac; i++) {
                int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

                if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':'))
                        return -EINVAL;
                mac[i] = (uint8_t) (high << 4 | low);
        }

        /* The lowest bit of the first byte makes it a group address. */
        if ((mac[0] & 1) || memcmp(mac, zero, sizeof mac) == 0)
                return -EADDRNOTAVAIL;

        memcpy(ret, mac, sizeof mac);
        return 0;
}
