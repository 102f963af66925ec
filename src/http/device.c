/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "http/device-body.h"
#include "http/device-list.h"
#include "http/device-reply.h"
#include "http/handlers.h"
#include "http/header.h"
#include "http/reply.h"
#include "http/stream.h"
#include "inventory/device-json.h"
#include "lifecycle/device-patch.h"
#include "lifecycle/placement-json.h"
#include "util/clock.h"

static void on_planned(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;

        if (outcome->failure.code != ERROR_NONE)
                http_reply_refusal(r, outcome);
        else
                http_reply_tree(r, MHD_HTTP_OK, placement_encode_plan(outcome->placement, outcome->device), NULL);
}

/* ... for a client that is content if there was no such device. */
static void on_deleted_or_missing(void *request, const Outcome *outcome) {
        const Outcome success = { .replayed = outcome->replayed };

        http_device_on_deleted(request, outcome->failure.code == ERROR_DEVICE_NOT_FOUND ? &success : outcome);
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
        http_reply_tree(r, MHD_HTTP_OK, json_pack("{s:o}", "items", items), NULL);
}

static void reply_not_found(HttpRequest *r, const char *name) {
        Failure f;

        (void) failure_set(&f, ERROR_DEVICE_NOT_FOUND, ENOENT, "There is no device %s", name);
        http_reply_failure(r, &f, NULL);
}

/* False: the request was answered. */
static bool end_input(HttpRequest *r, HttpInput *in, int error) {
        if (error == -ENOMEM) {
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return false;
        }

        return http_input_end(in, r);
}

/* name: of the path, or NULL to take the body's, or a generated one. */
static void create_device(HttpRequest *r, HttpInput *in, const char *name) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        Lifecycle *l = r->context->lifecycle;
        const char *in_body = NULL;
        Precondition p = {};
        bool dry_run = false;
        JsonDecoder d;
        int k;

        device_spec_init(&spec);
        (void) http_query_take_bool(&in->query, "dry_run", &dry_run);
        http_input_device_precondition(in, r, &p);
        json_decoder_init(&d, &in->faults);
        k = http_device_body_decode(&d, in->body, name, &in_body, &spec);
        if (k != -ENOMEM)
                k = http_input_key(in, r, &p.key);
        if (!end_input(r, in, k))
                return;
        r->is_minimal = !dry_run && http_input_prefers_minimal(r);
        if (dry_run)
                lifecycle_plan_device(l, name ?: in_body, &spec, on_planned, http_request_ref(r));
        else
                lifecycle_create_device(l, name ?: in_body, &spec, &p, http_device_on_changed, http_request_ref(r));
}

void http_device_put(HttpRequest *r, HttpInput *in) {
        create_device(r, in, http_input_name(in, r));
}

void http_device_post(HttpRequest *r, HttpInput *in) {
        create_device(r, in, NULL);
}

static json_t *encode_with_users(const Outcome *outcome) {
        _cleanup_json_ json_t *body = device_encode(outcome->device);
        json_t *status = json_object_get(body, "status");

        if (!status ||
            (outcome->in_use >= 0 && json_object_set_new(status, "in_use", json_boolean(outcome->in_use > 0)) < 0))
                return NULL;
        if (outcome->in_use > 0 && json_object_set_new(status, "holders", device_users_encode(outcome->users)) < 0)
                return NULL;
        return TAKE_PTR(body);
}

/* In full, whatever revision the client has: that does not tell of users. */
static void on_users(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;
        char etag[ETAG_MAX];
        HttpField fields[2] = {};

        if (outcome->failure.code != ERROR_NONE) {
                http_reply_refusal(r, outcome);
                return;
        }
        fields[0] = (HttpField){ MHD_HTTP_HEADER_ETAG, etag_format(outcome->device->revision, etag) };
        http_reply_tree(r, MHD_HTTP_OK, encode_with_users(outcome), fields);
}

void http_device_get(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r);
        const Device *device;
        bool in_use = false;

        (void) http_query_take_bool(&in->query, "in_use", &in_use);
        if (!http_input_end(in, r))
                return;
        if (in_use) {
                lifecycle_get_users(r->context->lifecycle, name, on_users, http_request_ref(r));
                return;
        }

        device = inventory_find_device(lifecycle_inventory(r->context->lifecycle), name);
        if (!device)
                reply_not_found(r, name);
        else if (!http_reply_unchanged(r, device->revision))
                http_reply_revision(r, device->revision, device_format(device));
}

void http_device_get_stats(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r);

        if (http_input_end(in, r))
                lifecycle_get_stats(r->context->lifecycle, name, on_stats, http_request_ref(r));
}

