/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/device-json.h"

#include "inventory/class.h"
#include "inventory/feature-json.h"
#include "inventory/mgmtdev.h"
#include "inventory/spec-json.h"
#include "util/clock.h"

/* null for what is not known. */
static void write_known_integer(JsonWriter *w, const char *key, uint32_t value) {
        if (value)
                json_write_integer(w, key, value);
        else
                json_write_null(w, key);
}

static void write_net(JsonWriter *w, const NetSpec *net) {
        char mac[MAC_TEXT_MAX];

        json_write_open(w, "net", '{');
        json_write_string(w, "mac", net->has_mac ? mac_format(net->mac, mac) : NULL);
        write_known_integer(w, "mtu", net->mtu);
        write_known_integer(w, "max_vqp", net->max_vqp);
        json_write_close(w, '}');
}

static void write_reason(JsonWriter *w, const char *key, const Failure *reason) {
        if (!reason) {
                json_write_null(w, key);
                return;
        }

        json_write_open(w, key, '{');
        json_write_string(w, "code", error_info(reason->code)->code);
        json_write_string(w, "detail", reason->detail);
        json_write_close(w, '}');
}

json_t *reason_encode(const Failure *reason) {
        _cleanup_json_writer_ JsonWriter w = {};

        write_reason(&w, NULL, reason);
        return json_writer_parse(&w);
}

static void write_lease(JsonWriter *w, const Device *device) {
        char expires[RFC3339_MAX];
        uint64_t now, end = device->lease_usec;

        if (end == 0 || !device->clock) {
                json_write_null(w, "lease");
                return;
        }

        now = durable_clock_now(device->clock);
        json_write_open(w, "lease", '{');
        json_write_string(w, "expires", clock_format(durable_clock_to_wall(device->clock, end), expires));
        json_write_integer(w, "remaining_seconds", end > now ? (int64_t) ((end - now) / USEC_PER_SEC) : 0);
        json_write_bool(w, "expired", now >= end);
        json_write_integer(w, "attempts", device->n_lease_failures);
        write_reason(w, "reason", device->lease_reason);
        json_write_close(w, '}');
}

static void write_asids(JsonWriter *w, const Device *device) {
        const DeviceResources *held = &device->resources;

        json_write_open(w, "asids", '[');
        for (unsigned group = 0; group < held->n_asids; group++) {
                json_write_open(w, NULL, '{');
                json_write_integer(w, "group", group);
                json_write_integer(w, "asid", device_resources_asids(held)[group]);
                json_write_string(w, "kind", asid_kind_name(device->mgmtdev->space->kind));
                json_write_close(w, '}');
        }
        json_write_close(w, ']');
}

static void write_msis(JsonWriter *w, const DeviceResources *held) {
        json_write_open(w, "msis", '[');
        for (unsigned vq = 0; held->n_msis > 0 && vq <= held->n_vqs; vq++) {
                json_write_open(w, NULL, '{');
                if (vq < held->n_vqs)
                        json_write_integer(w, "vq", vq);
                else
                        json_write_bool(w, "config", true);
                json_write_integer(w, "entry", device_resources_msi(held, vq));
                json_write_close(w, '}');
        }
        json_write_close(w, ']');
}

/* By number of the virtqueue. */
static void write_vq_groups(JsonWriter *w, const VqGroups *groups) {
        if (groups->n_runs == 0) {
                json_write_null(w, "group_of_vq");
                return;
        }

        json_write_open(w, "group_of_vq", '[');
        for (unsigned i = 0; i < groups->n_runs; i++)
                for (unsigned n = groups->runs[i].n_vqs; n > 0; n--)
                        json_write_integer(w, NULL, groups->runs[i].group);
        json_write_close(w, ']');
}

/* What was observed; nulls while there is nothing to observe. */
static void write_seen(JsonWriter *w, const Device *device) {
        static const DeviceStatus none;
        const DeviceStatus *s = device->state == DEVICE_READY ? &device->status : &none;

        json_write_string(w, "driver", bus_driver_name(s->driver));
        json_write_string(w, "endpoint", s->endpoint[0] ? s->endpoint : NULL);
        json_write_null(w, "in_use"); /* has to be asked of the host */
        json_write_bool(w, "simulated", device->mgmtdev->info.simulated);
        write_known_integer(w, "vendor_id", s->vendor_id);
        write_known_integer(w, "max_vqs", s->max_vqs);
        write_known_integer(w, "vq_size", s->vq_size);
        write_known_integer(w, "vq_groups", s->n_vq_groups);
        write_known_integer(w, "address_spaces", s->n_address_spaces);
        write_vq_groups(w, &s->vq_groups);
        if (s->has_features)
                features_write(w, "features", device->spec.class, s->features);
        else
                json_write_null(w, "features");
        if (device->spec.class == CLASS_NET)
                write_net(w, &s->net);
}

static void write_status(JsonWriter *w, const Device *device) {
        const DeviceResources *held = &device->resources;

        json_write_open(w, "status", '{');
        json_write_string(w, "state", device_state_name(device->state));
        json_write_string(w, "mgmtdev", device->mgmtdev->info.handle);
        write_seen(w, device);
        write_reason(w, "reason", device->reason);
        write_asids(w, device);
        write_msis(w, held);
        json_write_bool(w, "msi_shared", held->is_held && held->n_msis <= held->n_vqs);
        write_lease(w, device);
        if (device->holder)
                json_write_string(w, "holder", device->holder->name);
        json_write_close(w, '}');
}

void device_write(JsonWriter *w, const char *key, const Device *device) {
        char created[RFC3339_MAX];

        json_write_open(w, key, '{');
        json_write_string(w, "name", device->name);
        json_write_string(w, "uid", device->uid);
        json_write_integer(w, "revision", (int64_t) device->revision);
        json_write_integer(w, "generation", device->generation);
        json_write_string(w, "created", clock_format(device->created_usec, created));
        device_spec_write(w, "spec", &device->spec);
        write_status(w, device);
        json_write_close(w, '}');
}

char *device_format(const Device *device) {
        JsonWriter w = {};

        device_write(&w, NULL, device);
        return json_writer_take(&w);
}

json_t *device_encode(const Device *device) {
        _cleanup_json_writer_ JsonWriter w = {};

        device_write(&w, NULL, device);
        return json_writer_parse(&w);
}
