/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/device.h"

#include <errno.h>

#include "dbus/context.h"
#include "dbus/device-call.h"
#include "dbus/path.h"
#include "dbus/property.h"
#include "dbus/variant.h"
#include "inventory/class.h"
#include "inventory/device-json.h"
#include "inventory/feature.h"
#include "inventory/spec-json.h"

/* What was observed, of a device that is ready; else what there is to see of none. */
static const DeviceStatus *status_of(const Device *device) {
        static const DeviceStatus none = {};

        return device->state == DEVICE_READY ? &device->status : &none;
}

static int append_text(sd_bus_message *m, const char *text) {
        _cleanup_json_ json_t *valid = json_text(text);

        return valid ? sd_bus_message_append(m, "s", json_string_value(valid)) : -ENOMEM;
}

static int append_class(sd_bus_message *m, const Device *device) {
        char class[16];

        return sd_bus_message_append(m, "s", class_format(device->spec.class, class));
}

static int append_mac(sd_bus_message *m, const Device *device) {
        const NetSpec *net = &status_of(device)->net;
        char mac[MAC_TEXT_MAX];

        return sd_bus_message_append(m, "s", net->has_mac ? mac_format(net->mac, mac) : "");
}

static int append_features(sd_bus_message *m, const Device *device) {
        uint64_t features = status_of(device)->features;
        char name[FEATURE_NAME_MAX];
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "s");
        for (unsigned bit = 0; r >= 0 && bit < 64; bit++)
                if (features >> bit & 1)
                        r = sd_bus_message_append(m, "s", feature_format(device->spec.class, bit, name));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The code and the detail; both are empty if there is no reason. */
static int append_reason(sd_bus_message *m, const Device *device) {
        const Failure *reason = device->reason;
        _cleanup_json_ json_t *detail = json_text(reason ? reason->detail : "");

        if (!detail)
                return -ENOMEM;
        return sd_bus_message_append(m, "(ss)", reason ? error_info(reason->code)->code : "",
                                     json_string_value(detail));
}

static int append_status(sd_bus_message *m, const Device *device) {
        _cleanup_json_ json_t *json = device_encode(device);

        return json ? variant_append_object(m, json_object_get(json, "status")) : -ENOMEM;
}

/* clang-format off */
DEFINE_GETTER(get_name, const Device, d, sd_bus_message_append, "s", d->name)
DEFINE_GETTER(get_uid, const Device, d, sd_bus_message_append, "s", d->uid)
DEFINE_GETTER(get_created, const Device, d, sd_bus_message_append, "t", d->created_usec)
DEFINE_GETTER(get_class, const Device, d, append_class, d)
DEFINE_GETTER(get_mgmtdev, const Device, d, append_text, d->mgmtdev->info.handle)
DEFINE_GETTER(get_persistent, const Device, d, sd_bus_message_append, "b", d->spec.persistent)
DEFINE_GETTER(get_simulated, const Device, d, sd_bus_message_append, "b", d->mgmtdev->info.simulated)
DEFINE_GETTER(get_holder, const Device, d, append_text, d->holder ? d->holder->name : "")
DEFINE_GETTER(get_revision, const Device, d, sd_bus_message_append, "t", d->revision)
DEFINE_GETTER(get_generation, const Device, d, sd_bus_message_append, "u", d->generation)
DEFINE_GETTER(get_owner, const Device, d, sd_bus_message_append, "s", d->spec.owner ?: "")
DEFINE_GETTER(get_labels, const Device, d, variant_append_strings, d->spec.labels)
DEFINE_GETTER(get_state, const Device, d, sd_bus_message_append, "s", device_state_name(d->state))
DEFINE_GETTER(get_reason, const Device, d, append_reason, d)
DEFINE_GETTER(get_driver, const Device, d, sd_bus_message_append, "s", bus_driver_name(status_of(d)->driver) ?: "")
DEFINE_GETTER(get_endpoint, const Device, d, append_text, status_of(d)->endpoint)
DEFINE_GETTER(get_mac, const Device, d, append_mac, d)
DEFINE_GETTER(get_vendor_id, const Device, d, sd_bus_message_append, "u", status_of(d)->vendor_id)
DEFINE_GETTER(get_max_vqs, const Device, d, sd_bus_message_append, "u", status_of(d)->max_vqs)
DEFINE_GETTER(get_vq_size, const Device, d, sd_bus_message_append, "u", (uint32_t) status_of(d)->vq_size)
DEFINE_GETTER(get_features, const Device, d, append_features, d)
DEFINE_GETTER(get_spec, const Device, d, variant_append_object_new, device_spec_encode(&d->spec))
DEFINE_GETTER(get_status, const Device, d, append_status, d)
/* clang-format on */

