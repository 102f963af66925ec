/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The patch is merged into the JSON form of the spec, and the result is decoded as a whole, so that what may stand
 * in a spec is said in one place only. Then nothing may have changed but what can change while a device lives. */
#include "lifecycle/device-patch.h"

#include <errno.h>
#include <string.h>

#include "inventory/spec-json.h"

/* Returns 0, or -ENOMEM with target half done. */
static int merge_patch(json_t *target, json_t *patch) {
        const char *key;
        json_t *value;

        json_object_foreach(patch, key, value) {
                if (json_is_null(value)) {
                        (void) json_object_del(target, key);
                        continue;
                }
                if (!json_is_object(value)) {
                        if (json_object_set(target, key, value) < 0)
                                return -ENOMEM;
                        continue;
                }
                if (!json_is_object(json_object_get(target, key)) &&
                    json_object_set_new(target, key, json_object()) < 0)
                        return -ENOMEM;
                if (merge_patch(json_object_get(target, key), value) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* Adds a fault for each member that is not the same in both. */
static void compare_members(JsonDecoder *d, json_t *before, json_t *after) {
        const char *key;
        json_t *value, *other;

        json_object_foreach(before, key, value) {
                other = json_object_get(after, key);
                if (json_is_object(value) && json_is_object(other)) {
                        JsonDecoder member;

                        json_decoder_enter(&member, d, key);
                        compare_members(&member, value, other);
                } else if (!json_equal(value, other))
                        json_fault(d, key, "immutable", "cannot be changed while the device exists");
        }
        json_object_foreach(after, key, value)
                if (!json_object_get(before, key))
                        json_fault(d, key, "immutable", "cannot be changed while the device exists");
}

/* Leaves what cannot change. A MAC address can become another one, but not none. */
static void strip_mutable(json_t *spec, const DeviceSpec *after) {
        (void) json_object_del(spec, "owner");
        (void) json_object_del(spec, "labels");
        (void) json_object_del(spec, "drift");
        (void) json_object_del(spec, "lease_seconds");
        if (after->net.has_mac)
                (void) json_object_del(json_object_get(spec, "net"), "mac");
}

static int merge_spec(JsonDecoder *d, const DeviceSpec *before, json_t *patch, DeviceSpec *ret) {
        _cleanup_json_ json_t *old = device_spec_encode(before), *merged = NULL, *new = NULL;
        int k;

        /* What is encoded shares the labels with the spec. */
        merged = json_deep_copy(old);
        if (!merged || merge_patch(merged, patch) < 0)
                return -ENOMEM;
        k = device_spec_decode(d, merged, ret);
        if (k < 0)
                return k;

        new = device_spec_encode(ret);
        if (!new)
                return -ENOMEM;
        strip_mutable(old, ret);
        strip_mutable(new, ret);
        compare_members(d, old, new);
        return 0;
}

int device_patch_decode(JsonDecoder *d, const DeviceSpec *before, json_t *patch, DeviceSpec *ret_after,
                        DevicePatch *ret) {
        DevicePatch p = {};
        int r;

        r = merge_spec(d, before, patch, ret_after);
        if (r < 0)
                return r;

        p.has_mac = ret_after->net.has_mac && json_object_get(json_object_get(patch, "net"), "mac");
        memcpy(p.mac, ret_after->net.mac, sizeof p.mac);
        p.has_owner = json_object_get(patch, "owner");
        p.owner = ret_after->owner;
        p.has_drift = json_object_get(patch, "drift");
        p.drift = ret_after->drift;
        p.has_lease = json_object_get(patch, "lease_seconds");
        p.lease_seconds = ret_after->lease_seconds;
        p.has_labels = json_object_get(patch, "labels");
        /* Not as merged above: others may change the labels before the verb runs. */
        if (json_is_object(json_object_get(patch, "labels")))
                p.labels = json_object_get(patch, "labels");

        *ret = p;
        return 0;
}
