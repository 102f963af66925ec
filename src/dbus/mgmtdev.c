/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/mgmtdev.h"

#include <errno.h>

#include "dbus/context.h"
#include "dbus/mgmtdev-call.h"
#include "dbus/path.h"
#include "dbus/property.h"
#include "dbus/variant.h"
#include "inventory/class.h"
#include "inventory/mgmtdev-json.h"
#include "util/clock.h"

static int append_text(sd_bus_message *m, const char *text) {
        _cleanup_json_ json_t *valid = json_text(text);

        return valid ? sd_bus_message_append(m, "s", json_string_value(valid)) : -ENOMEM;
}

static int append_classes(sd_bus_message *m, const Mgmtdev *mgmtdev) {
        char name[16];
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "s");
        for (unsigned c = 1; r >= 0 && c <= CLASS_MAX; c++)
                if (mgmtdev_has_class(mgmtdev, c, NULL))
                        r = sd_bus_message_append(m, "s", class_format(c, name));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_accepts(sd_bus_message *m, const Mgmtdev *mgmtdev) {
        const MgmtdevInfo *info = &mgmtdev->info;
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "s");
        for (MgmtdevAttribute a = 0; r >= 0 && a < _ATTRIBUTE_MAX; a++)
                if (info->knows_accepts && info->accepts >> a & 1)
                        r = sd_bus_message_append(m, "s", mgmtdev_attribute_name(a));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* A member of the JSON form that is an object. */
static int append_member(sd_bus_message *m, const Mgmtdev *mgmtdev, const char *member) {
        _cleanup_json_ json_t *json = mgmtdev_encode(mgmtdev, clock_monotonic_usec());

        return json ? variant_append_object(m, json_object_get(json, member)) : -ENOMEM;
}

/* clang-format off */
DEFINE_GETTER(get_handle, const Mgmtdev, m, append_text, m->info.handle)
DEFINE_GETTER(get_revision, const Mgmtdev, m, sd_bus_message_append, "t", m->revision)
DEFINE_GETTER(get_transport, const Mgmtdev, m, sd_bus_message_append, "s", transport_name(m->info.transport))
DEFINE_GETTER(get_numa_node, const Mgmtdev, m, sd_bus_message_append, "i", (int32_t) m->info.numa_node)
DEFINE_GETTER(get_classes, const Mgmtdev, m, append_classes, m)
DEFINE_GETTER(get_features, const Mgmtdev, m, append_member, m, "features")
DEFINE_GETTER(get_max_vqs, const Mgmtdev, m, sd_bus_message_append, "u", m->info.max_vqs)
DEFINE_GETTER(get_present, const Mgmtdev, m, sd_bus_message_append, "b", m->present)
DEFINE_GETTER(get_simulated, const Mgmtdev, m, sd_bus_message_append, "b", m->info.simulated)
DEFINE_GETTER(get_foreign_devices, const Mgmtdev, m, sd_bus_message_append, "u", m->n_foreign)
DEFINE_GETTER(get_budgets, const Mgmtdev, m, append_member, m, "budgets")
DEFINE_GETTER(get_cordoned, const Mgmtdev, m, sd_bus_message_append, "b", mgmtdev_is_cordoned(m))
DEFINE_GETTER(get_labels, const Mgmtdev, m, variant_append_strings, mgmtdev_labels(m))
DEFINE_GETTER(get_accepts, const Mgmtdev, m, append_accepts, m)
DEFINE_GETTER(get_asid_kind, const Mgmtdev, m, sd_bus_message_append, "s", asid_kind_name(m->space->kind))
DEFINE_GETTER(get_pci_function, const Mgmtdev, m, sd_bus_message_append, "s", m->info.pci_function)
DEFINE_GETTER(get_pf, const Mgmtdev, m, sd_bus_message_append, "s", m->info.pci_pf)
/* clang-format on */

