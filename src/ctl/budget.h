/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The budgets of a management device, a line each. */

#include <hsvdpa/client.h>

#include "ctl/screen.h"

/* mgmtdev: the whole object. On a terminal with bars. Returns 0 or -ENOMEM. */
int budgets_print(const Screen *screen, const HsvValue *mgmtdev);
