/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/mgmtdev-patch.h"

#include <errno.h>
#include <string.h>

#include "inventory/spec-json.h"

/* null, which the functions that take a member count as absent. */
static bool is_taken_back(json_t *object, const char *member) {
        return json_is_null(json_object_get(object, member));
}

static int decode_labels(JsonDecoder *d, const Mgmtdev *m, json_t *patch, MgmtdevSettings *settings) {
        _cleanup_json_ json_t *merged = NULL;
        JsonDecoder in_labels;
        json_t *changes, *labels;
        int r;

        if (!json_take_object(d, patch, "labels", &changes)) {
                if (is_taken_back(patch, "labels"))
                        json_decref(TAKE_PTR(settings->labels));
                return 0;
        }

        r = labels_merge(mgmtdev_labels(m), changes, &merged);
        if (r < 0)
                return r;
        json_decoder_enter(&in_labels, d, "labels");
        r = labels_decode(&in_labels, merged, &labels);
        if (r < 0)
                return r;

        json_decref(settings->labels);
        /* None at all is something to say, too, where the configuration has some. */
        settings->labels = labels ?: json_object();
        return settings->labels ? 0 : -ENOMEM;
}

static void decode_total(JsonDecoder *d, const Mgmtdev *m, Resource r, json_t *budget, BudgetSettings *settings) {
        const Capacity *c = &m->info.capacity[r];
        int64_t n;

        if (is_taken_back(budget, "total"))
                settings->has_total = false;
        if (!json_take_integer(d, budget, "total", 0, resource_has_ids(r) ? IDS_MAX : UINT32_MAX - 1, &n))
                return;
        if (c->is_known && n > c->total)
                json_fault(d, "total", "out-of-range", "must be %u at the most, which is what there is", c->total);
        settings->has_total = true;
        settings->total = (uint32_t) n;
}

static void decode_reserved(JsonDecoder *d, Resource r, json_t *budget, BudgetSettings *settings) {
        const char *member = resource_has_ids(r) ? "reserved_ids" : "reserved", *ranges;
        int64_t n;

        if (is_taken_back(budget, member))
                settings->has_reserved = false;
        if (!resource_has_ids(r)) {
                if (json_take_integer(d, budget, "reserved", 0, UINT32_MAX - 1, &n)) {
                        settings->has_reserved = true;
                        settings->n_reserved = (uint32_t) n;
                }
                return;
        }
        if (json_take_string(d, budget, "reserved_ids", RANGES_TEXT_MAX - 1, &ranges) &&
            budget_settings_reserve_ids(settings, ranges) < 0)
                json_fault(d, "reserved_ids", "bad-ranges",
                           "must be IDs below %u and ranges of them, as in \"0-15,100\"", IDS_MAX);
}

static void decode_budget(JsonDecoder *d, const Mgmtdev *m, Resource r, json_t *budgets, BudgetSettings *settings) {
        JsonDecoder in_budget;
        json_t *budget;

        if (is_taken_back(budgets, resource_name(r)))
                *settings = (BudgetSettings){};
        if (!json_take_object(d, budgets, resource_name(r), &budget))
                return;

        json_decoder_enter(&in_budget, d, resource_name(r));
        decode_total(&in_budget, m, r, budget, settings);
        decode_reserved(&in_budget, r, budget, settings);
        json_end(&in_budget, budget);
}

static void decode_budgets(JsonDecoder *d, const Mgmtdev *m, json_t *patch, MgmtdevSettings *settings) {
        JsonDecoder in_budgets;
        json_t *budgets;

        if (is_taken_back(patch, "budgets"))
                memset(settings->budgets, 0, sizeof settings->budgets);
        if (!json_take_object(d, patch, "budgets", &budgets))
                return;

        json_decoder_enter(&in_budgets, d, "budgets");
        for (Resource r = 0; r < _RESOURCE_MAX; r++)
                decode_budget(&in_budgets, m, r, budgets, &settings->budgets[r]);
        json_end(&in_budgets, budgets);
}

int mgmtdev_patch_decode(JsonDecoder *d, const Mgmtdev *mgmtdev, json_t *patch, MgmtdevSettings *ret) {
        size_t n_faults = d->faults->n + d->faults->n_omitted;
        _cleanup_(mgmtdev_settings_done) MgmtdevSettings settings = {};
        int r;

        r = mgmtdev_settings_copy(&mgmtdev->settings, &settings);
        if (r < 0)
                return r;

        if (is_taken_back(patch, "cordoned"))
                settings.has_cordoned = false;
        if (json_take_bool(d, patch, "cordoned", &settings.cordoned))
                settings.has_cordoned = true;
        r = decode_labels(d, mgmtdev, patch, &settings);
        if (r < 0)
                return r;
        decode_budgets(d, mgmtdev, patch, &settings);
        json_end(d, patch);
        if (d->faults->n + d->faults->n_omitted > n_faults)
                return -EINVAL;

        *ret = settings;
        settings = (MgmtdevSettings){};
        return 0;
}
