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
#include "lifecycle/placement-json.h"
#include "util/clock.h"

/* The done() of verbs: userdata is the call. */
static void on_created(void *userdata, const Outcome *outcome) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        _cleanup_free_ char *path = NULL;
        int r;

        if (call->sender_gone)
                lifecycle_release_holder(call->bus->lifecycle, call->holder);
        reply = call_begin_answer(call, outcome);
        if (!reply)
                return;

        path = path_of_device(outcome->device->name);
        r = path ? sd_bus_message_append(reply, "o", path) : -ENOMEM;
        if (r >= 0)
                r = variant_append_object_new(reply, device_encode(outcome->device));
        if (r >= 0)
                r = sd_bus_message_append(reply, "b", outcome->created);
        call_answer(call, reply, r);
}

static void on_updated(void *userdata, const Outcome *outcome) {
        _cleanup_(call_freep) Call *call = userdata;

        call_answer_object(call, outcome, outcome->device ? device_encode(outcome->device) : NULL);
}

static void on_planned(void *userdata, const Outcome *outcome) {
        _cleanup_(call_freep) Call *call = userdata;

        call_answer_object(call, outcome,
                           outcome->failure.code == ERROR_NONE
                                   ? placement_encode_plan(outcome->placement, outcome->device)
                                   : NULL);
}

static void on_deleted(void *userdata, const Outcome *outcome) {
        _cleanup_(call_freep) Call *call = userdata;
        ErrorCode code = outcome->failure.code;

        if (code == ERROR_NONE || (code == ERROR_DEVICE_NOT_FOUND && call->missing_ok))
                (void) sd_bus_reply_method_return(call->message, "");
        else
                (void) error_reply_outcome(call->message, outcome);
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

        reply = call_begin_answer(call, outcome);
        if (reply)
                call_answer(call, reply, append_stats(reply, outcome->stats, outcome->n_stats));
}

static void run_create(Call *call) {
        if (call->holder[0] && call->sender_gone) {
                call_free(call);
                return;
        }
        lifecycle_create_held_device(call->bus->lifecycle, call->name[0] ? call->name : NULL, &call->spec,
                                     call->holder, &call->precondition, on_created, call);
}

static bool is_connected(void *userdata) {
        const Call *call = userdata;

        return !call->sender_gone;
}

static void run_delete(Call *call) {
        lifecycle_delete_device_when_free(call->bus->lifecycle, call->name, &call->precondition, call->wait_usec,
                                          is_connected, on_deleted, call);
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
        DevicePatch patch = {};
        Arguments a;
        int r = 0;

        device_spec_init(&after);
        arguments_init(&a);
        json_decoder_enter(&d, &a.document, "spec");
        if (device)
                r = device_patch_decode(&d, &device->spec, call->patch, &after, &patch);
        if (call_end_arguments(call, &a, r))
                lifecycle_update_device(l, call->name, &call->precondition, &patch, on_updated, call);
}

/* What a creation and a plan of one begin with: the name, the spec, and the options, which *d is set to stand at.
 * Returns 0, or a negative errno. */
static int read_creation(Arguments *a, sd_bus_message *m, const char **ret_name, DeviceSpec *ret_spec,
                         JsonDecoder *d, json_t **ret_options) {
        _cleanup_json_ json_t *spec = NULL;
        JsonDecoder in_spec;
        int r;

        r = arguments_read_name(a, m, true, ret_name);
        if (r < 0)
                return r;
        r = arguments_read_object(a, m, "spec", &in_spec, &spec);
        if (r < 0)
                return r;
        r = arguments_read_object(a, m, "options", d, ret_options);
        if (r < 0)
                return r;
        return device_spec_decode(&in_spec, spec, ret_spec) == -ENOMEM ? -ENOMEM : 0;
}

/* Makes the call; the spec is taken over. Returns as call_new() does. */
static int new_creation(Bus *bus, sd_bus_message *m, const char *name, DeviceSpec *spec, Call **ret) {
        int r;

        r = call_new(bus, m, ret);
        if (r != 0)
                return r;
        strcpy((*ret)->name, name);
        (*ret)->spec = *spec;
        device_spec_init(spec);
        return 0;
}

