/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/drift.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"

/* Features of the transport and not of the class: drivers add them by themselves. */
#define TRANSPORT_FEATURES (UINT64_C(0x3fffff) << 28)

static bool class_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return s->class != spec->class;
}

static bool features_differ(const DeviceSpec *spec, const DeviceStatus *s) {
        return spec->has_features && s->has_features &&
               (spec->features & ~s->features || s->features & ~spec->features & ~TRANSPORT_FEATURES);
}

static bool mtu_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return spec->net.mtu > 0 && s->net.mtu > 0 && s->net.mtu != spec->net.mtu;
}

static bool max_vqp_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return spec->net.max_vqp > 0 && s->net.max_vqp > 0 && s->net.max_vqp != spec->net.max_vqp;
}

static bool vqs_differ(const DeviceSpec *spec, const DeviceStatus *s) {
        return spec->n_vqs > 0 && s->max_vqs > 0 && s->max_vqs != spec->n_vqs;
}

static bool vq_groups_differ(const DeviceSpec *spec, const DeviceStatus *s) {
        return spec->n_vq_groups > 0 && s->n_vq_groups > 0 && s->n_vq_groups != spec->n_vq_groups;
}

static bool driver_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return s->driver != spec->driver;
}

static bool endpoint_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return s->driver == spec->driver && !s->endpoint[0];
}

static bool mac_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return spec->net.has_mac && s->net.has_mac && memcmp(spec->net.mac, s->net.mac, sizeof s->net.mac) != 0;
}

static bool uid_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return s->has_access && s->access.uid != spec->endpoint.uid;
}

static bool gid_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return s->has_access && s->access.gid != spec->endpoint.gid;
}

static bool access_mode_differs(const DeviceSpec *spec, const DeviceStatus *s) {
        return s->has_access && s->access.mode != spec->endpoint.mode;
}

static json_t *encode_class(const DeviceSpec *spec, const DeviceStatus *s) {
        char text[16];

        return json_string(class_format(s->class, text));
}

static json_t *encode_features(const DeviceSpec *spec, const DeviceStatus *s) {
        json_t *array = json_array();
        char name[FEATURE_NAME_MAX];

        for (unsigned bit = 0; bit < 64 && array; bit++)
                if (s->features >> bit & 1 &&
                    json_array_append_new(array, json_string(feature_format(spec->class, bit, name))) < 0)
                        json_decref(TAKE_PTR(array));
        return array;
}

static json_t *encode_mtu(const DeviceSpec *spec, const DeviceStatus *s) {
        return json_integer(s->net.mtu);
}

static json_t *encode_max_vqp(const DeviceSpec *spec, const DeviceStatus *s) {
        return json_integer(s->net.max_vqp);
}

static json_t *encode_vqs(const DeviceSpec *spec, const DeviceStatus *s) {
        return json_integer(s->max_vqs);
}

static json_t *encode_vq_groups(const DeviceSpec *spec, const DeviceStatus *s) {
        return json_integer(s->n_vq_groups);
}

static json_t *encode_driver(const DeviceSpec *spec, const DeviceStatus *s) {
        return s->driver == BUS_DRIVER_NONE ? json_null() : json_string(bus_driver_name(s->driver));
}

static json_t *encode_endpoint(const DeviceSpec *spec, const DeviceStatus *s) {
        return json_boolean(s->endpoint[0]);
}

static json_t *encode_mac(const DeviceSpec *spec, const DeviceStatus *s) {
        char text[MAC_TEXT_MAX];

        return json_string(mac_format(s->net.mac, text));
}

static json_t *encode_uid(const DeviceSpec *spec, const DeviceStatus *s) {
        return json_integer(s->access.uid);
}

static json_t *encode_gid(const DeviceSpec *spec, const DeviceStatus *s) {
        return json_integer(s->access.gid);
}

static json_t *encode_access_mode(const DeviceSpec *spec, const DeviceStatus *s) {
        char text[8];

        (void) snprintf(text, sizeof text, "%04o", (unsigned) s->access.mode & 0777);
        return json_string(text);
}

