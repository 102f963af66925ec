/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hsvdpactl mgmtdev that change something. */

#include "ctl/command.h"

ExitCode mgmtdev_cordon(Context *context, const Arguments *arguments);
ExitCode mgmtdev_uncordon(Context *context, const Arguments *arguments);
ExitCode mgmtdev_set(Context *context, const Arguments *arguments);

extern const Option mgmtdev_set_options[];
