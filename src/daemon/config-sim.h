/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sections [sim HANDLE]: one simulated management device each. */

#include "daemon/config.h"

bool config_sim_is_section(const char *section);

/* As config_set() does. */
int config_sim_set(Config *config, const char *section, const char *name, const char *value, const char *origin);

void config_sim_print(const Config *config, FILE *out);

/* A decimal number. Returns 0, -EINVAL if it is none, or -ERANGE. */
int config_parse_uint(const char *value, uint32_t min, uint32_t max, uint32_t *ret);
