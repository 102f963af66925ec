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
static void strip_mutable(json_t *spec, const DeviceSpec *after, bool is_claim) {
        (void) json_object_del(spec, "owner");
        (void) json_object_del(spec, "labels");
        (void) json_object_del(spec, "drift");
        (void) json_object_del(spec, "lease_seconds");
        if (is_claim)
                (void) json_object_del(spec, "endpoint");
        if (after->net.has_mac)
                (void) json_object_del(json_object_get(spec, "net"), "mac");
}

static int merge_spec(JsonDecoder *d, const DeviceSpec *before, json_t *patch, bool is_claim, DeviceSpec *ret) {
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
        strip_mutable(old, ret, is_claim);
        strip_mutable(new, ret, is_claim);
        compare_members(d, old, new);
        return 0;
}

static int decode(JsonDecoder *d, const DeviceSpec *before, json_t *patch, bool is_claim, DeviceSpec *ret_after,
                  DevicePatch *ret) {
        DevicePatch p = {};
        int r;

        r = merge_spec(d, before, patch, is_claim, ret_after);
        if (r < 0)
                return r;

        p.has_mac = ret_after->net.has_mac && json_object_get(json_object_get(patch, "net"), "mac");
        memcpy(p.mac, ret_after->net.mac, sizeof p.mac);
        p.has_owner = json_object_get(patch, "owner");
        p.owner = ret_after->owner;
        p.has_endpoint = is_claim;
        p.endpoint = ret_after->endpoint;
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

int device_patch_decode(JsonDecoder *d, const DeviceSpec *before, json_t *patch, DeviceSpec *ret_after,
                        DevicePatch *ret) {
        return decode(d, before, patch, false, ret_after, ret);
}

int device_claim_decode(JsonDecoder *d, const DeviceSpec *template, json_t *patch, DeviceSpec *ret_after,
                        DevicePatch *ret) {
        return decode(d, template, patch, true, ret_after, ret);
}

/* What changes is text, as it was checked; how many there are then depends on what others have changed. */
static int merge_labels(json_t *labels, json_t *changes, json_t **ret) {
        _cleanup_json_ json_t *merged = NULL;
        int r;

        r = labels_merge(labels, changes, &merged);
        if (r < 0)
                return r;
        if (json_object_size(merged) > LABELS_MAX)
                return -E2BIG;

        *ret = json_object_size(merged) > 0 ? TAKE_PTR(merged) : NULL;
        return 0;
}

int device_patch_apply(const DeviceSpec *spec, DevicePatch *patch, DeviceSpec *ret) {
        _cleanup_(device_spec_done) DeviceSpec patched;
        json_t *labels = NULL;
        int r;

        device_spec_init(&patched);
        if (device_spec_copy(spec, &patched) < 0)
                return -ENOMEM;

        if (patch->has_mac) {
                patched.net.has_mac = true;
                memcpy(patched.net.mac, patch->mac, sizeof patch->mac);
        }
        if (patch->has_owner) {
                free(patched.owner);
                patched.owner = TAKE_PTR(patch->owner);
        }
        if (patch->has_endpoint)
                patched.endpoint = patch->endpoint;
        if (patch->has_drift)
                patched.drift = patch->drift;
        if (patch->has_lease)
                patched.lease_seconds = patch->lease_seconds;
        if (patch->has_labels) {
                r = patch->labels ? merge_labels(patched.labels, patch->labels, &labels) : 0;
                if (r < 0)
                        return r;
                json_decref(patched.labels);
                patched.labels = labels;
        }

        *ret = patched;
        device_spec_init(&patched);
        return 0;
}
