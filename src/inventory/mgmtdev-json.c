/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/mgmtdev-json.h"

#include "inventory/class.h"
#include "inventory/device-json.h"
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

/* How many devices it can have. Foreign ones take of the same room. Where the total is not known, neither is what
 * is free. */
static json_t *encode_devices_budget(const Mgmtdev *mgmtdev) {
        uint32_t total = mgmtdev->info.capacity[RESOURCE_DEVICES].total,
                 used = mgmtdev->n_devices + mgmtdev->n_foreign;

        /* clang-format off */
        return json_pack("{s:o, s:i, s:I, s:i, s:o, s:s, s:s}",
                         "total", total ? json_integer(total) : json_null(),
                         "reserved", 0,
                         "used", (json_int_t) used,
                         "quarantined", 0,
                         "free", total ? json_integer(total > used ? total - used : 0) : json_null(),
                         "source", mgmtdev->info.simulated ? "model" : "driver",
                         "enforced_by", mgmtdev->info.simulated ? "model" : "kernel");
        /* clang-format on */
}

json_t *mgmtdev_encode(const Mgmtdev *mgmtdev) {
        const MgmtdevInfo *info = &mgmtdev->info;

        /* clang-format off */
        return json_pack("{s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:I, s:{s:o}}",
                         "handle", json_text(info->handle),
                         "revision", (json_int_t) mgmtdev->revision,
                         "transport", transport_name(info->transport),
                         "numa_node", info->numa_node >= 0 ? json_integer(info->numa_node) : json_null(),
                         "classes", encode_classes(mgmtdev),
                         "features", encode_features(mgmtdev),
                         "max_vqs", info->max_vqs ? json_integer(info->max_vqs) : json_null(),
                         "present", mgmtdev->present,
                         "simulated", info->simulated,
                         "foreign_devices", (json_int_t) mgmtdev->n_foreign,
                         "budgets",
                         "devices", encode_devices_budget(mgmtdev));
        /* clang-format on */
}