int device_call_create(Bus *bus, sd_bus_message *m) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        _cleanup_json_ json_t *options = NULL;
        bool until_disconnect = false;
        JsonDecoder in_options;
        Precondition precondition = {};
        _cleanup_json_ json_t *asked = NULL;
        const char *name;
        Arguments a;
        Call *call;
        int r;

        device_spec_init(&spec);
        arguments_init(&a);
        r = read_creation(&a, m, &name, &spec, &in_options, &options);
        if (r < 0)
                return r;
        (void) json_take_bool(&in_options, options, "until-disconnect", &until_disconnect);
        arguments_take_precondition(&in_options, options, &precondition);
        (void) json_take_bool(&in_options, options, "must-not-exist", &precondition.must_not_exist);
        asked = a.faults.n == 0 ? device_spec_encode(&spec) : NULL;
        if (a.faults.n == 0 && !asked)
                return -ENOMEM;
        if (arguments_take_key(&in_options, options, "create", name, asked, &precondition.key) < 0)
                return -ENOMEM;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = new_creation(bus, m, name, &spec, &call);
        if (r != 0)
                return r;
        r = until_disconnect ? holding_name(bus->bus, sd_bus_message_get_sender(m), call->holder) : 0;
        if (r < 0) {
                call_free(call);
                return r;
        }
        call->precondition = precondition;
        return call_authorize(call, POLKIT_MANAGE, run_create);
}

/* Everyone may: it tells no more than what there is to be read. */
int device_call_plan(Bus *bus, sd_bus_message *m) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        _cleanup_json_ json_t *options = NULL;
        JsonDecoder in_options;
        const char *name;
        Arguments a;
        Call *call;
        int r;

        device_spec_init(&spec);
        arguments_init(&a);
        r = read_creation(&a, m, &name, &spec, &in_options, &options);
        if (r < 0)
                return r;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = new_creation(bus, m, name, &spec, &call);
        if (r != 0)
                return r;
        lifecycle_plan_device(bus->lifecycle, call->name[0] ? call->name : NULL, &call->spec, on_planned, call);
        return 1;
}

int device_call_delete(Bus *bus, sd_bus_message *m, const char *name) {
        _cleanup_json_ json_t *options = NULL;
        Precondition precondition = {};
        bool missing_ok = false;
        int64_t wait = 0;
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
        if (arguments_take_key(&in_options, options, "delete", name, NULL, &precondition.key) < 0)
                return -ENOMEM;
        (void) json_take_bool(&in_options, options, "missing-ok", &missing_ok);
        (void) json_take_integer(&in_options, options, "wait", 0, LIFECYCLE_WAIT_SEC_MAX, &wait);
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        strcpy(call->name, name);
        call->precondition = precondition;
        call->missing_ok = missing_ok;
        call->wait_usec = (uint64_t) wait * USEC_PER_SEC;
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
        if (arguments_take_key(&in_options, options, "update", name, patch, &precondition.key) < 0)
                return -ENOMEM;
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

static void run_renew(Call *call) {
        lifecycle_renew_device(call->bus->lifecycle, call->name, &call->precondition,
                               call->has_lease ? &call->lease_seconds : NULL, on_updated, call);
}

int device_call_renew(Bus *bus, sd_bus_message *m, const char *name) {
        _cleanup_json_ json_t *options = NULL;
        Precondition precondition = {};
        bool has_lease = false;
        int64_t seconds = 0;
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
        has_lease = json_take_integer(&in_options, options, "lease-seconds", 1, LEASE_SECONDS_MAX, &seconds);
        if (arguments_take_key(&in_options, options, "renew", name, NULL, &precondition.key) < 0)
                return -ENOMEM;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        strcpy(call->name, name);
        call->precondition = precondition;
        call->has_lease = has_lease;
        call->lease_seconds = (uint32_t) seconds;
        return call_authorize(call, POLKIT_MANAGE, run_renew);
}

static void run_adopt(Call *call) {
        lifecycle_adopt_device(call->bus->lifecycle, call->name, call->patch, on_updated, call);
}

/* There are no options yet. */
int device_call_adopt(Bus *bus, sd_bus_message *m) {
        _cleanup_json_ json_t *spec = NULL, *options = NULL;
        JsonDecoder in_spec, in_options;
        const char *name;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = arguments_read_name(&a, m, false, &name);
        if (r >= 0)
                r = arguments_read_object(&a, m, "spec", &in_spec, &spec);
        if (r >= 0)
                r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        strcpy(call->name, name);
        call->patch = TAKE_PTR(spec);
        return call_authorize(call, POLKIT_MANAGE, run_adopt);
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
