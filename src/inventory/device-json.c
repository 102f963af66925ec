/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/device-json.h"

#include <errno.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "inventory/mgmtdev.h"
#include "inventory/spec-json.h"
#include "util/clock.h"
#include "util/json.h"

static json_t *encode_features(unsigned class, uint64_t features) {
        _cleanup_json_ json_t *array = json_array();

        for (unsigned bit = 0; array && bit < 64; bit++) {
                char name[FEATURE_NAME_MAX];

                if (features >> bit & 1 &&
                    json_array_append_new(array, json_string(feature_format(class, bit, name))) < 0)
                        return NULL;
        }

        return TAKE_PTR(array);
}

/* Most devices have the features of their neighbours, so the last few arrays are kept and handed out again. Nobody
 * changes what is encoded. */
json_t *features_encode(unsigned class, uint64_t features) {
        static struct {
                unsigned class;
                uint64_t features;
                json_t *array; /* owned; NULL: none */
        } kept[4];
        static unsigned next;
        json_t *array;

        for (unsigned i = 0; i < ELEMENTSOF(kept); i++)
                if (kept[i].array && kept[i].class == class && kept[i].features == features)
                        return json_incref(kept[i].array);

        array = encode_features(class, features);
        if (!array)
                return NULL;
        json_decref(kept[next].array);
        kept[next].class = class;
        kept[next].features = features;
        kept[next].array = json_incref(array);
        next = (next + 1) % ELEMENTSOF(kept);
        return array;
}

/* JSON null for what is not known. */
static json_t *known_integer(uint32_t value) {
        return value ? json_integer(value) : json_null();
}

static json_t *net_encode(const NetSpec *net) {
        char mac[MAC_TEXT_MAX];

        /* clang-format off */
        return json_pack("{s:s?, s:o, s:o}",
                         "mac", net->has_mac ? mac_format(net->mac, mac) : NULL,
                         "mtu", known_integer(net->mtu),
                         "max_vqp", known_integer(net->max_vqp));
        /* clang-format on */
}

json_t *reason_encode(const Failure *reason) {
        if (!reason)
                return json_null();

        return json_pack("{s:s, s:o}", "code", error_info(reason->code)->code, "detail", json_text(reason->detail));
}

static json_t *lease_encode(const Device *device) {
        char expires[RFC3339_MAX];
        uint64_t now;

        if (device->lease_usec == 0 || !device->clock)
                return json_null();

        now = durable_clock_now(device->clock);
        /* clang-format off */
        return json_pack("{s:s, s:I, s:b, s:I, s:o}",
                         "expires", clock_format(durable_clock_to_wall(device->clock, device->lease_usec), expires),
                         "remaining_seconds", (json_int_t) (device->lease_usec > now ? (device->lease_usec - now) / USEC_PER_SEC : 0),
                         "expired", now >= device->lease_usec,
                         "attempts", (json_int_t) device->n_lease_failures,
                         "reason", reason_encode(device->lease_reason));
        /* clang-format on */
}

static json_t *asids_encode(const Device *device) {
        const DeviceResources *held = &device->resources;
        _cleanup_json_ json_t *array = json_array();

        for (unsigned group = 0; array && group < held->n_asids; group++)
                if (json_array_append_new(array, json_pack("{s:i, s:I, s:s}", "group", (int) group, "asid",
                                                           (json_int_t) device_resources_asids(held)[group], "kind",
                                                           asid_kind_name(device->mgmtdev->space->kind))) < 0)
                        return NULL;

        return TAKE_PTR(array);
}

static json_t *msis_encode(const DeviceResources *held) {
        _cleanup_json_ json_t *array = json_array();

        for (unsigned vq = 0; array && held->n_msis > 0 && vq <= held->n_vqs; vq++) {
                json_int_t entry = device_resources_msi(held, vq);
                json_t *item = vq < held->n_vqs ? json_pack("{s:i, s:I}", "vq", (int) vq, "entry", entry)
                                                : json_pack("{s:b, s:I}", "config", 1, "entry", entry);

                if (json_array_append_new(array, item) < 0)
                        return NULL;
        }

        return TAKE_PTR(array);
}

/* By number of the virtqueue. */
static json_t *vq_groups_encode(const VqGroups *groups) {
        _cleanup_json_ json_t *array = NULL;

        if (groups->n_runs == 0)
                return json_null();

        array = json_array();
        for (unsigned i = 0; array && i < groups->n_runs; i++)
                for (unsigned n = groups->runs[i].n_vqs; n > 0; n--)
                        if (json_array_append_new(array, json_integer(groups->runs[i].group)) < 0)
                                return NULL;

        return TAKE_PTR(array);
}

/* What it holds, whatever was seen of it. */
static int encode_resources(const Device *device, json_t *status) {
        const DeviceResources *held = &device->resources;

        if (json_object_set_new(status, "asids", asids_encode(device)) < 0 ||
            json_object_set_new(status, "msis", msis_encode(held)) < 0 ||
            json_object_set_new(status, "msi_shared", json_boolean(held->ids && held->n_msis <= held->n_vqs)) < 0)
                return -ENOMEM;
        return 0;
}

/* What was observed; nulls while there is nothing to observe. */
static json_t *status_encode(const Device *device) {
        const DeviceStatus *s = device->state == DEVICE_READY ? &device->status : &(DeviceStatus){};
        _cleanup_json_ json_t *status = NULL;

        /* clang-format off */
        status = json_pack("{s:s, s:s, s:s?, s:o, s:n, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                           "state", device_state_name(device->state),
                           "mgmtdev", device->mgmtdev->info.handle,
                           "driver", bus_driver_name(s->driver),
                           "endpoint", s->endpoint[0] ? json_text(s->endpoint) : json_null(),
                           "in_use", /* has to be asked of the host */
                           "simulated", device->mgmtdev->info.simulated,
                           "vendor_id", known_integer(s->vendor_id),
                           "max_vqs", known_integer(s->max_vqs),
                           "vq_size", known_integer(s->vq_size),
                           "vq_groups", known_integer(s->n_vq_groups),
                           "address_spaces", known_integer(s->n_address_spaces),
                           "group_of_vq", vq_groups_encode(&s->vq_groups),
                           "features", s->has_features ? features_encode(device->spec.class, s->features) : json_null(),
                           "reason", reason_encode(device->reason));
        /* clang-format on */
        if (!status || encode_resources(device, status) < 0 ||
            json_object_set_new(status, "lease", lease_encode(device)) < 0)
                return NULL;
        if (device->holder && json_object_set_new(status, "holder", json_text(device->holder->name)) < 0)
                return NULL;
        if (device->spec.class == CLASS_NET && json_object_set_new(status, "net", net_encode(&s->net)) < 0)
                return NULL;

        return TAKE_PTR(status);
}

json_t *device_encode(const Device *device) {
        char created[RFC3339_MAX];

        /* clang-format off */
        return json_pack("{s:s, s:s, s:I, s:I, s:s, s:o, s:o}",
                         "name", device->name,
                         "uid", device->uid,
                         "revision", (json_int_t) device->revision,
                         "generation", (json_int_t) device->generation,
                         "created", clock_format(device->created_usec, created),
                         "spec", device_spec_encode(&device->spec),
                         "status", status_encode(device));
        /* clang-format on */
}
