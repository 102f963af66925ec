/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The list of devices, page by page in order of name.
 *
 * A page goes on after the last name of the one before, so a device is never listed twice. Devices that were
 * created after the first page are left out of the later ones: whether they would be seen would hang on their
 * names. A page looks at a bounded number of devices, so that a filter that matches nothing cannot hold the loop
 * up. */
#include "http/device-list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/device-json.h"
#include "inventory/class.h"

#define LIMIT_DEFAULT 100
#define EXAMINED_MAX  10000

/* The revision in hexadecimal, a dot, the name, and the NUL. */
#define TOKEN_MAX (16 + 1 + DEVICE_NAME_MAX)

static int token_parse(const char *token, uint64_t now_revision, DeviceListing *l) {
        uint64_t revision = 0;
        size_t n = strspn(token, "0123456789abcdef");

        if (n == 0 || n > 16 || token[n] != '.' || !device_name_is_valid(token + n + 1))
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                revision = revision << 4 | (uint64_t) (token[i] <= '9' ? token[i] - '0' : token[i] - 'a' + 10);
        if (revision > now_revision)
                return -EINVAL;

        l->revision = revision;
        strcpy(l->after, token + n + 1);
        return 0;
}

static void take_labels(HttpQuery *q, DeviceListing *l) {
        const char *text, *equals;

        while (http_query_take_next(q, "label", &text)) {
                equals = strchr(text, '=');
                if (!equals || equals == text) {
                        http_query_fault(q, "label", "bad-label", "must be KEY=VALUE");
                        continue;
                }
                if (l->n_labels == DEVICE_LISTING_LABELS_MAX) {
                        http_query_fault(q, "label", "too-many", "there are too many labels to filter by");
                        continue;
                }
                l->label[l->n_labels++] = (LabelFilter){ text, (size_t) (equals - text), equals + 1 };
        }
}

static void take_filters(HttpQuery *q, DeviceListing *l) {
        const char *text;
        DeviceState state;

        if (http_query_take_string(q, "class", &text) && class_parse(text, &l->class) < 0)
                http_query_fault(q, "class", "unknown-class", "must be a virtio device type, by name or by number");
        if (http_query_take_string(q, "state", &text)) {
                if (device_state_parse(text, &state) < 0)
                        http_query_fault(q, "state", "unknown-state", "must be the state of a device");
                else
                        l->state = (int) state;
        }
        if (http_query_take_string(q, "mgmtdev", &l->mgmtdev) && !handle_is_valid(l->mgmtdev))
                http_query_fault(q, "mgmtdev", "bad-handle", "must be \"bus/device\" or \"device\"");
        (void) http_query_take_string(q, "owner", &l->owner);
        take_labels(q, l);
}

static bool matches_labels(const DeviceListing *l, const Device *device) {
        for (size_t i = 0; i < l->n_labels; i++) {
                const LabelFilter *f = &l->label[i];
                const char *value = json_string_value(json_object_getn(device->spec.labels, f->key, f->key_size));

                if (!value || strcmp(value, f->value) != 0)
                        return false;
        }

        return true;
}

static bool matches(const DeviceListing *l, const Device *device) {
        const DeviceSpec *spec = &device->spec;

        return device->created_revision <= l->revision && (l->class == 0 || spec->class == l->class) &&
               (l->state < 0 || (int) device->state == l->state) &&
               (!l->mgmtdev || strcmp(device->mgmtdev->info.handle, l->mgmtdev) == 0) &&
               (!l->owner || strcmp(spec->owner ?: "", l->owner) == 0) && matches_labels(l, device);
}

/* One page. Returns the items, a new reference or NULL, and the last device looked at if there are more. */
static json_t *collect(const DeviceListing *l, Inventory *inventory, const Device **ret_last) {
        _cleanup_json_ json_t *items = json_array();
        const Device *last = NULL, *device = inventory_next_device(inventory, l->after);
        size_t n_examined = 0;

        while (device && items && n_examined < EXAMINED_MAX && json_array_size(items) < (size_t) l->limit) {
                if (matches(l, device) && json_array_append_new(items, device_encode(device)) < 0)
                        return NULL;
                last = device;
                n_examined++;
                device = inventory_next_device(inventory, device->name);
        }

        *ret_last = device ? last : NULL;
        return TAKE_PTR(items);
}

void device_listing_decode(HttpQuery *q, uint64_t now_revision, DeviceListing *ret) {
        DeviceListing l = { .limit = LIMIT_DEFAULT, .revision = now_revision, .state = -1 };
        const char *token;

        (void) http_query_take_integer(q, "limit", 1, HTTP_LIST_MAX, &l.limit);
        if (http_query_take_string(q, "continue", &token) && token_parse(token, now_revision, &l) < 0)
                http_query_fault(q, "continue", "bad-token", "must be what an earlier page answered");
        take_filters(q, &l);
        *ret = l;
}

json_t *device_listing_page(const DeviceListing *l, Inventory *inventory) {
        const Device *last = NULL;
        json_t *items = collect(l, inventory, &last);
        char token[TOKEN_MAX];

        if (last)
                (void) snprintf(token, sizeof token, "%" PRIx64 ".%s", l->revision, last->name);
        return json_pack("{s:o, s:s*, s:I}", "items", items, "continue", last ? token : NULL, "revision",
                         (json_int_t) l->revision);
}
