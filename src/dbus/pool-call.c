/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/pool-call.h"

#include <errno.h>
#include <string.h>

#include "dbus/arguments.h"
#include "dbus/context.h"
#include "dbus/error.h"
#include "dbus/path.h"
#include "dbus/polkit.h"
#include "dbus/variant.h"
#include "inventory/device-json.h"
#include "inventory/pool-json.h"
#include "inventory/spec-json.h"
#include "lifecycle/device-patch.h"
#include "lifecycle/pool.h"

/* The name of a pool, where m stands. Returns 0, or a negative errno. */
static int read_pool(Arguments *a, sd_bus_message *m, const char **ret) {
        int r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, ret);

        if (r >= 0 && !pool_name_is_valid(*ret))
                json_fault_name(&a->document, POOL_NAME_MAX);
        return r < 0 ? r : 0;
}

int pool_call_list(Bus *bus, sd_bus_message *m) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Inventory *inventory = lifecycle_inventory(bus->lifecycle);
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}");
        for (Pool *pool = pool_next(inventory, ""); pool && r >= 0; pool = pool_next(inventory, pool->name))
                r = variant_append_object_new(reply, pool_encode(inventory, pool));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int pool_call_get(Bus *bus, sd_bus_message *m) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Inventory *inventory = lifecycle_inventory(bus->lifecycle);
        const char *name;
        const Pool *pool;
        Arguments a;
        int r;

        arguments_init(&a);
        r = read_pool(&a, m, &name);
        if (r < 0)
                return r;
        if (!arguments_end(&a, m))
                return 1;
        pool = pool_find(inventory, name);
        if (!pool)
                return error_replyf(m, ERROR_POOL_NOT_FOUND, ENOENT, "There is no pool '%s'", name);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = variant_append_object_new(reply, pool_encode(inventory, pool));
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* Makes the call; patch (which may be NULL) is taken over, also on failure. Returns as call_new() does. */
static int new_call(Bus *bus, sd_bus_message *m, const char *pool, json_t *patch, Call **ret) {
        int r = call_new(bus, m, ret);

        if (r != 0) {
                json_decref(patch);
                return r;
        }
        strcpy((*ret)->pool, pool);
        (*ret)->patch = patch;
        return 0;
}

/* The done() of verbs: userdata is the call. */
static void on_set(void *userdata, const Outcome *outcome) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        int r;

        reply = call_begin_answer(call, outcome);
        if (!reply)
                return;
        r = variant_append_object_new(reply, pool_encode(lifecycle_inventory(call->bus->lifecycle), outcome->pool));
        if (r >= 0)
                r = sd_bus_message_append(reply, "b", outcome->created);
        call_answer(call, reply, r);
}

/* Of a spec that was found good before the caller was. */
static void run_set(Call *call) {
        PoolSpec spec;
        Arguments a;

        arguments_init(&a);
        if (call_end_arguments(call, &a, pool_spec_decode(&a.document, call->patch, &spec)))
                lifecycle_set_pool(call->bus->lifecycle, call->pool, &spec, on_set, call);
}

int pool_call_set(Bus *bus, sd_bus_message *m) {
        _cleanup_json_ json_t *object = NULL, *options = NULL;
        JsonDecoder in_spec, in_options;
        const char *name;
        PoolSpec spec;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = read_pool(&a, m, &name);
        if (r >= 0)
                r = arguments_read_object(&a, m, "spec", &in_spec, &object);
        if (r >= 0)
                r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        r = pool_spec_decode(&in_spec, object, &spec);
        if (r == 0)
                pool_spec_done(&spec);
        if (r == -ENOMEM)
                return r;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = new_call(bus, m, name, TAKE_PTR(object), &call);
        return r != 0 ? r : call_authorize(call, POLKIT_MANAGE, run_set);
}

static void on_done(void *userdata, const Outcome *outcome) {
        _cleanup_(call_freep) Call *call = userdata;

        if (outcome->failure.code == ERROR_NONE)
                (void) sd_bus_reply_method_return(call->message, "");
        else
                (void) error_reply_outcome(call->message, outcome);
}

static void run_remove(Call *call) {
        lifecycle_remove_pool(call->bus->lifecycle, call->pool, on_done, call);
}

int pool_call_remove(Bus *bus, sd_bus_message *m) {
        _cleanup_json_ json_t *options = NULL;
        JsonDecoder in_options;
        const char *name;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = read_pool(&a, m, &name);
        if (r >= 0)
                r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = new_call(bus, m, name, NULL, &call);
        return r != 0 ? r : call_authorize(call, POLKIT_MANAGE, run_remove);
}

static void on_claimed(void *userdata, const Outcome *outcome) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        _cleanup_free_ char *path = NULL;
        int r;

        reply = call_begin_answer(call, outcome);
        if (!reply)
                return;
        path = path_of_device(outcome->device->name);
        r = path ? sd_bus_message_append(reply, "o", path) : -ENOMEM;
        if (r >= 0)
                r = variant_append_object_new(reply, device_encode(outcome->device));
        call_answer(call, reply, r);
}

/* What a device can be given is told by the template. */
static void run_claim(Call *call) {
        _cleanup_(device_spec_done) DeviceSpec after;
        Lifecycle *l = call->bus->lifecycle;
        const Pool *pool = pool_find(lifecycle_inventory(l), call->pool);
        DevicePatch patch = {};
        JsonDecoder d;
        Arguments a;
        int r = 0;

        device_spec_init(&after);
        arguments_init(&a);
        json_decoder_enter(&d, &a.document, "spec");
        if (pool && json_object_size(call->patch) > 0)
                r = device_claim_decode(&d, &pool->spec.device, call->patch, &after, &patch);
        if (call_end_arguments(call, &a, r))
                lifecycle_claim_device(l, call->pool, &call->precondition, &patch, on_claimed, call);
}

int pool_call_claim(Bus *bus, sd_bus_message *m) {
        _cleanup_json_ json_t *patch = NULL, *options = NULL;
        JsonDecoder in_spec, in_options;
        Precondition precondition = {};
        const char *name;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = read_pool(&a, m, &name);
        if (r >= 0)
                r = arguments_read_object(&a, m, "spec", &in_spec, &patch);
        if (r >= 0)
                r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        if (arguments_take_key(&in_options, options, "claim", name, patch, &precondition.key) < 0)
                return -ENOMEM;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = new_call(bus, m, name, TAKE_PTR(patch), &call);
        if (r != 0)
                return r;
        call->precondition = precondition;
        return call_authorize(call, POLKIT_MANAGE, run_claim);
}

static void run_return(Call *call) {
        lifecycle_return_device(call->bus->lifecycle, call->pool, call->name, &call->precondition, on_done, call);
}

int pool_call_return(Bus *bus, sd_bus_message *m) {
        _cleanup_json_ json_t *options = NULL, *asked = NULL;
        Precondition precondition = {};
        JsonDecoder in_options;
        const char *pool, *name;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = read_pool(&a, m, &pool);
        if (r >= 0)
                r = arguments_read_name(&a, m, false, &name);
        if (r >= 0)
                r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        arguments_take_precondition(&in_options, options, &precondition);
        asked = json_pack("{s:s}", "pool", pool);
        if (!asked || arguments_take_key(&in_options, options, "return", name, asked, &precondition.key) < 0)
                return -ENOMEM;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = new_call(bus, m, pool, NULL, &call);
        if (r != 0)
                return r;
        strcpy(call->name, name);
        call->precondition = precondition;
        return call_authorize(call, POLKIT_MANAGE, run_return);
}
