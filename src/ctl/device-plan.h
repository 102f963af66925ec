/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* device create --dry-run */

#include "ctl/command.h"
#include "ctl/item.h"

/* Shows where the daemon would make it. */
ExitCode device_plan(Context *context, const Item *item);
