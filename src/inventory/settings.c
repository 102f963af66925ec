/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/settings.h"

#include <errno.h>
#include <string.h>

#include "inventory/idlist.h"
#include "util/json.h"

void mgmtdev_settings_done(MgmtdevSettings *settings) {
        json_decref(settings->labels);
        *settings = (MgmtdevSettings){};
}

int mgmtdev_settings_copy(const MgmtdevSettings *settings, MgmtdevSettings *ret) {
        json_t *labels = json_deep_copy(settings->labels);

        if (settings->labels && !labels)
                return -ENOMEM;

        *ret = *settings;
        ret->labels = labels;
        return 0;
}

bool mgmtdev_settings_are_empty(const MgmtdevSettings *settings) {
        for (Resource r = 0; r < _RESOURCE_MAX; r++)
                if (settings->budgets[r].has_total || settings->budgets[r].has_reserved)
                        return false;

        return !settings->has_cordoned && !settings->labels;
}

static json_t *encode_budget(const BudgetSettings *b, Resource resource) {
        _cleanup_json_ json_t *json = json_object();

        if (b->has_total && json_object_set_new(json, "total", json_integer(b->total)) < 0)
                return NULL;
        if (b->has_reserved && resource_has_ids(resource) &&
            json_object_set_new(json, "reserved_ids", json_string(b->reserved_ids)) < 0)
                return NULL;
        if (b->has_reserved && !resource_has_ids(resource) &&
            json_object_set_new(json, "reserved", json_integer(b->n_reserved)) < 0)
                return NULL;
        return TAKE_PTR(json);
}

json_t *budget_settings_encode(const BudgetSettings budgets[_RESOURCE_MAX]) {
        _cleanup_json_ json_t *json = json_object();

        for (Resource r = 0; r < _RESOURCE_MAX; r++)
                if ((budgets[r].has_total || budgets[r].has_reserved) &&
                    json_object_set_new(json, resource_name(r), encode_budget(&budgets[r], r)) < 0)
                        return NULL;

        return TAKE_PTR(json);
}

bool resource_has_ids(Resource resource) {
        return resource == RESOURCE_ASIDS || resource == RESOURCE_MSIS;
}

int budget_settings_reserve_ids(BudgetSettings *settings, const char *ranges) {
        int r = idlist_check(ranges);

        if (r < 0)
                return r;
        if (strlen(ranges) >= sizeof settings->reserved_ids)
                return -E2BIG;

        settings->has_reserved = true;
        strcpy(settings->reserved_ids, ranges);
        return 0;
}
