/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/command.h"
#include "ctl/item.h"

/* Makes all of the devices, or none, and says so. */
ExitCode device_create_batch(Context *context, const ItemList *items);
