/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the administrator says of a management device, in the configuration or by REST: it stands above what the
 * backend knows. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "inventory/resource.h"
#include "inventory/spec.h"

/* Of one resource; what is not set is left to whoever knows it otherwise. */
typedef struct BudgetSettings {
        bool has_total;
        bool has_reserved;
        uint32_t total;
        uint32_t n_reserved;                /* of resources without IDs */
        char reserved_ids[RANGES_TEXT_MAX]; /* of those with IDs */
} BudgetSettings;

typedef struct MgmtdevSettings {
        bool has_cordoned;
        bool cordoned;  /* new devices go elsewhere */
        json_t *labels; /* owned: an object of strings, maybe an empty one; NULL: not set */
        BudgetSettings budgets[_RESOURCE_MAX];
} MgmtdevSettings;

/* Of a section of the configuration. */
typedef struct ConfiguredMgmtdev {
        char handle[HANDLE_MAX];
        MgmtdevSettings settings;
} ConfiguredMgmtdev;

void mgmtdev_settings_done(MgmtdevSettings *settings);

/* Returns 0, or -ENOMEM. */
int mgmtdev_settings_copy(const MgmtdevSettings *settings, MgmtdevSettings *ret);

/* Nothing is set. */
bool mgmtdev_settings_are_empty(const MgmtdevSettings *settings);

/* What is set of budgets, as a PATCH has it: {"msis":{"total":64,"reserved_ids":"0-3"}}. A new reference; NULL: out
 * of memory. */
json_t *budget_settings_encode(const BudgetSettings budgets[_RESOURCE_MAX]);

/* ASIDs and MSI entries have IDs, and what is reserved of them is a list; of the others it is a number. */
bool resource_has_ids(Resource resource);

/* Sets what is reserved of a resource with IDs. Returns 0, -EINVAL or -ERANGE for what is no list of ranges of IDs,
 * or -E2BIG for too long a one. */
int budget_settings_reserve_ids(BudgetSettings *settings, const char *ranges);
