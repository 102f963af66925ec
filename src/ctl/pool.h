/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hsvdpactl pool that change something. */

#include "ctl/command.h"

ExitCode pool_set(Context *context, const Arguments *arguments);
ExitCode pool_delete(Context *context, const Arguments *arguments);
ExitCode pool_claim(Context *context, const Arguments *arguments);
ExitCode pool_return(Context *context, const Arguments *arguments);
