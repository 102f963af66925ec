/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "http/device-body.h"
#include "http/device-reply.h"
#include "http/handlers.h"
#include "http/header.h"
#include "http/reply.h"
#include "inventory/pool-json.h"
#include "lifecycle/device-patch.h"
#include "lifecycle/pool.h"

#define LOCATION_MAX (POOL_NAME_MAX + 16)

void http_pool_list(HttpRequest *r, HttpInput *in) {
        Inventory *inventory = lifecycle_inventory(r->context->lifecycle);
        json_t *items;

        if (!http_input_end(in, r))
                return;

        items = json_array();
        for (Pool *p = pool_next(inventory, ""); p; p = pool_next(inventory, p->name))
                if (json_array_append_new(items, pool_encode(inventory, p)) < 0) {
                        json_decref(TAKE_PTR(items));
                        break;
                }
        http_reply_tree(r, MHD_HTTP_OK, json_pack("{s:o}", "items", items), NULL);
}

/* What is in a pool changes without a revision of its own, so that there is no entity tag. */
void http_pool_get(HttpRequest *r, HttpInput *in) {
        Inventory *inventory = lifecycle_inventory(r->context->lifecycle);
        const char *name = http_input_pool(in, r);
        const Pool *pool;
        Failure f;

        if (!http_input_end(in, r))
                return;

        pool = pool_find(inventory, name);
        if (pool)
                http_reply_tree(r, MHD_HTTP_OK, pool_encode(inventory, pool), NULL);
        else {
                (void) failure_set(&f, ERROR_POOL_NOT_FOUND, ENOENT, "There is no pool '%s'", name);
                http_reply_failure(r, &f, NULL);
        }
}

static void on_set(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;
        Inventory *inventory = lifecycle_inventory(r->context->lifecycle);
        HttpField fields[2] = {};
        char location[LOCATION_MAX];

        if (outcome->failure.code != ERROR_NONE) {
                http_reply_refusal(r, outcome);
                return;
        }
        if (outcome->created) {
                (void) snprintf(location, sizeof location, "/v1/pools/%s", outcome->pool->name);
                fields[0] = (HttpField){ MHD_HTTP_HEADER_LOCATION, location };
        }
        http_reply_tree(r, outcome->created ? MHD_HTTP_CREATED : MHD_HTTP_OK, pool_encode(inventory, outcome->pool),
                        fields);
}

void http_pool_put(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_pool(in, r);
        JsonDecoder d, in_spec;
        json_t *object;
        PoolSpec spec;
        int k = -EINVAL;

        json_decoder_init(&d, &in->faults);
        object = http_device_body_take_spec(&d, in->body);
        json_end(&d, in->body);
        json_decoder_enter(&in_spec, &d, "spec");
        if (object)
                k = pool_spec_decode(&in_spec, object, &spec);
        if (k == -ENOMEM)
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
        else if (http_input_end(in, r))
                lifecycle_set_pool(r->context->lifecycle, name, &spec, on_set, http_request_ref(r));
        else if (k == 0)
                pool_spec_done(&spec);
}

static void on_removed(void *request, const Outcome *outcome) {
        _cleanup_(http_request_unrefp) HttpRequest *r = request;

        if (outcome->failure.code != ERROR_NONE)
                http_reply_refusal(r, outcome);
        else
                http_reply_empty(r, MHD_HTTP_NO_CONTENT, NULL);
}

void http_pool_delete(HttpRequest *r, HttpInput *in) {
        const char *name = http_input_pool(in, r);

        if (http_input_end(in, r))
                lifecycle_remove_pool(r->context->lifecycle, name, on_removed, http_request_ref(r));
}

/* Without a pool there is nothing to merge into; that is told by the verb. */
void http_pool_claim(HttpRequest *r, HttpInput *in) {
        Lifecycle *l = r->context->lifecycle;
        _cleanup_(device_spec_done) DeviceSpec after;
        const char *name = http_input_pool(in, r);
        const Pool *pool = name ? pool_find(lifecycle_inventory(l), name) : NULL;
        Precondition precondition = {};
        JsonDecoder d, in_spec;
        DevicePatch patch = {};
        json_t *spec = NULL;
        int k;

        device_spec_init(&after);
        json_decoder_init(&d, &in->faults);
        if (in->body) {
                if (!json_take_object(&d, in->body, "spec", &spec))
                        spec = NULL;
                json_end(&d, in->body);
        }
        json_decoder_enter(&in_spec, &d, "spec");
        k = http_input_key(in, r, &precondition.key);
        if (k == 0 && pool && spec)
                k = device_claim_decode(&in_spec, &pool->spec.device, spec, &after, &patch);
        if (k == -ENOMEM)
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
        else if (http_input_end(in, r))
                lifecycle_claim_device(l, name, &precondition, &patch, http_device_on_changed, http_request_ref(r));
}

void http_pool_return(HttpRequest *r, HttpInput *in) {
        const char *pool = http_input_pool(in, r), *device, *uid;
        Precondition precondition = {};
        JsonDecoder d;
        int k;

        json_decoder_init(&d, &in->faults);
        device = http_device_body_take_name(&d, in->body, "device");
        if (!json_object_get(in->body, "device"))
                json_fault(&d, "device", "missing", "is required");
        if (json_take_string(&d, in->body, "uid", UID_TEXT_MAX - 1, &uid) && uid_parse(uid, precondition.uid) < 0)
                json_fault(&d, "uid", "bad-uid", "must be a UUID");
        json_end(&d, in->body);
        k = http_input_key(in, r, &precondition.key);
        if (k == -ENOMEM)
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
        else if (http_input_end(in, r))
                lifecycle_return_device(r->context->lifecycle, pool, device, &precondition, http_device_on_deleted,
                                        http_request_ref(r));
}
