/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/batch-body.h"

#include <errno.h>
#include <string.h>

#include "http/device-body.h"
#include "inventory/spec-json.h"
#include "util/decimal.h"

/* What the items of one request share while they are decoded. */
typedef struct Decoding {
        JsonDecoder in_devices;
        json_t *names; /* that there were before, as members; owned */
        BatchKind kind;
        bool has_spec;
        DeviceSpec spec; /* of items without */
} Decoding;

/* Returns 0, with a fault if it is not the first of that name, or -ENOMEM. */
static int note_name(Decoding *decoding, JsonDecoder *d, const char *name) {
        if (json_object_get(decoding->names, name))
                json_fault(d, "name", "duplicate", "is the name of an item before");
        else if (json_object_set_new(decoding->names, name, json_null()) < 0)
                return -ENOMEM;
        return 0;
}

static void decode_deletion(JsonDecoder *d, json_t *object, const char **ret_name, Precondition *ret) {
        const char *uid;

        *ret_name = http_device_body_take_name(d, object, "name");
        if (!json_object_get(object, "name"))
                json_fault(d, "name", "missing", "is required");
        if (json_take_string(d, object, "uid", UID_TEXT_MAX - 1, &uid)) {
                if (uid_is_valid(uid))
                        strcpy(ret->uid, uid);
                else
                        json_fault(d, "uid", "bad-uid", "must be a UUID");
        }
        json_end(d, object);
}

/* Returns 0, or -EINVAL with faults, or -ENOMEM. */
static int decode_creation(const Decoding *decoding, JsonDecoder *d, json_t *object, const char **ret_name,
                           DeviceSpec *ret) {
        json_t *spec = json_object_get(object, "spec");

        if (!decoding->has_spec || (spec && !json_is_null(spec)))
                return http_device_body_decode(d, object, NULL, ret_name, ret);

        /* It may be there as null. */
        (void) json_take_object(d, object, "spec", &spec);
        *ret_name = http_device_body_take_name(d, object, "name");
        json_end(d, object);
        return device_spec_copy(&decoding->spec, ret);
}

/* Returns -ENOMEM, or 0: whether it is right is among the faults. */
static int decode_item(Decoding *decoding, size_t i, json_t *object, BatchItem *ret) {
        const char *name = NULL;
        JsonDecoder d;
        char index[DECIMAL_MAX + 1];
        int r = 0;

        *decimal_write(index, i) = '\0';
        json_decoder_enter(&d, &decoding->in_devices, index);
        if (!json_is_object(object)) {
                json_fault(&d, NULL, "wrong-type", "must be an object");
                return 0;
        }
        if (decoding->kind == BATCH_DELETE)
                decode_deletion(&d, object, &name, &ret->precondition);
        else
                r = decode_creation(decoding, &d, object, &name, &ret->spec);
        if (r == -ENOMEM || !name)
                return r == -ENOMEM ? r : 0;
        strcpy(ret->name, name);
        return note_name(decoding, &d, name);
}

/* Decodes the items. Returns 0, also if they are not right, or -ENOMEM. */
static int decode_items(Decoding *decoding, json_t *devices, BatchItem *items) {
        json_t *object;
        size_t i;

        json_array_foreach(devices, i, object) {
                int r = decode_item(decoding, i, object, &items[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Returns 0, or -EINVAL with a fault. */
static int take_devices(JsonDecoder *d, json_t *body, json_t **ret) {
        if (!json_take_array(d, body, "devices", BATCH_ITEMS_MAX, ret)) {
                if (!json_object_get(body, "devices"))
                        json_fault(d, "devices", "missing", "is required");
                return -EINVAL;
        }
        if (json_array_size(*ret) > 0)
                return 0;
        json_fault(d, "devices", "empty", "must have an item at least");
        return -EINVAL;
}

/* Returns 0, or -EINVAL with faults, or -ENOMEM. */
static int take_spec(Decoding *decoding, JsonDecoder *d, json_t *body) {
        JsonDecoder in_spec;
        json_t *spec;

        if (!json_take_object(d, body, "spec", &spec))
                return 0;
        decoding->has_spec = true;
        json_decoder_enter(&in_spec, d, "spec");
        return device_spec_decode(&in_spec, spec, &decoding->spec);
}

static BatchItem *items_new(size_t n) {
        BatchItem *items = calloc(n, sizeof *items);

        for (size_t i = 0; items && i < n; i++)
                device_spec_init(&items[i].spec);
        return items;
}

int http_batch_body_decode(JsonDecoder *d, BatchKind kind, json_t *body, BatchItem **ret, size_t *ret_n) {
        Decoding decoding = { .kind = kind };
        size_t n_before = d->faults->n, n = 0;
        BatchItem *items = NULL;
        json_t *devices;
        int r = 0, k;

        device_spec_init(&decoding.spec);
        if (kind != BATCH_DELETE)
                r = take_spec(&decoding, d, body);
        k = take_devices(d, body, &devices);
        if (r != -ENOMEM && k == 0) {
                json_decoder_enter(&decoding.in_devices, d, "devices");
                decoding.names = json_object();
                n = json_array_size(devices);
                items = items_new(n);
                r = items && decoding.names ? decode_items(&decoding, devices, items) : -ENOMEM;
        }
        if (r != -ENOMEM && d->faults->n > n_before)
                r = -EINVAL;

        json_decref(decoding.names);
        device_spec_done(&decoding.spec);
        if (r < 0) {
                batch_items_free(items, items ? n : 0);
                return r;
        }
        *ret = items;
        *ret_n = n;
        return 0;
}
