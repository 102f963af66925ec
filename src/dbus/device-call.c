/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/device-call.h"

#include <errno.h>
#include <string.h>

#include "dbus/arguments.h"
#include "dbus/context.h"
#include "dbus/error.h"
#include "dbus/holding.h"
#include "dbus/path.h"
#include "dbus/polkit.h"
#include "dbus/variant.h"
#include "inventory/device-json.h"
#include "inventory/spec-json.h"
#include "lifecycle/device-patch.h"

/* Sends the answer, or says why there is none. */
static void answer(Call *call, sd_bus_message *reply, int error) {
        if (error >= 0)
                error = sd_bus_send(NULL, reply, NULL);
        if (error < 0)
                (void) sd_bus_reply_method_errno(call->message, error, NULL);
}

/* The done() of verbs: userdata is the call. */
static void on_created(void *userdata, const Outcome *outcome) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        _cleanup_free_ char *path = NULL;
        int r;

        if (call->sender_gone)
                lifecycle_release_holder(call->bus->lifecycle, call->holder);
        if (outcome->failure.code != ERROR_NONE) {
                (void) error_reply(call->message, &outcome->failure, outcome->faults);
                return;
        }

        path = path_of_device(outcome->device->name);
        r = path ? sd_bus_message_new_method_return(call->message, &reply) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_message_append(reply, "o", path);
        if (r >= 0)
                r = variant_append_object_new(reply, device_encode(outcome->device));
        if (r >= 0)
                r = sd_bus_message_append(reply, "b", outcome->created);
        answer(call, reply, r);
}

static void on_updated(void *userdata, const Outcome *outcome) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        int r;

        if (outcome->failure.code != ERROR_NONE) {
                (void) error_reply(call->message, &outcome->failure, outcome->faults);
                return;
        }

        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = variant_append_object_new(reply, device_encode(outcome->device));
        answer(call, reply, r);
}

static void on_deleted(void *userdata, const Outcome *outcome) {
        _cleanup_(call_freep) Call *call = userdata;
        ErrorCode code = outcome->failure.code;

        if (code == ERROR_NONE || (code == ERROR_DEVICE_NOT_FOUND && call->missing_ok))
                (void) sd_bus_reply_method_return(call->message, "");
        else
                (void) error_reply(call->message, &outcome->failure, outcome->faults);
}

static int append_stats(sd_bus_message *m, const BackendStat *stats, size_t n) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(ust)");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_json_ json_t *name = json_text(stats[i].name);

                r = name ? sd_bus_message_append(m, "(ust)", stats[i].queue, json_string_value(name),
                                                 stats[i].value)
                         : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void on_stats(void *userdata, const Outcome *outcome) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        int r;

        if (outcome->failure.code != ERROR_NONE) {
                (void) error_reply(call->message, &outcome->failure, outcome->faults);
                return;
        }

        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = append_stats(reply, outcome->stats, outcome->n_stats);
        answer(call, reply, r);
}

static void run_create(Call *call) {
        if (call->holder[0] && call->sender_gone) {
                call_free(call);
                return;
        }
        lifecycle_create_held_device(call->bus->lifecycle, call->name[0] ? call->name : NULL, &call->spec,
                                     call->holder, on_created, call);
}

static void run_delete(Call *call) {
        lifecycle_delete_device(call->bus->lifecycle, call->name, &call->precondition, on_deleted, call);
}

static void run_get_stats(Call *call) {
        lifecycle_get_stats(call->bus->lifecycle, call->name, on_stats, call);
}

/* What can be changed is told by the device as it is now. */
static void run_update(Call *call) {
        _cleanup_(device_spec_done) DeviceSpec after;
        Lifecycle *l = call->bus->lifecycle;
        const Device *device = inventory_find_device(lifecycle_inventory(l), call->name);
        JsonDecoder d;
        DevicePatch patch;
        Arguments a;
        int r;

        device_spec_init(&after);
        if (!device) {
                (void) error_replyf(call->message, ERROR_DEVICE_NOT_FOUND, ENOENT, "There is no device '%s'",
                                    call->name);
                call_free(call);
                return;
        }

        arguments_init(&a);
        json_decoder_enter(&d, &a.document, "spec");
        r = device_patch_decode(&d, &device->spec, call->patch, &after, &patch);
        if (r == -ENOMEM) {
                (void) sd_bus_reply_method_errno(call->message, r, NULL);
                call_free(call);
        } else if (!arguments_end(&a, call->message))
                call_free(call);
        else
                lifecycle_update_device(l, call->name, &call->precondition, &patch, on_updated, call);
}

int device_call_create(Bus *bus, sd_bus_message *m) {
        _cleanup_(device_spec_done) DeviceSpec decoded;
        _cleanup_json_ json_t *spec = NULL, *options = NULL;
        JsonDecoder in_spec, in_options;
        bool until_disconnect = false;
        const char *name;
        Arguments a;
        Call *call;
        int r;

        device_spec_init(&decoded);
        arguments_init(&a);
        r = arguments_read_name(&a, m, true, &name);
        if (r < 0)
                return r;
        r = arguments_read_object(&a, m, "spec", &in_spec, &spec);
        if (r < 0)
                return r;
        r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        if (device_spec_decode(&in_spec, spec, &decoded) == -ENOMEM)
                return -ENOMEM;
        (void) json_take_bool(&in_options, options, "until-disconnect", &until_disconnect);
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        r = until_disconnect ? holding_name(bus->bus, sd_bus_message_get_sender(m), call->holder) : 0;
        if (r < 0) {
                call_free(call);
                return r;
        }
        strcpy(call->name, name);
        call->spec = decoded;
        device_spec_init(&decoded);
        return call_authorize(call, POLKIT_MANAGE, run_create);
}

int device_call_delete(Bus *bus, sd_bus_message *m, const char *name) {
        _cleanup_json_ json_t *options = NULL;
        Precondition precondition = {};
        bool missing_ok = false;
        JsonDecoder in_options;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        arguments_check_name(&a, name);
        r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        arguments_take_precondition(&in_options, options, &precondition);
        (void) json_take_bool(&in_options, options, "missing-ok", &missing_ok);
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        strcpy(call->name, name);
        call->precondition = precondition;
        call->missing_ok = missing_ok;
        return call_authorize(call, POLKIT_MANAGE, run_delete);
}

int device_call_update(Bus *bus, sd_bus_message *m, const char *name) {
        _cleanup_json_ json_t *patch = NULL, *options = NULL;
        Precondition precondition = {};
        JsonDecoder in_spec, in_options;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        arguments_check_name(&a, name);
        r = arguments_read_object(&a, m, "spec", &in_spec, &patch);
        if (r < 0)
                return r;
        r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        arguments_take_precondition(&in_options, options, &precondition);
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        strcpy(call->name, name);
        call->precondition = precondition;
        call->patch = TAKE_PTR(patch);
        return call_authorize(call, POLKIT_MANAGE, run_update);
}

int device_call_get_stats(Bus *bus, sd_bus_message *m, const char *name) {
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        arguments_check_name(&a, name);
        if (!arguments_end(&a, m))
                return 1;
        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        strcpy(call->name, name);
        return call_authorize(call, POLKIT_INSPECT, run_get_stats);
}
