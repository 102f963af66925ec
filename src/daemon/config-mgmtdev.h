/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sections [mgmtdev HANDLE]: what the administrator says of one management device each. */

#include "daemon/config-table.h"

int config_mgmtdev_find_or_add(Config *config, const char *handle, void **ret);
void *config_mgmtdev_get(const Config *config, size_t i, const char **ret_handle);
void config_mgmtdev_done(Config *config);

extern const ConfigType config_mgmtdev_cordoned;
extern const ConfigType config_mgmtdev_labels;

/* Of a BudgetSettings. */
extern const ConfigType config_mgmtdev_total;
extern const ConfigType config_mgmtdev_reserved;
extern const ConfigType config_mgmtdev_reserved_ids;
