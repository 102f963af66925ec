/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/device-list.h"
#include "http/handlers.h"
#include "http/header.h"
#include "http/reply.h"
#include "inventory/device-json.h"
#include "inventory/spec-json.h"
#include "lifecycle/device-patch.h"
#include "lifecycle/placement-json.h"

#define LOCATION_MAX (DEVICE_NAME_MAX + 16)

/* The done() of verbs that leave a device; like the others here, its userdata is a reference to the request. */
static void on_changed(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;
        char etag[ETAG_MAX], location[LOCATION_MAX];
        HttpField fields[3] = {};

        if (outcome->failure.code != ERROR_NONE) {
                http_reply_refusal(r, outcome);
                return;
        }

        fields[0] = (HttpField){ MHD_HTTP_HEADER_ETAG, etag_format(outcome->device->revision, etag) };
        if (outcome->created) {
                (void) snprintf(location, sizeof location, "/v1/devices/%s", outcome->device->name);
                fields[1] = (HttpField){ MHD_HTTP_HEADER_LOCATION, location };
        }
        http_reply_json(r, outcome->created ? MHD_HTTP_CREATED : MHD_HTTP_OK, device_encode(outcome->device),
                        fields);
}

static void on_planned(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;

        if (outcome->failure.code != ERROR_NONE)
                http_reply_refusal(r, outcome);
        else
                http_reply_json(r, MHD_HTTP_OK, placement_encode_plan(outcome->placement, outcome->device), NULL);
}

static void on_deleted(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;

        if (outcome->failure.code != ERROR_NONE)
                http_reply_refusal(r, outcome);
        else
                http_reply_empty(r, MHD_HTTP_NO_CONTENT, NULL);
}

/* ... for a client that is content if there was no such device. */
static void on_deleted_or_missing(void *request, const Outcome *outcome) {
        static const Outcome success = {};

        on_deleted(request, outcome->failure.code == ERROR_DEVICE_NOT_FOUND ? &success : outcome);
}

static json_t *stat_encode(const BackendStat *stat) {
        /* jansson's integers are signed. */
        json_int_t value = stat->value <= INT64_MAX ? (json_int_t) stat->value : INT64_MAX;

        return json_pack("{s:I, s:o, s:I}", "queue", (json_int_t) stat->queue, "name", json_text(stat->name),
                         "value", value);
}

static void on_stats(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;
        json_t *items;

        if (outcome->failure.code != ERROR_NONE) {
                http_reply_refusal(r, outcome);
                return;
        }

        items = json_array();
        for (size_t i = 0; i < outcome->n_stats; i++)
                if (json_array_append_new(items, stat_encode(&outcome->stats[i])) < 0) {
                        json_decref(TAKE_PTR(items));
                        break;
                }
        http_reply_json(r, MHD_HTTP_OK, json_pack("{s:o}", "items", items), NULL);
}

static void reply_not_found(HttpRequest *r, const char *name) {
        Failure f;

        (void) failure_set(&f, ERROR_DEVICE_NOT_FOUND, ENOENT, "There is no device %s", name);
        http_reply_failure(r, &f, NULL);
}

/* Takes the member spec of the body, which must be there; NULL, with a fault, if it is not. */
static json_t *take_spec(HttpInput *in, JsonDecoder *body) {
        json_t *spec = json_object_get(in->body, "spec");

        if (!spec || json_is_null(spec))
                json_fault(body, "spec", "missing", "is required");
        return json_take_object(body, in->body, "spec", &spec) ? spec : NULL;
}

/* Decodes the body of a PUT or POST: {"spec": ..., "name": ...}. name: of the path, or NULL. Sets *ret_name to the
 * body's, if it has one. Returns 0, or -EINVAL with faults, or -ENOMEM. */