/* A client that has closed its end, if only for sending, does not wait for an answer. */
static bool is_connected(void *request) {
        const HttpRequest *r = request;
        const union MHD_ConnectionInfo *info = r->connection
                                                       ? MHD_get_connection_info(r->connection,
                                                                                 MHD_CONNECTION_INFO_CONNECTION_FD)
                                                       : NULL;
        struct pollfd p = { .fd = info ? info->connect_fd : -1, .events = POLLRDHUP };

        return info && (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

void http_device_delete(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r);
        bool missing_ok = false;
        int64_t wait = 0;
        Precondition p = {};
        int k;

        http_input_device_precondition(in, r, &p);
        (void) http_query_take_bool(&in->query, "missing_ok", &missing_ok);
        (void) http_query_take_integer(&in->query, "wait", 0, LIFECYCLE_WAIT_SEC_MAX, &wait);
        k = http_input_key(in, r, &p.key);
        if (!end_input(r, in, k))
                return;

        lifecycle_delete_device_when_free(r->context->lifecycle, name, &p, (uint64_t) wait * USEC_PER_SEC,
                                          is_connected, missing_ok ? on_deleted_or_missing : http_device_on_deleted,
                                          http_request_ref(r));
}

void http_device_renew(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r);
        Precondition p = {};
        bool has_seconds = false;
        uint32_t seconds = 0;
        JsonDecoder d;
        int64_t n;
        int k;

        http_input_device_precondition(in, r, &p);
        json_decoder_init(&d, &in->faults);
        if (in->body) {
                has_seconds = json_take_integer(&d, in->body, "lease_seconds", 1, LEASE_SECONDS_MAX, &n);
                if (has_seconds)
                        seconds = (uint32_t) n;
                json_end(&d, in->body);
        }
        k = http_input_key(in, r, &p.key);
        r->is_minimal = http_input_prefers_minimal(r);
        if (end_input(r, in, k))
                lifecycle_renew_device(r->context->lifecycle, name, &p, has_seconds ? &seconds : NULL,
                                       http_device_on_changed, http_request_ref(r));
}

void http_device_patch(HttpRequest *r, HttpInput *in) {
        _cleanup_(device_spec_done) DeviceSpec after;
        const char *name = http_input_name(in, r);
        Lifecycle *l = r->context->lifecycle;
        Precondition precondition = {};
        const Device *device;
        JsonDecoder d, in_spec;
        DevicePatch patch = {};
        json_t *spec;
        int k;

        device_spec_init(&after);
        http_input_device_precondition(in, r, &precondition);
        json_decoder_init(&d, &in->faults);
        json_decoder_enter(&in_spec, &d, "spec");
        spec = http_device_body_take_spec(&d, in->body);
        json_end(&d, in->body);

        /* Without a device there is nothing to merge into; that is told by the verb. */
        k = http_input_key(in, r, &precondition.key);
        device = name ? inventory_find_device(lifecycle_inventory(l), name) : NULL;
        if (k == 0 && device && spec)
                k = device_patch_decode(&in_spec, &device->spec, spec, &after, &patch);
        r->is_minimal = http_input_prefers_minimal(r);
        if (end_input(r, in, k))
                lifecycle_update_device(l, name, &precondition, &patch, http_device_on_changed,
                                        http_request_ref(r));
}

void http_device_list(HttpRequest *r, HttpInput *in) {
        Inventory *inventory = lifecycle_inventory(r->context->lifecycle);
        bool is_lines = list_names(http_request_header(r, MHD_HTTP_HEADER_ACCEPT), HTTP_LINES_TYPE);
        DeviceListing listing;

        http_device_listing_decode(&in->query, inventory->revision, is_lines ? INT64_MAX : DEVICE_LISTING_DEFAULT,
                                   &listing);
        if (!http_input_end(in, r))
                return;
        if (is_lines)
                http_reply_device_lines(r, &listing, inventory);
        else
                http_reply_page(r, HTTP_JSON_TYPE, http_device_listing_page(&listing, inventory));
}

/* Without "spec" all is as it is. */
void http_device_adopt(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_name(in, r);
        _cleanup_json_ json_t *spec = json_object();
        json_t *given;
        JsonDecoder d;

        json_decoder_init(&d, &in->faults);
        if (json_take_object(&d, in->body, "spec", &given) && json_object_update(spec, given) < 0)
                json_decref(TAKE_PTR(spec));
        json_end(&d, in->body);
        if (!spec)
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
        else if (http_input_end(in, r))
                lifecycle_adopt_device(r->context->lifecycle, name, spec, http_device_on_changed,
                                       http_request_ref(r));
}
