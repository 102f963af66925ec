/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sections [sim HANDLE]: one simulated management device each. */

#include "daemon/config-table.h"

int config_sim_find_or_add(Config *config, const char *handle, void **ret);
void *config_sim_get(const Config *config, size_t i, const char **ret_handle);

extern const ConfigType config_sim_classes;
extern const ConfigType config_sim_features;

/* An int that is not set: -1. */
extern const ConfigType config_sim_number;
/* A char[PCI_ADDRESS_MAX]. */
extern const ConfigType config_sim_pci_address;
/* A char[RANGES_TEXT_MAX]. */
extern const ConfigType config_sim_ranges;

const char *config_sim_transport_name(unsigned transport);
const char *config_sim_asid_kind_name(unsigned kind);
