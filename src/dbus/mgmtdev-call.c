/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/mgmtdev-call.h"

#include <errno.h>
#include <string.h>

#include "dbus/arguments.h"
#include "dbus/context.h"
#include "dbus/error.h"
#include "dbus/polkit.h"
#include "inventory/mgmtdev-json.h"
#include "lifecycle/mgmtdev-patch.h"
#include "util/clock.h"

/* The done() of the verb: userdata is the call. */
static void on_updated(void *userdata, const Outcome *outcome) {
        _cleanup_(call_freep) Call *call = userdata;

        call_answer_object(call, outcome,
                           outcome->mgmtdev ? mgmtdev_encode(outcome->mgmtdev, clock_monotonic_usec()) : NULL);
}

/* Decoded here for the faults' pointers; the verb does it once more when its turn comes. */
static void run_update(Call *call) {
        _cleanup_(mgmtdev_settings_done) MgmtdevSettings settings = {};
        Lifecycle *l = call->bus->lifecycle;
        const Mgmtdev *mgmtdev = inventory_find_mgmtdev(lifecycle_inventory(l), call->handle);
        JsonDecoder d;
        Arguments a;
        int r;

        arguments_init(&a);
        json_decoder_enter(&d, &a.document, "settings");
        r = mgmtdev ? mgmtdev_patch_decode(&d, mgmtdev, call->patch, &settings) : 0;
        if (call_end_arguments(call, &a, r))
                lifecycle_update_mgmtdev(l, call->handle, &call->precondition, call->patch, on_updated, call);
}

int mgmtdev_call_update(Bus *bus, sd_bus_message *m, const char *handle) {
        _cleanup_json_ json_t *patch = NULL, *options = NULL;
        JsonDecoder in_patch, in_options;
        Precondition precondition = {};
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        arguments_check_handle(&a, handle);
        r = arguments_read_object(&a, m, "settings", &in_patch, &patch);
        if (r < 0)
                return r;
        r = arguments_read_object(&a, m, "options", &in_options, &options);
        if (r < 0)
                return r;
        arguments_take_revision(&in_options, options, &precondition);
        if (arguments_take_key(&in_options, options, "update-mgmtdev", handle, patch, &precondition.key) < 0)
                return -ENOMEM;
        json_end(&in_options, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        strcpy(call->handle, handle);
        call->precondition = precondition;
        call->patch = TAKE_PTR(patch);
        return call_authorize(call, POLKIT_CONFIGURE, run_update);
}