static int method_describe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Mgmtdev *mgmtdev = userdata;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = variant_append_object_new(reply, mgmtdev_encode(mgmtdev, clock_monotonic_usec()));
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int method_update(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Mgmtdev *mgmtdev = userdata;

        return mgmtdev_call_update(bus_of(m), m, mgmtdev->info.handle);
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES  SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
/* Too long to be sent with each change. */
#define INVALIDATES SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", mgmtdev), method_describe,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_ARGS("a{sv}", settings, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", mgmtdev), method_update, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Handle", "s", get_handle, 0, CONSTANT),
        SD_BUS_PROPERTY("Revision", "t", get_revision, 0, CHANGES),
        SD_BUS_PROPERTY("Transport", "s", get_transport, 0, CHANGES),
        SD_BUS_PROPERTY("NumaNode", "i", get_numa_node, 0, CHANGES),
        SD_BUS_PROPERTY("Classes", "as", get_classes, 0, CHANGES),
        SD_BUS_PROPERTY("Features", "a{sv}", get_features, 0, INVALIDATES),
        SD_BUS_PROPERTY("MaxVqs", "u", get_max_vqs, 0, CHANGES),
        SD_BUS_PROPERTY("Present", "b", get_present, 0, CHANGES),
        SD_BUS_PROPERTY("Simulated", "b", get_simulated, 0, CHANGES),
        SD_BUS_PROPERTY("Cordoned", "b", get_cordoned, 0, CHANGES),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_labels, 0, CHANGES),
        SD_BUS_PROPERTY("Accepts", "as", get_accepts, 0, CHANGES),
        SD_BUS_PROPERTY("AsidKind", "s", get_asid_kind, 0, CHANGES),
        SD_BUS_PROPERTY("PciFunction", "s", get_pci_function, 0, CHANGES),
        SD_BUS_PROPERTY("PhysicalFunction", "s", get_pf, 0, CHANGES),
        SD_BUS_PROPERTY("ForeignDevices", "u", get_foreign_devices, 0, CHANGES),
        SD_BUS_PROPERTY("Budgets", "a{sv}", get_budgets, 0, INVALIDATES),
        SD_BUS_VTABLE_END,
};

static int find_mgmtdev(sd_bus *connection, const char *path, const char *interface, void *userdata, void **ret,
                        sd_bus_error *error) {
        Bus *bus = userdata;
        Mgmtdev *mgmtdev;
        int r;

        r = path_find_mgmtdev(lifecycle_inventory(bus->lifecycle), path, &mgmtdev);
        if (r > 0)
                *ret = mgmtdev;
        return r;
}

static int list_nodes(sd_bus *connection, const char *prefix, void *userdata, char ***ret, sd_bus_error *error) {
        Bus *bus = userdata;
        Mgmtdev *mgmtdev = inventory_first_mgmtdev(lifecycle_inventory(bus->lifecycle));
        char **nodes;

        nodes = calloc(NODES_MAX + 1, sizeof *nodes);
        if (!nodes)
                return -ENOMEM;
        for (size_t i = 0; i < NODES_MAX && mgmtdev; i++) {
                nodes[i] = path_of_mgmtdev(mgmtdev->info.handle);
                if (!nodes[i])
                        break;
                mgmtdev = inventory_next_mgmtdev(mgmtdev);
        }

        *ret = nodes;
        return 0;
}

int mgmtdev_add(Bus *bus, sd_bus *connection) {
        int r;

        r = sd_bus_add_fallback_vtable(connection, NULL, MGMTDEV_PATH, MGMTDEV_INTERFACE, vtable, find_mgmtdev,
                                       bus);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(connection, NULL, MGMTDEV_PATH, list_nodes, bus);
}

int mgmtdev_emit_changed(sd_bus *connection, const char *handle) {
        static const char *const names[] = {
                "Revision", "Transport", "NumaNode",       "Classes",          "Features", "MaxVqs",
                "Present",  "Simulated", "ForeignDevices", "Budgets",          "Cordoned", "Labels",
                "Accepts",  "AsidKind",  "PciFunction",    "PhysicalFunction", NULL
        };
        _cleanup_free_ char *path = path_of_mgmtdev(handle);

        if (!path)
                return -ENOMEM;
        /* The library does not write to the list; the parameter lacks a const. */
        return sd_bus_emit_properties_changed_strv(connection, path, MGMTDEV_INTERFACE, (char **) names);
}