static int decode_body(HttpInput *in, const char *name, const char **ret_name, DeviceSpec *ret) {
        JsonDecoder d, in_spec;
        json_t *spec;
        int k = -EINVAL;

        json_decoder_init(&d, &in->faults);
        if (json_take_string(&d, in->body, "name", DEVICE_NAME_MAX - 1, ret_name)) {
                if (!device_name_is_valid(*ret_name))
                        json_fault(&d, "name", "bad-name", "is not a device name");
                else if (name && strcmp(name, *ret_name) != 0)
                        json_fault(&d, "name", "mismatch", "must be the name in the path");
        }

        spec = take_spec(in, &d);
        if (spec) {
                json_decoder_enter(&in_spec, &d, "spec");
                k = device_spec_decode(&in_spec, spec, ret);
        }
        json_end(&d, in->body);
        return k;
}

/* name: of the path, or NULL to take the body's, or a generated one. */
static void create_device(HttpRequest *r, HttpInput *in, const char *name) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        Lifecycle *l = r->context->lifecycle;
        const char *in_body = NULL;
        bool dry_run = false;
        int k;

        device_spec_init(&spec);
        (void) http_query_take_bool(&in->query, "dry_run", &dry_run);
        k = decode_body(in, name, &in_body, &spec);
        if (k == -ENOMEM)
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
        else if (!http_input_end(in, r))
                return;
        else if (dry_run)
                lifecycle_plan_device(l, name ?: in_body, &spec, on_planned, http_request_ref(r));
        else
                lifecycle_create_device(l, name ?: in_body, &spec, on_changed, http_request_ref(r));
}

void http_device_put(HttpRequest *r, HttpInput *in) {
        create_device(r, in, http_input_name(in, r));
}

void http_device_post(HttpRequest *r, HttpInput *in) {
        create_device(r, in, NULL);
}

void http_device_get(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r);
        const Device *device;

        if (!http_input_end(in, r))
                return;

        device = inventory_find_device(lifecycle_inventory(r->context->lifecycle), name);
        if (device)
                http_reply_revision(r, device->revision, device_encode(device));
        else
                reply_not_found(r, name);
}

void http_device_get_stats(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r);

        if (http_input_end(in, r))
                lifecycle_get_stats(r->context->lifecycle, name, on_stats, http_request_ref(r));
}

void http_device_delete(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r), *uid;
        bool missing_ok = false;
        Precondition p = {};

        http_input_precondition(in, r, &p);
        (void) http_query_take_bool(&in->query, "missing_ok", &missing_ok);
        if (http_query_take_string(&in->query, "uid", &uid)) {
                if (uid_is_valid(uid))
                        strcpy(p.uid, uid);
                else
                        http_query_fault(&in->query, "uid", "bad-uid", "must be a UUID");
        }
        if (!http_input_end(in, r))
                return;

        lifecycle_delete_device(r->context->lifecycle, name, &p, missing_ok ? on_deleted_or_missing : on_deleted,
                                http_request_ref(r));
}

void http_device_patch(HttpRequest *r, HttpInput *in) {
        _cleanup_(device_spec_done) DeviceSpec after;
        const char *name = http_input_name(in, r);
        Lifecycle *l = r->context->lifecycle;
        Precondition precondition = {};
        const Device *device;
        JsonDecoder d, in_spec;
        DevicePatch patch;
        json_t *spec;

        device_spec_init(&after);
        http_input_precondition(in, r, &precondition);
        json_decoder_init(&d, &in->faults);
        json_decoder_enter(&in_spec, &d, "spec");
        spec = take_spec(in, &d);
        json_end(&d, in->body);

        /* Without a device there is nothing to merge into; that is told when the rest of the request is right. */
        device = name ? inventory_find_device(lifecycle_inventory(l), name) : NULL;
        if (device && spec && device_patch_decode(&in_spec, &device->spec, spec, &after, &patch) == -ENOMEM) {
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return;
        }
        if (!http_input_end(in, r))
                return;
        if (!device) {
                reply_not_found(r, name);
                return;
        }

        lifecycle_update_device(l, name, &precondition, &patch, on_changed, http_request_ref(r));
}

void http_device_list(HttpRequest *r, HttpInput *in) {
        Inventory *inventory = lifecycle_inventory(r->context->lifecycle);
        DeviceListing listing;

        http_device_listing_decode(&in->query, inventory->revision, &listing);
        if (http_input_end(in, r))
                http_reply_json(r, MHD_HTTP_OK, http_device_listing_page(&listing, inventory), NULL);
}
