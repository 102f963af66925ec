/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/drift-listing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/foreign-device.h"
#include "lifecycle/context.h"
#include "util/hex.h"

/* A page looks at no more devices than this: most are as they should be. */
#define PASSED_MAX 50000

#define TOKEN_MAX (2 * sizeof(((DriftListing *) 0)->after))

int drift_listing_continue(DriftListing *listing, const char *token) {
        size_t n = strlen(token) / 2;

        if (n == 0 || n >= sizeof listing->after || strlen(token) % 2 != 0)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                int high = hex_digit(token[2 * i]), low = hex_digit(token[2 * i + 1]);

                if (high < 0 || low < 0 || (high == 0 && low == 0))
                        return -EINVAL;
                listing->after[i] = (char) (high << 4 | low);
        }
        listing->after[n] = '\0';
        return 0;
}

static void format_token(const char *name, char ret[TOKEN_MAX]) {
        size_t n = 0;

        for (; *name && n + 3 <= TOKEN_MAX; name++, n += 2)
                (void) snprintf(ret + n, 3, "%02x", (unsigned) (unsigned char) *name);
}

static json_t *foreign_encode(const ForeignDevice *f) {
        char class[16];

        /* clang-format off */
        return json_pack("{s:s, s:o, s:n, s:s, s:n, s:n, s:{s:s, s:s}, s:[]}",
                         "kind", drift_kind_name(DRIFT_FOREIGN),
                         "name", json_text(f->name),
                         "uid",
                         "mgmtdev", f->mgmtdev,
                         "mode",
                         "expected",
                         "observed",
                         "mgmtdev", f->mgmtdev,
                         "class", class_format(f->class, class),
                         "repairs");
        /* clang-format on */
}

/* What a device is asked for that is not there. */
static json_t *encode_missing(const Device *device) {
        char class[16];

        return json_pack("{s:s, s:s, s:s}", "mgmtdev", device->mgmtdev->info.handle, "class",
                         class_format(device->spec.class, class), "driver", bus_driver_name(device->spec.driver));
}

static json_t *encode_expected(const Device *device, const Drift *drift) {
        if (drift->kind == DRIFT_CHANGED)
                return drift_expected_encode(&device->spec, drift->fields);
        return drift->kind == DRIFT_MISSING ? encode_missing(device) : json_null();
}

static json_t *encode_observed(const Device *device, const Drift *drift) {
        if (drift->kind == DRIFT_CHANGED)
                return drift_observed_encode(&device->spec, &device->status, drift->fields);
        return drift->kind == DRIFT_EXTRA ? encode_missing(device) : json_null();
}

json_t *drift_item_encode(Lifecycle *l, const Device *device, const Drift *drift) {
        /* clang-format off */
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}",
                         "kind", drift_kind_name(drift->kind),
                         "name", device->name,
                         "uid", device->uid,
                         "mgmtdev", device->mgmtdev->info.handle,
                         "mode", drift_mode_name(lifecycle_drift_mode(l, device)),
                         "expected", encode_expected(device, drift),
                         "observed", encode_observed(device, drift),
                         "repairs", drift_repairs_encode(drift->repairs));
        /* clang-format on */
}

static bool is_wanted(const DriftListing *listing, DriftKind kind, const char *mgmtdev) {
        return (listing->kinds == 0 || listing->kinds >> kind & 1) &&
               (!listing->mgmtdev[0] || strcmp(listing->mgmtdev, mgmtdev) == 0);
}

static int add_device(const DriftListing *listing, Lifecycle *l, const Device *device, json_t *items) {
        Drift drift;

        if (!device_find_drift(device, &drift) || !is_wanted(listing, drift.kind, device->mgmtdev->info.handle))
                return 0;
        return json_array_append_new(items, drift_item_encode(l, device, &drift));
}

static int add_foreign(const DriftListing *listing, const ForeignDevice *f, json_t *items) {
        return is_wanted(listing, DRIFT_FOREIGN, f->mgmtdev) ? json_array_append_new(items, foreign_encode(f)) : 0;
}

/* Adds what there is of the next name, which is written to cursor. Returns 1, 0 if there is no more, or -1. */
static int add_next(const DriftListing *listing, Lifecycle *l, char cursor[static DEVICE_NAME_MAX * 4],
                    json_t *items) {
        ForeignDevice *f = foreign_device_next(l->inventory, cursor);
        Device *device = inventory_next_device(l->inventory, cursor);
        int c = device && f ? strcmp(device->name, f->name) : device ? -1 : 1;

        if (!device && !f)
                return 0;
        (void) snprintf(cursor, DEVICE_NAME_MAX * 4, "%s", c <= 0 ? device->name : f->name);
        if (c <= 0 && add_device(listing, l, device, items) < 0)
                return -1;
        if (c >= 0 && add_foreign(listing, f, items) < 0)
                return -1;
        return 1;
}

json_t *drift_listing_page(const DriftListing *listing, Lifecycle *l) {
        char cursor[sizeof listing->after], token[TOKEN_MAX] = "";
        _cleanup_json_ json_t *items = json_array();
        size_t n_passed = 0;
        int r = 1;

        strcpy(cursor, listing->after);
        while (items && r > 0 && json_array_size(items) < (size_t) listing->limit && n_passed++ < PASSED_MAX)
                r = add_next(listing, l, cursor, items);
        if (!items || r < 0)
                return NULL;

        if (r > 0 && (foreign_device_next(l->inventory, cursor) || inventory_next_device(l->inventory, cursor)))
                format_token(cursor, token);
        return json_pack("{s:O, s:s*, s:s}", "items", items, "continue", token[0] ? token : NULL, "mode",
                         drift_mode_name(l->drift_mode));
}
