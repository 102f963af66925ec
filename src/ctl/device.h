/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hsvdpactl device. */

#include "ctl/command.h"

ExitCode device_list(Context *context, const Arguments *arguments);
ExitCode device_show(Context *context, const Arguments *arguments);
ExitCode device_stats(Context *context, const Arguments *arguments);
ExitCode device_create(Context *context, const Arguments *arguments);
ExitCode device_set(Context *context, const Arguments *arguments);
ExitCode device_delete(Context *context, const Arguments *arguments);
