/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "inventory/mgmtdev.h"
#include "util/json.h"

/* Decodes a JSON merge patch (RFC 7396) of what the administrator says of a management device: "cordoned",
 * "labels", "budgets". null takes back what was said before. d stands at the patch; faults are added to its list.
 * Returns 0 with the settings as they would become, -EINVAL if there are faults, or -ENOMEM. */
int mgmtdev_patch_decode(JsonDecoder *d, const Mgmtdev *mgmtdev, json_t *patch, MgmtdevSettings *ret);
