/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much there is of each resource in the end: the backend's word, under the configuration's, under what was set
 * by REST. But nobody can promise more than the backend knows there is, and what it reserves stays reserved. */

#include "inventory/inventory.h"

/* To be called when what the backend or the administrator says of the management device has changed. Returns 0, or
 * -ENOMEM with part of it done; it can be called again. */
int capacity_refresh(Inventory *inv, Mgmtdev *mgmtdev, uint64_t now);

/* At load: the ASIDs of its devices are of the space with this key, as far as is recorded. Where devices of it hold
 * some already, they are in one space with them. Returns 0, -EINVAL for what is no key, or -ENOMEM. */
int mgmtdev_set_space(Inventory *inv, Mgmtdev *mgmtdev, const char *key);

/* What capacity_refresh() leaves to do for the spaces of ASIDs, when all management devices are refreshed. */
int capacity_refresh_spaces(Inventory *inv, uint64_t now);

/* What the administrator should know: that more is held than there is, that more was promised than there is, or
 * that ASIDs cannot go to the space where they belong. Writes it to buffer; false: all is well. */
bool mgmtdev_describe_conflict(const Mgmtdev *mgmtdev, char *buffer, size_t size);