static const struct {
        const char *name;
        DriftRepair repair;
        bool (*differs)(const DeviceSpec *spec, const DeviceStatus *status);
        json_t *(*encode)(const DeviceSpec *spec, const DeviceStatus *status);
} fields[_DRIFT_FIELD_MAX] = {
        [DRIFT_CLASS] = { "class", REPAIR_RECREATE, class_differs, encode_class },
        [DRIFT_FEATURES] = { "features", REPAIR_RECREATE, features_differ, encode_features },
        [DRIFT_MTU] = { "mtu", REPAIR_RECREATE, mtu_differs, encode_mtu },
        [DRIFT_MAX_VQP] = { "max_vqp", REPAIR_RECREATE, max_vqp_differs, encode_max_vqp },
        [DRIFT_VQS] = { "vqs", REPAIR_RECREATE, vqs_differ, encode_vqs },
        [DRIFT_VQ_GROUPS] = { "vq_groups", REPAIR_RECREATE, vq_groups_differ, encode_vq_groups },
        [DRIFT_DRIVER] = { "driver", REPAIR_BIND, driver_differs, encode_driver },
        [DRIFT_ENDPOINT] = { "endpoint", REPAIR_BIND, endpoint_differs, encode_endpoint },
        [DRIFT_MAC] = { "mac", REPAIR_SET_MAC, mac_differs, encode_mac },
        [DRIFT_UID] = { "uid", REPAIR_PUBLISH, uid_differs, encode_uid },
        [DRIFT_GID] = { "gid", REPAIR_PUBLISH, gid_differs, encode_gid },
        [DRIFT_ACCESS_MODE] = { "mode", REPAIR_PUBLISH, access_mode_differs, encode_access_mode },
};

uint32_t drift_compare(const DeviceSpec *spec, const DeviceStatus *status) {
        uint32_t found = 0;

        for (DriftField i = 0; i < _DRIFT_FIELD_MAX; i++)
                found |= (uint32_t) fields[i].differs(spec, status) << i;
        return found;
}

uint32_t drift_repairs(uint32_t found) {
        uint32_t repairs = 0;

        for (DriftField i = 0; i < _DRIFT_FIELD_MAX; i++)
                if (found >> i & 1)
                        repairs |= 1u << fields[i].repair;
        return repairs;
}

static bool set_drift(DriftKind kind, uint32_t found, uint32_t repairs, Drift *ret) {
        *ret = (Drift){ .kind = kind, .fields = found, .repairs = repairs };
        return true;
}

bool device_find_drift(const Device *device, Drift *ret) {
        uint32_t found;

        if (device->operation)
                return false;
        if (device->state == DEVICE_FAILED)
                return device->is_left_over && set_drift(DRIFT_EXTRA, 0, 1u << REPAIR_REMOVE, ret);
        if (device->state == DEVICE_LOST && !device->is_displaced)
                return set_drift(DRIFT_MISSING, 0, 1u << REPAIR_CREATE, ret);
        if (device->state != DEVICE_READY && device->state != DEVICE_LOST)
                return false;

        found = drift_compare(&device->spec, &device->status);
        return found && set_drift(DRIFT_CHANGED, found, drift_repairs(found), ret);
}

static const char *const kind_names[_DRIFT_KIND_MAX] = {
        [DRIFT_MISSING] = "missing",
        [DRIFT_EXTRA] = "extra",
        [DRIFT_CHANGED] = "changed",
        [DRIFT_FOREIGN] = "foreign",
};

const char *drift_kind_name(DriftKind kind) {
        return kind_names[kind];
}

int drift_kind_parse(const char *text, DriftKind *ret) {
        for (DriftKind kind = 0; kind < _DRIFT_KIND_MAX; kind++)
                if (strcmp(kind_names[kind], text) == 0) {
                        *ret = kind;
                        return 0;
                }

        return -EINVAL;
}

const char *drift_repair_name(DriftRepair repair) {
        static const char *const names[_DRIFT_REPAIR_MAX] = {
                [REPAIR_CREATE] = "create",   [REPAIR_RECREATE] = "recreate", [REPAIR_BIND] = "bind",
                [REPAIR_SET_MAC] = "set-mac", [REPAIR_PUBLISH] = "publish",   [REPAIR_REMOVE] = "remove",
        };

        return names[repair];
}

json_t *drift_repairs_encode(uint32_t repairs) {
        json_t *array = json_array();

        for (DriftRepair i = 0; i < _DRIFT_REPAIR_MAX && array; i++)
                if (repairs >> i & 1 && json_array_append_new(array, json_string(drift_repair_name(i))) < 0)
                        json_decref(TAKE_PTR(array));
        return array;
}

json_t *drift_observed_encode(const DeviceSpec *spec, const DeviceStatus *status, uint32_t found) {
        json_t *object = json_object();

        for (DriftField i = 0; i < _DRIFT_FIELD_MAX && object; i++)
                if (found >> i & 1 &&
                    json_object_set_new(object, fields[i].name, fields[i].encode(spec, status)) < 0)
                        json_decref(TAKE_PTR(object));
        return object;
}

/* A device that is as the spec says. */
json_t *drift_expected_encode(const DeviceSpec *spec, uint32_t found) {
        const DeviceStatus status = {
                .class = spec->class,
                .max_vqs = spec->n_vqs,
                .n_vq_groups = spec->n_vq_groups,
                .driver = spec->driver,
                .endpoint = "there",
                .features = spec->features,
                .net = spec->net,
                .access = spec->endpoint,
        };

        return drift_observed_encode(spec, &status, found);
}
