/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/manager.h"

#include <errno.h>
#include <string.h>

#include "dbus/arguments.h"
#include "dbus/batch-call.h"
#include "dbus/context.h"
#include "dbus/device-call.h"
#include "dbus/drift-call.h"
#include "dbus/error.h"
#include "dbus/mgmtdev-call.h"
#include "dbus/path.h"
#include "dbus/pool-call.h"
#include "dbus/property.h"
#include "dbus/variant.h"
#include "inventory/device-json.h"
#include "inventory/mgmtdev-json.h"
#include "lifecycle/device-listing.h"
#include "lifecycle/host-json.h"
#include "util/clock.h"

/* Answers may be long. While so many wait for the bus to take them, no further ones are made. */
#define QUEUED_MAX 256

static Inventory *inventory_of(const Bus *bus) {
        return lifecycle_inventory(bus->lifecycle);
}

/* True if m was refused because the bus does not take what it is sent. */
static bool is_congested(sd_bus_message *m) {
        uint64_t n = 0;

        (void) sd_bus_get_n_queued_write(sd_bus_message_get_bus(m), &n);
        if (n < QUEUED_MAX)
                return false;

        (void) sd_bus_reply_method_errorf(m, SD_BUS_ERROR_LIMITS_EXCEEDED, "%llu messages wait for the bus",
                                          (unsigned long long) n);
        return true;
}

static int append_path(sd_bus_message *m, char *path) {
        _cleanup_free_ char *owned = path;

        return owned ? sd_bus_message_append(m, "o", owned) : -ENOMEM;
}

static int reply_object(sd_bus_message *m, char *path, json_t *object) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *owned = path;
        _cleanup_json_ json_t *json = object;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = append_path(reply, TAKE_PTR(owned));
        if (r < 0)
                return r;
        r = variant_append_object_new(reply, TAKE_PTR(json));
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int reply_json(sd_bus_message *m, json_t *object) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *json = object;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = variant_append_object_new(reply, TAKE_PTR(json));
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int method_create_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return device_call_create(userdata, m);
}

static int method_create_devices(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : batch_call_create(userdata, m);
}

static int method_delete_devices(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : batch_call_delete(userdata, m);
}

static int method_plan_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : device_call_plan(userdata, m);
}

/* The name or handle at the beginning of a call. Returns 0, or a negative errno. */
static int read_name(sd_bus_message *m, const char **ret) {
        int r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, ret);

        return r < 0 ? r : 0;
}

static int method_update_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;
        int r = read_name(m, &name);

        return r < 0 ? r : device_call_update(userdata, m, name);
}

static int method_delete_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;
        int r = read_name(m, &name);

        return r < 0 ? r : device_call_delete(userdata, m, name);
}

static int method_renew_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;
        int r = read_name(m, &name);

        return r < 0 ? r : device_call_renew(userdata, m, name);
}

static int method_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;
        int r = read_name(m, &name);

        return r < 0 ? r : device_call_get_stats(userdata, m, name);
}

static int reply_device(sd_bus_message *m, const Device *device) {
        return reply_object(m, path_of_device(device->name), device_encode(device));
}

static int method_get_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Device *device;
        const char *name;
        Arguments a;
        int r;

        arguments_init(&a);
        r = arguments_read_name(&a, m, false, &name);
        if (r < 0)
                return r;
        if (is_congested(m) || !arguments_end(&a, m))
                return 1;

        device = inventory_find_device(inventory_of(userdata), name);
        if (!device)
                return error_replyf(m, ERROR_DEVICE_NOT_FOUND, ENOENT, "There is no device %s", name);
        return reply_device(m, device);
}

static int method_get_device_by_endpoint(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Device *device;
        const char *endpoint;
        int r;

        r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &endpoint);
        if (r < 0)
                return r;
        if (is_congested(m))
                return 1;

        device = inventory_find_endpoint(inventory_of(userdata), endpoint);
        if (!device)
                return error_replyf(m, ERROR_DEVICE_NOT_FOUND, ENOENT, "No device has the endpoint %.128s",
                                    endpoint);
        return reply_device(m, device);
}

/* Sets up the listing that the filter asks for, from which strings are borrowed. */
static void decode_filter(JsonDecoder *d, json_t *filter, DeviceListing *l) {
        const char *value, *key;
        json_t *labels, *label;
        JsonDecoder in_labels;
        FilterFault fault;

        (void) json_take_integer(d, filter, "limit", 1, DEVICE_LISTING_MAX, &l->limit);
        for (const char *const *name = device_listing_filters; *name; name++)
                if (json_take_string(d, filter, *name, VARIANT_STRING_MAX, &value) &&
                    device_listing_filter(l, *name, value, &fault) < 0)
                        json_fault(d, *name, fault.code, "%s", fault.detail);

        if (json_take_object(d, filter, "labels", &labels)) {
                json_decoder_enter(&in_labels, d, "labels");
                json_object_foreach(labels, key, label)
                        if (!json_is_string(label))
                                json_fault(&in_labels, key, "wrong-type", "must be a string");
                        else if (device_listing_filter_label(l, key, strlen(key), json_string_value(label),
                                                             &fault) < 0)
                                json_fault(&in_labels, key, fault.code, "%s", fault.detail);
        }
        json_end(d, filter);
}

