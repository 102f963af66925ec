/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bodies of PATCHes of a management device, one after the other: each as it is when those before are in force.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "http/body.h"
#include "inventory/inventory.h"
#include "inventory/mgmtdev-json.h"
#include "lifecycle/mgmtdev-patch.h"

static int decode(Mgmtdev *m, json_t *patch, MgmtdevSettings *ret) {
        JsonFaults faults = {};
        JsonDecoder d;
        int r;

        json_decoder_init(&d, &faults);
        r = mgmtdev_patch_decode(&d, m, patch, ret);
        fuzz_expect(r == 0 ? faults.n == 0 : r == -EINVAL && faults.n > 0);
        return r;
}

static void apply(Inventory *inventory, json_t *patch) {
        Mgmtdev *m = inventory_first_mgmtdev(inventory);
        _cleanup_(mgmtdev_settings_done) MgmtdevSettings settings = {}, copy = {};
        _cleanup_json_ json_t *json = NULL, *budgets = NULL;

        if (decode(m, patch, &settings) < 0)
                return;
        budgets = budget_settings_encode(settings.budgets);
        fuzz_expect(budgets && mgmtdev_settings_copy(&settings, &copy) == 0);
        fuzz_expect(mgmtdev_settings_are_empty(&settings) == mgmtdev_settings_are_empty(&copy));
        fuzz_expect(inventory_set_mgmtdev(inventory, m, &settings, 1) == 0);
        json = mgmtdev_encode(m, 1);
        fuzz_expect(json);
}

/* The patches stand one in a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        MgmtdevInfo info = { .handle = "pci/0000:01:00.0", .numa_node = -1, .vf_index = -1, .max_vqs = 9 };
        const char *text = (const char *) data;
        Inventory inventory;

        info.capacity[RESOURCE_DEVICES] = (Capacity){ .is_known = true, .total = 1000 };
        info.capacity[RESOURCE_MSIS] = (Capacity){ .is_known = true, .total = 100 };
        info.capacity[RESOURCE_ASIDS] = (Capacity){ .is_known = true, .total = 5000 };
        inventory_init(&inventory, 10);
        fuzz_expect(inventory_update_mgmtdevs(&inventory, &info, 1, 1) == 0);

        for (unsigned i = 0; i < 8 && size > 0; i++) {
                const char *end = memchr(text, '\n', size);
                size_t n = end ? (size_t) (end - text) : size;
                _cleanup_json_ json_t *body = NULL;
                JsonFaults faults = {};
                Failure f = FAILURE_INIT;

                if (http_body_parse(text, n, &faults, &f, &body) == 0)
                        apply(&inventory, body);
                text += n + (end != NULL);
                size -= n + (end != NULL);
        }
        inventory_done(&inventory);
        return 0;
}
