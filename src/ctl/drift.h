/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of hsvdpactl drift that have files of their own. */

#include "ctl/command.h"

ExitCode drift_repair(Context *context, const Arguments *arguments);
