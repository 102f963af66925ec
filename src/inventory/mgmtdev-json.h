/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "inventory/mgmtdev.h"

/* The management device as the API shows it. Returns a new reference, or NULL when out of memory. */
json_t *mgmtdev_encode(const Mgmtdev *mgmtdev);