static int method_describe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Device *device = userdata;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = variant_append_object_new(reply, device_encode(device));
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int method_delete(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Device *device = userdata;

        return device_call_delete(bus_of(m), m, device->name);
}

static int method_update(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Device *device = userdata;

        return device_call_update(bus_of(m), m, device->name);
}

static int method_renew(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Device *device = userdata;

        return device_call_renew(bus_of(m), m, device->name);
}

static int method_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Device *device = userdata;

        return device_call_get_stats(bus_of(m), m, device->name);
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES  SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
/* Too long to be sent with each change. */
#define INVALIDATES SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", device), method_describe,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_ARGS("a{sv}", spec, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", device), method_update, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Delete", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_delete,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Renew", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", device),
                                method_renew, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ust)", stats), method_get_stats,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Name", "s", get_name, 0, CONSTANT),
        SD_BUS_PROPERTY("Uid", "s", get_uid, 0, CONSTANT),
        SD_BUS_PROPERTY("Created", "t", get_created, 0, CONSTANT),
        SD_BUS_PROPERTY("Class", "s", get_class, 0, CONSTANT),
        SD_BUS_PROPERTY("Persistent", "b", get_persistent, 0, CONSTANT),
        SD_BUS_PROPERTY("Holder", "s", get_holder, 0, CONSTANT),
        SD_BUS_PROPERTY("ManagementDevice", "s", get_mgmtdev, 0, CHANGES),
        SD_BUS_PROPERTY("Simulated", "b", get_simulated, 0, CHANGES),
        SD_BUS_PROPERTY("Revision", "t", get_revision, 0, CHANGES),
        SD_BUS_PROPERTY("Generation", "u", get_generation, 0, CHANGES),
        SD_BUS_PROPERTY("Owner", "s", get_owner, 0, CHANGES),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_labels, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGES),
        SD_BUS_PROPERTY("Reason", "(ss)", get_reason, 0, CHANGES),
        SD_BUS_PROPERTY("Driver", "s", get_driver, 0, CHANGES),
        SD_BUS_PROPERTY("Endpoint", "s", get_endpoint, 0, CHANGES),
        SD_BUS_PROPERTY("Mac", "s", get_mac, 0, CHANGES),
        SD_BUS_PROPERTY("VendorId", "u", get_vendor_id, 0, CHANGES),
        SD_BUS_PROPERTY("MaxVqs", "u", get_max_vqs, 0, CHANGES),
        SD_BUS_PROPERTY("VqSize", "u", get_vq_size, 0, CHANGES),
        SD_BUS_PROPERTY("Features", "as", get_features, 0, INVALIDATES),
        SD_BUS_PROPERTY("Spec", "a{sv}", get_spec, 0, INVALIDATES),
        SD_BUS_PROPERTY("Status", "a{sv}", get_status, 0, INVALIDATES),
        SD_BUS_VTABLE_END,
};

static int find_device(sd_bus *connection, const char *path, const char *interface, void *userdata, void **ret,
                       sd_bus_error *error) {
        Bus *bus = userdata;
        Device *device;
        int r;

        r = path_find_device(lifecycle_inventory(bus->lifecycle), path, &device);
        if (r > 0)
                *ret = device;
        return r;
}

/* A few of them, so that a tree is not empty where there is something. */
static int list_nodes(sd_bus *connection, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        Bus *bus = userdata;
        Inventory *inventory = lifecycle_inventory(bus->lifecycle);
        const Device *device = inventory_next_device(inventory, "");
        char **nodes;

        nodes = calloc(NODES_MAX + 1, sizeof *nodes);
        if (!nodes)
                return -ENOMEM;
        for (size_t i = 0; i < NODES_MAX && device; i++) {
                nodes[i] = path_of_device(device->name);
                if (!nodes[i])
                        break;
                device = inventory_device_after(device);
        }

        *ret = nodes;
        return 0;
}

int device_add(Bus *bus, sd_bus *connection) {
        int r;

        r = sd_bus_add_fallback_vtable(connection, NULL, DEVICE_PATH, DEVICE_INTERFACE, vtable, find_device, bus);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(connection, NULL, DEVICE_PATH, list_nodes, bus);
}

int device_emit_changed(sd_bus *connection, const char *name) {
        static const char *const names[] = {
                "ManagementDevice", "Simulated", "Revision", "Generation", "Owner",    "Labels", "State",
                "Reason",           "Driver",    "Endpoint", "Mac",        "VendorId", "MaxVqs", "VqSize",
                "Features",         "Spec",      "Status",   NULL
        };
        _cleanup_free_ char *path = path_of_device(name);

        if (!path)
                return -ENOMEM;
        /* The library does not write to the list; the parameter lacks a const. */
        return sd_bus_emit_properties_changed_strv(connection, path, DEVICE_INTERFACE, (char **) names);
}
