/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/command.h"

ExitCode host_backup(Context *context, const Arguments *arguments);