/* One entry of a list, of which both parts are taken over. */
static int append_pair(sd_bus_message *m, char *path, json_t *object) {
        _cleanup_json_ json_t *json = object;
        _cleanup_free_ char *owned = path;
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_STRUCT, "oa{sv}");
        if (r >= 0)
                r = append_path(m, TAKE_PTR(owned));
        if (r >= 0)
                r = variant_append_object_new(m, TAKE_PTR(json));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_device(void *message, const Device *device) {
        int r = append_pair(message, path_of_device(device->name), device_encode(device));

        return r < 0 ? r : 0;
}

static int reply_page(sd_bus_message *m, Inventory *inventory, const DeviceListing *l) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char token[LISTING_TOKEN_MAX];
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(oa{sv})");
        if (r >= 0)
                r = device_listing_page(l, inventory, append_device, reply, token);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "st", token, l->revision);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int method_list_devices(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Inventory *inventory = inventory_of(userdata);
        _cleanup_json_ json_t *filter = NULL;
        DeviceListing listing;
        JsonDecoder d;
        Arguments a;
        int r;

        arguments_init(&a);
        r = arguments_read_object(&a, m, "filter", &d, &filter);
        if (r < 0)
                return r;
        device_listing_init(&listing, inventory->revision);
        decode_filter(&d, filter, &listing);
        if (is_congested(m) || !arguments_end(&a, m))
                return 1;
        return reply_page(m, inventory, &listing);
}

static int method_get_mgmtdev(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const Mgmtdev *mgmtdev;
        const char *handle;
        Arguments a;
        int r;

        r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &handle);
        if (r < 0)
                return r;
        arguments_init(&a);
        arguments_check_handle(&a, handle);
        if (is_congested(m) || !arguments_end(&a, m))
                return 1;

        mgmtdev = inventory_find_mgmtdev(inventory_of(userdata), handle);
        if (!mgmtdev)
                return error_replyf(m, ERROR_MGMTDEV_NOT_FOUND, ENOENT, "There is no management device %s", handle);
        return reply_object(m, path_of_mgmtdev(mgmtdev->info.handle),
                            mgmtdev_encode(mgmtdev, clock_monotonic_usec()));
}

static int method_update_mgmtdev(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *handle;
        int r = read_name(m, &handle);

        return r < 0 ? r : mgmtdev_call_update(userdata, m, handle);
}

static int method_list_mgmtdevs(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        if (is_congested(m))
                return 1;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "(oa{sv})");
        for (Mgmtdev *i = inventory_first_mgmtdev(inventory_of(userdata)); i && r >= 0;
             i = inventory_next_mgmtdev(i))
                r = append_pair(reply, path_of_mgmtdev(i->info.handle), mgmtdev_encode(i, clock_monotonic_usec()));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int method_get_host(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bus *bus = userdata;

        return is_congested(m) ? 1 : reply_json(m, host_encode(bus->lifecycle));
}

static int method_get_capacity(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : reply_json(m, capacity_encode(inventory_of(userdata), clock_monotonic_usec()));
}

static int method_list_drift(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : drift_call_list(userdata, m);
}

static int method_repair_drift(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : drift_call_repair(userdata, m);
}

static int method_adopt_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return device_call_adopt(userdata, m);
}

static int method_list_pools(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : pool_call_list(userdata, m);
}

static int method_get_pool(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return is_congested(m) ? 1 : pool_call_get(userdata, m);
}

static int method_set_pool(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return pool_call_set(userdata, m);
}

static int method_remove_pool(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return pool_call_remove(userdata, m);
}

static int method_claim_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return pool_call_claim(userdata, m);
}

static int method_return_device(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return pool_call_return(userdata, m);
}

static int method_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        int r = signals_subscribe(userdata, sd_bus_message_get_sender(m));

        if (r == -ENOBUFS)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_LIMITS_EXCEEDED, "There are %d subscribers",
                                                  SUBSCRIBERS_MAX);
        if (r < 0 && r != -EALREADY)
                return r;
        return sd_bus_reply_method_return(m, "");
}

static int method_unsubscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        (void) signals_unsubscribe(userdata, sd_bus_message_get_sender(m));
        return sd_bus_reply_method_return(m, "");
}

