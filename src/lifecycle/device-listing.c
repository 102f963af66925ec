/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The list of devices, page by page in order of name.
 *
 * A page goes on after the last name of the one before, so a device is never listed twice. Devices that were
 * created after the first page are left out of the later ones: whether they would be seen would hang on their
 * names. A page looks at a bounded number of devices, so that a filter that matches nothing cannot hold the loop
 * up. */
#include "lifecycle/device-listing.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/device-json.h"

#define EXAMINED_MAX 10000

/* The token of the next page: the revision in hexadecimal, a dot, the name. */
static bool set_continue(DeviceListing *l, const char *token) {
        uint64_t revision = 0;
        size_t n = strspn(token, "0123456789abcdef");

        if (n == 0 || n > 16 || token[n] != '.' || !device_name_is_valid(token + n + 1))
                return false;
        for (size_t i = 0; i < n; i++)
                revision = revision << 4 | (uint64_t) (token[i] <= '9' ? token[i] - '0' : token[i] - 'a' + 10);
        if (revision > l->revision)
                return false;

        l->revision = revision;
        strcpy(l->after, token + n + 1);
        return true;
}

static bool set_class(DeviceListing *l, const char *value) {
        return class_parse(value, &l->class) == 0;
}

static bool set_state(DeviceListing *l, const char *value) {
        DeviceState state;

        if (device_state_parse(value, &state) < 0)
                return false;
        l->state = (int) state;
        return true;
}

static bool set_mgmtdev(DeviceListing *l, const char *value) {
        l->mgmtdev = value;
        return handle_is_valid(value);
}

static bool set_owner(DeviceListing *l, const char *value) {
        l->owner = value;
        return true;
}

static bool set_prefix(DeviceListing *l, const char *value) {
        l->prefix = value;
        return true;
}

static const struct {
        bool (*set)(DeviceListing *l, const char *value);
        FilterFault fault;
} filters[] = {
        { set_continue, { "bad-token", "must be what an earlier page answered" } },
        { set_class, { "unknown-class", "must be a virtio device type, by name or by number" } },
        { set_state, { "unknown-state", "must be the state of a device" } },
        { set_mgmtdev, { "bad-handle", "must be \"bus/device\" or \"device\"" } },
        { set_owner, {} },
        { set_prefix, {} },
};

const char *const device_listing_filters[] = { "continue", "class", "state", "mgmtdev", "owner", "prefix", NULL };

static_assert(ELEMENTSOF(filters) + 1 == ELEMENTSOF(device_listing_filters), "one for each");

void device_listing_init(DeviceListing *l, uint64_t now_revision) {
        *l = (DeviceListing){
                .limit = DEVICE_LISTING_DEFAULT, .revision = now_revision, .state = -1, .prefix = ""
        };
}

int device_listing_filter(DeviceListing *l, const char *name, const char *value, FilterFault *ret) {
        size_t i = 0;

        while (strcmp(device_listing_filters[i], name) != 0)
                i++;
        if (filters[i].set(l, value))
                return 0;

        *ret = filters[i].fault;
        return -EINVAL;
}

int device_listing_filter_label(DeviceListing *l, const char *key, size_t key_size, const char *value,
                                FilterFault *ret) {
        if (l->n_labels == DEVICE_LISTING_LABELS_MAX) {
                *ret = (FilterFault){ "too-many", "there are too many labels to filter by" };
                return -EINVAL;
        }

        l->label[l->n_labels++] = (LabelFilter){ key, key_size, value };
        return 0;
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

/* The device, or NULL if its name does not begin so. */
static const Device *within_prefix(const DeviceListing *l, const Device *device) {
        return device && strncmp(device->name, l->prefix, strlen(l->prefix)) == 0 ? device : NULL;
}

/* Where the page begins. Names that begin alike stand together, so no others need to be looked at. */
static const Device *find_first(const DeviceListing *l, Inventory *inventory) {
        const Device *device = NULL;

        if (strcmp(l->after, l->prefix) >= 0)
                device = inventory_next_device(inventory, l->after);
        else
                device = inventory_find_device(inventory, l->prefix) ?: inventory_next_device(inventory, l->prefix);
        return within_prefix(l, device);
}

int device_listing_page(const DeviceListing *l, Inventory *inventory,
                        int (*add)(void *userdata, const Device *device), void *userdata,
                        char ret_continue[LISTING_TOKEN_MAX]) {
        const Device *last = NULL, *device = find_first(l, inventory);
        size_t n_examined = 0;
        int64_t n = 0;
        int r = 0;

        while (device && r == 0 && n_examined < EXAMINED_MAX && n < l->limit) {
                bool is_listed = matches(l, device);

                r = is_listed ? add(userdata, device) : 0;
                if (r < 0)
                        return r;
                n += is_listed;
                last = device;
                n_examined++;
                device = within_prefix(l, inventory_device_after(device));
        }

        if (device && last)
                (void) snprintf(ret_continue, LISTING_TOKEN_MAX, "%" PRIx64 ".%s", l->revision, last->name);
        else
                ret_continue[0] = '\0';
        return 0;
}
