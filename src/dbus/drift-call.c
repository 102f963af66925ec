/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/drift-call.h"

#include <errno.h>
#include <string.h>

#include "dbus/arguments.h"
#include "dbus/context.h"
#include "dbus/polkit.h"
#include "dbus/variant.h"
#include "lifecycle/drift-listing.h"
#include "lifecycle/repair-batch.h"

static void take_kinds(JsonDecoder *d, json_t *filter, DriftListing *listing) {
        JsonDecoder in_kinds;
        json_t *kinds, *item;
        DriftKind kind;
        size_t i;

        if (!json_take_array(d, filter, "kinds", 16, &kinds))
                return;
        json_decoder_enter(&in_kinds, d, "kinds");
        json_array_foreach(kinds, i, item) {
                const char *text = json_string_value(item);

                if (!text || drift_kind_parse(text, &kind) < 0)
                        json_fault(&in_kinds, NULL, "unknown-kind", "must be missing, extra, changed or foreign");
                else
                        listing->kinds |= 1u << kind;
        }
}

static void decode_filter(JsonDecoder *d, json_t *filter, DriftListing *ret, bool *ret_refresh) {
        const char *text;

        *ret = (DriftListing){ .limit = DRIFT_LISTING_DEFAULT };
        (void) json_take_integer(d, filter, "limit", 1, DRIFT_LISTING_MAX, &ret->limit);
        take_kinds(d, filter, ret);
        if (json_take_string(d, filter, "mgmtdev", VARIANT_STRING_MAX, &text)) {
                if (handle_is_valid(text))
                        strcpy(ret->mgmtdev, text);
                else
                        json_fault(d, "mgmtdev", "bad-handle", "must be \"bus/device\" or \"device\"");
        }
        if (json_take_string(d, filter, "continue", VARIANT_STRING_MAX, &text) &&
            drift_listing_continue(ret, text) < 0)
                json_fault(d, "continue", "bad-token", "must be what the page before has");
        (void) json_take_bool(d, filter, "refresh", ret_refresh);
        json_end(d, filter);
}

static int append_objects(sd_bus_message *m, json_t *objects) {
        json_t *object;
        size_t i;
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "a{sv}");
        if (r < 0)
                return r;
        json_array_foreach(objects, i, object) {
                r = variant_append_object(m, object);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(m);
}

static int append_page(sd_bus_message *m, json_t *page) {
        const char *next = json_string_value(json_object_get(page, "continue"));
        int r = append_objects(m, json_object_get(page, "items"));

        if (r < 0)
                return r;
        return sd_bus_message_append(m, "ss", next ?: "", json_string_value(json_object_get(page, "mode")) ?: "");
}

static int reply_page(Bus *bus, sd_bus_message *m, const DriftListing *listing) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *page = drift_listing_page(listing, bus->lifecycle);
        int r;

        if (!page)
                return -ENOMEM;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = append_page(reply, page);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

/* The done() of the look: userdata is the call. */
static void on_refreshed(void *userdata, const Outcome *outcome) {
        _cleanup_(call_freep) Call *call = userdata;
        DriftListing *listing = call->drift;
        int r;

        if (outcome->failure.code != ERROR_NONE) {
                call_answer_object(call, outcome, NULL);
                return;
        }
        r = reply_page(call->bus, call->message, listing);
        if (r < 0)
                (void) sd_bus_reply_method_errno(call->message, r, NULL);
}

static void run_refresh(Call *call) {
        lifecycle_refresh(call->bus->lifecycle, on_refreshed, call);
}

/* To look at what is known is free; to have the host looked at takes its time. */
int drift_call_list(Bus *bus, sd_bus_message *m) {
        _cleanup_json_ json_t *filter = NULL;
        DriftListing listing;
        bool refresh = false;
        JsonDecoder d;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = arguments_read_object(&a, m, "filter", &d, &filter);
        if (r < 0)
                return r;
        decode_filter(&d, filter, &listing, &refresh);
        if (!arguments_end(&a, m))
                return 1;
        if (!refresh)
                return reply_page(bus, m, &listing);

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        call->drift = malloc(sizeof *call->drift);
        if (!call->drift) {
                call_free(call);
                return -ENOMEM;
        }
        *call->drift = listing;
        return call_authorize(call, POLKIT_INSPECT, run_refresh);
}

/* The done() of the repair: userdata is the call. */
static void on_repaired(void *userdata, json_t *report) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(call_freep) Call *call = userdata;
        int r = report ? sd_bus_message_new_method_return(call->message, &reply) : -ENOMEM;

        if (r >= 0)
                r = append_objects(reply, json_object_get(report, "results"));
        call_answer(call, reply, r);
}

/* Of options that were found good before the caller was. */
static void run_repair(Call *call) {
        RepairRequest request = {};
        Arguments a;

        arguments_init(&a);
        (void) json_take_bool(&a.document, call->patch, "dry-run", &request.is_plan);
        repair_request_decode(&a.document, call->patch, &request);
        lifecycle_repair_drift(call->bus->lifecycle, &request, on_repaired, call);
}

int drift_call_repair(Bus *bus, sd_bus_message *m) {
        _cleanup_json_ json_t *options = NULL;
        RepairRequest request = {};
        JsonDecoder d;
        Arguments a;
        Call *call;
        int r;

        arguments_init(&a);
        r = arguments_read_object(&a, m, "options", &d, &options);
        if (r < 0)
                return r;
        (void) json_take_bool(&d, options, "dry-run", &request.is_plan);
        repair_request_decode(&d, options, &request);
        json_end(&d, options);
        if (!arguments_end(&a, m))
                return 1;

        r = call_new(bus, m, &call);
        if (r != 0)
                return r;
        call->patch = TAKE_PTR(options);
        return call_authorize(call, POLKIT_MANAGE, run_repair);
}
