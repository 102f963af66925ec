/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/repair-batch.h"

#include <stdio.h>
#include <string.h>

#include "inventory/foreign-device.h"
#include "lifecycle/context.h"

/* Few enough that requests find room beside them. */
#define RUNNING_MAX 64

typedef struct RepairBatch {
        Lifecycle *lifecycle; /* weak */
        json_t *results;      /* owned: an array; those still to be done have no status */
        size_t next;
        size_t n_running;
        bool may_recreate;
        bool is_running; /* guards against recursion */
        bool has_failed; /* there is no memory for a result */
        repair_done_t done;
        void *userdata;
} RepairBatch;

typedef struct RepairItem {
        RepairBatch *batch;
        json_t *result; /* weak */
} RepairItem;

static void run(RepairBatch *b);

static int set_status(json_t *result, unsigned status, const Failure *f) {
        if (json_object_set_new(result, "status", json_integer(status)) < 0)
                return -1;
        if (!f)
                return 0;
        return json_object_set_new(result, "code", json_string(error_info(f->code)->code)) < 0 ||
                               json_object_set_new(result, "detail", json_text(f->detail)) < 0
                       ? -1
                       : 0;
}

static int refuse(json_t *result, ErrorCode code, const char *why) {
        Failure f;

        (void) failure_set(&f, code, 0, "%s", why);
        return set_status(result, error_info(code)->http_status, &f);
}

static int add(RepairBatch *b, const char *name, const char *kind, uint32_t repairs, json_t **ret) {
        json_t *result = json_pack("{s:o, s:s?, s:o}", "name", json_text(name), "kind", kind, "repairs",
                                   drift_repairs_encode(repairs));

        *ret = result;
        return json_array_append_new(b->results, result);
}

static int add_device(RepairBatch *b, const Device *device, const RepairRequest *request) {
        uint32_t kinds = request->kinds ? request->kinds : ~0u;
        bool is_named = request->devices;
        json_t *result;
        Drift drift;

        if (!device_find_drift(device, &drift) || !(kinds >> drift.kind & 1)) {
                if (!is_named)
                        return 0;
                /* It may become so while it is waited for: then that is repaired. */
                return add(b, device->name, NULL, 0, &result) < 0 || set_status(result, 200, NULL) < 0 ? -1 : 0;
        }
        if (add(b, device->name, drift_kind_name(drift.kind), drift.repairs, &result) < 0)
                return -1;
        return request->is_plan ? set_status(result, 200, NULL) : 0;
}

static int add_named(RepairBatch *b, const char *name, const RepairRequest *request) {
        Inventory *inv = b->lifecycle->inventory;
        const Device *device = inventory_find_device(inv, name);
        json_t *result;

        if (device)
                return add_device(b, device, request);
        if (foreign_device_find(inv, name))
                return add(b, name, drift_kind_name(DRIFT_FOREIGN), 0, &result) < 0 ||
                                       refuse(result, ERROR_FOREIGN_DEVICE,
                                              "It is not ours, and is never touched") < 0
                               ? -1
                               : 0;
        return add(b, name, NULL, 0, &result) < 0 ||
                               refuse(result, ERROR_DEVICE_NOT_FOUND, "There is no such device") < 0
                       ? -1
                       : 0;
}

static int add_all(RepairBatch *b, const RepairRequest *request) {
        Inventory *inv = b->lifecycle->inventory;
        const Device *device;
        json_t *name;
        size_t i;

        if (!request->devices) {
                for (device = inventory_next_device(inv, ""); device; device = inventory_device_after(device))
                        if (json_array_size(b->results) < REPAIR_BATCH_MAX && add_device(b, device, request) < 0)
                                return -1;
                return 0;
        }
        json_array_foreach(request->devices, i, name)
                if (add_named(b, json_string_value(name), request) < 0)
                        return -1;
        return 0;
}

static void finish(RepairBatch *b) {
        _cleanup_json_ json_t *report = NULL;

        if (!b->has_failed)
                report = json_pack("{s:O}", "results", b->results);
        b->done(b->userdata, report);
        json_decref(b->results);
        free(b);
}

static void on_repaired(void *userdata, const Outcome *outcome) {
        RepairItem *item = userdata;
        RepairBatch *b = item->batch;
        const Failure *f = &outcome->failure;
        int r;

        if (f->code == ERROR_NONE)
                r = set_status(item->result, 200, NULL);
        else
                r = set_status(item->result, error_info(f->code)->http_status, f);
        b->has_failed |= r < 0;
        free(item);
        b->n_running--;
        if (!b->is_running)
                run(b);
}

static void start(RepairBatch *b, json_t *result) {
        RepairItem *item = malloc(sizeof *item);

        if (!item) {
                b->has_failed = true;
                return;
        }
        *item = (RepairItem){ b, result };
        b->n_running++;
        lifecycle_repair_device(b->lifecycle, json_string_value(json_object_get(result, "name")), b->may_recreate,
                                on_repaired, item);
}

static void run(RepairBatch *b) {
        b->is_running = true;
        while (b->n_running < RUNNING_MAX && b->next < json_array_size(b->results) && !b->has_failed) {
                json_t *result = json_array_get(b->results, b->next++);

                if (!json_object_get(result, "status"))
                        start(b, result);
        }
        b->is_running = false;
        if (b->n_running == 0)
                finish(b);
}

static void check_names(JsonDecoder *object, json_t *names) {
        JsonDecoder d;
        json_t *name;
        size_t i;

        json_decoder_enter(&d, object, "devices");
        json_array_foreach(names, i, name) {
                char index[24];

                (void) snprintf(index, sizeof index, "%zu", i);
                if (!json_is_string(name))
                        json_fault(&d, index, "wrong-type", "must be a string");
                else if (!device_name_is_valid(json_string_value(name)) ||
                         strlen(json_string_value(name)) != json_string_length(name))
                        json_fault(&d, index, "bad-name", "is not a device name");
        }
}

static uint32_t decode_kinds(JsonDecoder *object, json_t *names) {
        JsonDecoder d;
        uint32_t kinds = 0;
        DriftKind kind;
        json_t *name;
        size_t i;

        json_decoder_enter(&d, object, "kinds");
        json_array_foreach(names, i, name) {
                char index[24];

                (void) snprintf(index, sizeof index, "%zu", i);
                if (!json_is_string(name) || drift_kind_parse(json_string_value(name), &kind) < 0 ||
                    kind == DRIFT_FOREIGN)
                        json_fault(&d, index, "unknown-kind", "must be missing, extra or changed");
                else
                        kinds |= 1u << kind;
        }

        return kinds;
}

void repair_request_decode(JsonDecoder *d, json_t *object, RepairRequest *ret) {
        json_t *kinds;

        (void) json_take_bool(d, object, "recreate", &ret->may_recreate);
        if (json_take_array(d, object, "devices", REPAIR_BATCH_MAX, &ret->devices))
                check_names(d, ret->devices);
        if (json_take_array(d, object, "kinds", _DRIFT_KIND_MAX, &kinds))
                ret->kinds = decode_kinds(d, kinds);
}

void lifecycle_repair_drift(Lifecycle *l, const RepairRequest *request, repair_done_t done, void *userdata) {
        RepairBatch *b = calloc(1, sizeof *b);

        if (!b) {
                done(userdata, NULL);
                return;
        }
        *b = (RepairBatch){ .lifecycle = l,
                            .results = json_array(),
                            .may_recreate = request->may_recreate,
                            .done = done,
                            .userdata = userdata };
        b->has_failed = !b->results || add_all(b, request) < 0;
        run(b);
}
