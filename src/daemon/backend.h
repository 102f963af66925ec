/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The backend that the configuration names. */

#include "backend/backend.h"
#include "daemon/config.h"

/* config is borrowed. What goes wrong is logged. Returns 0, or a negative errno. */
int backend_open(const Config *config, Backend **ret);
