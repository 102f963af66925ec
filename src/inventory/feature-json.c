/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/feature-json.h"

#include <string.h>

#include "inventory/feature.h"
#include "util/json.h"

json_t *features_encode(unsigned class, uint64_t features) {
        _cleanup_json_ json_t *array = json_array();

        for (unsigned bit = 0; array && bit < 64; bit++) {
                char name[FEATURE_NAME_MAX];

                if (features >> bit & 1 &&
                    json_array_append_new(array, json_string(feature_format(class, bit, name))) < 0)
                        return NULL;
        }

        return TAKE_PTR(array);
}

static char *format(unsigned class, uint64_t features) {
        _cleanup_json_ json_t *array = features_encode(class, features);

        return array ? json_dumps(array, JSON_COMPACT) : NULL;
}

/* Most devices have the features of their neighbours, so the last few texts are kept and written again. */
void features_write(JsonWriter *w, const char *key, unsigned class, uint64_t features) {
        static struct {
                unsigned class;
                uint64_t features;
                char *text; /* owned; NULL: none */
        } kept[4];
        static unsigned next;
        unsigned i = 0;

        while (i < ELEMENTSOF(kept) && !(kept[i].text && kept[i].class == class && kept[i].features == features))
                i++;
        if (i == ELEMENTSOF(kept)) {
                i = next;
                next = (next + 1) % ELEMENTSOF(kept);
                free(kept[i].text);
                kept[i].class = class;
                kept[i].features = features;
                kept[i].text = format(class, features);
        }
        if (kept[i].text)
                json_write_value(w, key, kept[i].text, strlen(kept[i].text));
        else
                w->has_failed = true;
}