DEFINE_GETTER(get_version, void, bus, sd_bus_message_append, "s", bus ? PACKAGE_VERSION : "")
DEFINE_GETTER(get_backend, const Bus, bus, sd_bus_message_append, "s", lifecycle_backend_name(bus->lifecycle))
DEFINE_GETTER(get_ready, const Bus, bus, sd_bus_message_append, "b",
              lifecycle_is_ready(bus->lifecycle) && lifecycle_host(bus->lifecycle)->available &&
                      !lifecycle_trouble(bus->lifecycle))
DEFINE_GETTER(get_n_devices, const Bus, bus, sd_bus_message_append, "t", (uint64_t) inventory_of(bus)->n_devices)

#define DEVICE_PAIR SD_BUS_ARGS("s", name, "o", device)

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("CreateDevice", SD_BUS_ARGS("s", name, "a{sv}", spec, "a{sv}", options),
                                SD_BUS_RESULT("o", path, "a{sv}", device, "b", created), method_create_device,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateDevices", SD_BUS_ARGS("a(sa{sv})", devices, "a{sv}", options),
                                SD_BUS_RESULT("a(sobss)", results), method_create_devices,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeleteDevices", SD_BUS_ARGS("a(sa{sv})", devices, "a{sv}", options),
                                SD_BUS_RESULT("a(sobss)", results), method_delete_devices,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PlanDevice", SD_BUS_ARGS("s", name, "a{sv}", spec, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", plan), method_plan_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("UpdateDevice", SD_BUS_ARGS("s", name, "a{sv}", spec, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", device), method_update_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeleteDevice", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_NO_RESULT,
                                method_delete_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RenewDevice", SD_BUS_ARGS("s", name, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", device), method_renew_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_ARGS("s", name), SD_BUS_RESULT("a(ust)", stats),
                                method_get_stats, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetDevice", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", path, "a{sv}", device),
                                method_get_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetDeviceByEndpoint", SD_BUS_ARGS("s", endpoint),
                                SD_BUS_RESULT("o", path, "a{sv}", device), method_get_device_by_endpoint,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListDevices", SD_BUS_ARGS("a{sv}", filter),
                                SD_BUS_RESULT("a(oa{sv})", devices, "s", next, "t", revision), method_list_devices,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetManagementDevice", SD_BUS_ARGS("s", handle),
                                SD_BUS_RESULT("o", path, "a{sv}", mgmtdev), method_get_mgmtdev,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("UpdateManagementDevice",
                                SD_BUS_ARGS("s", handle, "a{sv}", settings, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", mgmtdev), method_update_mgmtdev, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListManagementDevices", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(oa{sv})", mgmtdevs),
                                method_list_mgmtdevs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetHost", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", host), method_get_host,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetCapacity", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", capacity),
                                method_get_capacity, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListDrift", SD_BUS_ARGS("a{sv}", filter),
                                SD_BUS_RESULT("aa{sv}", items, "s", next, "s", mode), method_list_drift,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RepairDrift", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("aa{sv}", results),
                                method_repair_drift, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("AdoptDevice", SD_BUS_ARGS("s", name, "a{sv}", spec, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", device), method_adopt_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListPools", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", pools), method_list_pools,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetPool", SD_BUS_ARGS("s", name), SD_BUS_RESULT("a{sv}", pool), method_get_pool,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetPool", SD_BUS_ARGS("s", name, "a{sv}", spec, "a{sv}", options),
                                SD_BUS_RESULT("a{sv}", pool, "b", created), method_set_pool,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RemovePool", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_NO_RESULT,
                                method_remove_pool, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ClaimDevice", SD_BUS_ARGS("s", pool, "a{sv}", spec, "a{sv}", options),
                                SD_BUS_RESULT("o", path, "a{sv}", device), method_claim_device,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ReturnDevice", SD_BUS_ARGS("s", pool, "s", device, "a{sv}", options),
                                SD_BUS_NO_RESULT, method_return_device, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Subscribe", "", "", method_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Unsubscribe", "", "", method_unsubscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("DeviceAdded", DEVICE_PAIR, 0),
        SD_BUS_SIGNAL_WITH_ARGS("DeviceRemoved", DEVICE_PAIR, 0),
        SD_BUS_SIGNAL("ChangesLost", "", 0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Backend", "s", get_backend, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Ready", "b", get_ready, 0, 0),
        SD_BUS_PROPERTY("NDevices", "t", get_n_devices, 0, 0),
        SD_BUS_VTABLE_END,
};

int manager_add(Bus *bus, sd_bus *connection) {
        return sd_bus_add_object_vtable(connection, NULL, MANAGER_PATH, MANAGER_INTERFACE, vtable, bus);
}
