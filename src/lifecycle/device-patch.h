/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "inventory/spec.h"
#include "lifecycle/lifecycle.h"
#include "util/json.h"

/* Decodes a JSON merge patch (RFC 7396) of a spec; d stands at it ("/spec"). Faults, also of what cannot change
 * while the device exists, are added to d's list. Returns 0 with the patch, which borrows from patch and from
 * *ret_after, the spec as it would become; or -EINVAL if the patched spec is none; or -ENOMEM. */
int device_patch_decode(JsonDecoder *d, const DeviceSpec *before, json_t *patch, DeviceSpec *ret_after,
                        DevicePatch *ret);

/* The same of what a claim says of a device that was made to a template: also its endpoint. */
int device_claim_decode(JsonDecoder *d, const DeviceSpec *template, json_t *patch, DeviceSpec *ret_after,
                        DevicePatch *ret);

/* The spec with the patch on it. The patch's owner goes over to it. Returns 0, -ENOMEM, or -E2BIG: too many labels.
 */
int device_patch_apply(const DeviceSpec *spec, DevicePatch *patch, DeviceSpec *ret);
