/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/mgmtdev-json.h"

#include "inventory/budget.h"
#include "inventory/class.h"
#include "inventory/feature-json.h"
#include "util/json.h"

static json_t *encode_classes(const Mgmtdev *mgmtdev) {
        _cleanup_json_ json_t *array = json_array();

        for (unsigned c = 1; array && c <= CLASS_MAX; c++) {
                char name[16];

                if (mgmtdev_has_class(mgmtdev, c, NULL) &&
                    json_array_append_new(array, json_string(class_format(c, name))) < 0)
                        return NULL;
        }

        return TAKE_PTR(array);
}

static json_t *encode_features(const Mgmtdev *mgmtdev) {
        _cleanup_json_ json_t *object = json_object();

        for (unsigned c = 1; object && c <= CLASS_MAX; c++) {
                uint64_t features;
                char name[16];

                if (mgmtdev_has_class(mgmtdev, c, &features) &&
                    json_object_set_new(object, class_format(c, name), features_encode(c, features)) < 0)
                        return NULL;
        }

        return TAKE_PTR(object);
}

/* Where the total is not known, neither is what is free. */
static json_t *encode_budget(const Mgmtdev *m, Resource r, uint64_t now_usec) {
        Budget b = mgmtdev_budget(m, r, now_usec);
        const Capacity *c = &m->capacity[r];

        /* clang-format off */
        return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:s*, s:s, s:s}",
                         "total", b.is_known ? json_integer(b.total) : json_null(),
                         "reserved", (json_int_t) b.reserved,
                         "used", (json_int_t) b.used,
                         "foreign", (json_int_t) b.foreign,
                         "quarantined", (json_int_t) b.quarantined,
                         "free", b.is_known ? json_integer(b.free) : json_null(),
                         "reserved_ids", resource_has_ids(r) ? c->reserved_ids : NULL,
                         "source", resource_source_name(c->source),
                         "enforced_by", resource_enforcer_name(c->enforcer));
        /* clang-format on */
}

static json_t *encode_budgets(const Mgmtdev *m, uint64_t now_usec) {
        _cleanup_json_ json_t *object = json_object();

        for (Resource r = 0; object && r < _RESOURCE_MAX; r++)
                if (json_object_set_new(object, resource_name(r), encode_budget(m, r, now_usec)) < 0)
                        return NULL;

        return TAKE_PTR(object);
}

static json_t *encode_labels(const Mgmtdev *m) {
        const json_t *labels = mgmtdev_labels(m);

        return labels ? json_deep_copy(labels) : json_object();
}

/* null: it has not been found out yet. */
static json_t *encode_accepts(const MgmtdevInfo *info) {
        _cleanup_json_ json_t *array = NULL;

        if (!info->knows_accepts)
                return json_null();

        array = json_array();
        for (MgmtdevAttribute a = 0; array && a < _ATTRIBUTE_MAX; a++)
                if (info->accepts >> a & 1 &&
                    json_array_append_new(array, json_string(mgmtdev_attribute_name(a))) < 0)
                        return NULL;

        return TAKE_PTR(array);
}

/* Of a VF. */
static json_t *encode_sriov(const MgmtdevInfo *info) {
        if (!info->pci_pf[0])
                return json_null();

        return json_pack("{s:s, s:o}", "pf", info->pci_pf, "vf_index",
                         info->vf_index >= 0 ? json_integer(info->vf_index) : json_null());
}

/* Only simulated hardware says when its rules are broken. */
static json_t *encode_faults(const MgmtdevInfo *info) {
        if (!info->simulated)
                return json_null();

        return json_pack("{s:I, s:o}", "total", (json_int_t) info->counts.n_faults, "last",
                         info->counts.n_faults > 0 ? json_text(info->counts.last_fault) : json_null());
}

static json_t *encode_traffic(const MgmtdevInfo *info) {
        const MgmtdevCounts *c = &info->counts;

        if (!info->simulated)
                return json_null();

        return json_pack("{s:I, s:I, s:I, s:I}", "dma", (json_int_t) c->n_dma, "interrupts",
                         (json_int_t) c->n_interrupts, "dma_refused", (json_int_t) c->n_dma_refused,
                         "interrupts_refused", (json_int_t) c->n_interrupts_refused);
}

json_t *mgmtdev_encode(const Mgmtdev *mgmtdev, uint64_t now_usec) {
        const MgmtdevInfo *info = &mgmtdev->info;

        /* clang-format off */
        return json_pack("{s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
                         "handle", json_text(info->handle),
                         "revision", (json_int_t) mgmtdev->revision,
                         "transport", transport_name(info->transport),
                         "numa_node", info->numa_node >= 0 ? json_integer(info->numa_node) : json_null(),
                         "classes", encode_classes(mgmtdev),
                         "features", encode_features(mgmtdev),
                         "max_vqs", info->max_vqs ? json_integer(info->max_vqs) : json_null(),
                         "present", mgmtdev->present,
                         "simulated", info->simulated,
                         "cordoned", mgmtdev_is_cordoned(mgmtdev),
                         "labels", encode_labels(mgmtdev),
                         "foreign_devices", (json_int_t) mgmtdev->n_foreign,
                         "asid_kind", asid_kind_name(mgmtdev->space->kind),
                         "asid_space", mgmtdev->space->key,
                         "pci_function", info->pci_function[0] ? json_string(info->pci_function) : json_null(),
                         "sriov", encode_sriov(info),
                         "accepts", encode_accepts(info),
                         "faults", encode_faults(info),
                         "traffic", encode_traffic(info),
                         "budgets", encode_budgets(mgmtdev, now_usec));
        /* clang-format on */
}

/* Adds one budget to the sum of its kind. Returns 0, or -1 when out of memory. */
static int add_budget(json_t *sums, const char *kind, json_t *budget) {
        static const char *const members[] = { "total", "reserved", "used", "quarantined", "free" };
        json_t *sum = json_object_get(sums, kind);

        if (!sum) {
                sum = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "total", 0, "reserved", 0, "used", 0,
                                "quarantined", 0, "free", 0, "unknown", 0);
                if (json_object_set_new(sums, kind, sum) < 0)
                        return -1;
        }
        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                json_t *value = json_object_get(sum, members[i]);

                (void) json_integer_set(value, json_integer_value(value) +
                                                       json_integer_value(json_object_get(budget, members[i])));
        }
        if (!json_is_integer(json_object_get(budget, "total"))) {
                json_t *unknown = json_object_get(sum, "unknown");

                (void) json_integer_set(unknown, json_integer_value(unknown) + 1);
        }
        return 0;
}

static int add_budgets(json_t *sums, const Mgmtdev *mgmtdev, uint64_t now_usec) {
        _cleanup_json_ json_t *json = mgmtdev_encode(mgmtdev, now_usec);
        const char *kind;
        json_t *budget;

        if (!json)
                return -1;
        json_object_foreach(json_object_get(json, "budgets"), kind, budget)
                if (add_budget(sums, kind, budget) < 0)
                        return -1;
        return 0;
}

json_t *capacity_encode(Inventory *inv, uint64_t now_usec) {
        _cleanup_json_ json_t *sums = json_object();
        json_int_t n = 0;

        for (Mgmtdev *m = inventory_first_mgmtdev(inv); m && sums; m = inventory_next_mgmtdev(m)) {
                if (!m->present)
                        continue;
                n++;
                if (add_budgets(sums, m, now_usec) < 0)
                        return NULL;
        }
        return json_pack("{s:I, s:O}", "mgmtdevs", n, "budgets", sums);
}
