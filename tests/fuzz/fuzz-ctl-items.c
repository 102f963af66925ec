/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file of items for hsvdpactl. */
#include <string.h>

#include "ctl/item.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        json_t *defaults = json_pack("{s:s, s:{s:i}}", "class", "net", "net", "mtu", 1500);
        ItemList items = {};

        fuzz_write_file(fuzz_path("items"), data, size);
        if (item_list_read(&items, fuzz_path("items"), size % 2 ? defaults : NULL) == EXIT_CODE_OK)
                for (size_t i = 0; i < items.n; i++) {
                        json_t *spec = items.item[i].spec ? json_loads(items.item[i].spec, 0, NULL) : NULL;

                        fuzz_expect(!items.item[i].spec || json_is_object(spec));
                        json_decref(spec);
                }
        item_list_done(&items);
        json_decref(defaults);
        return 0;
}
