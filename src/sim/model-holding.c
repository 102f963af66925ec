/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/model-holding.h"

#include <assert.h>

#include "sim/model-map.h"

/* Where the kind begins in the device's list. */
static unsigned first_word(const ModelDevice *d, ModelIdKind kind) {
        return kind == MODEL_ASID ? 0 : d->n_vq_groups;
}

unsigned model_holding_places(const ModelDevice *d, ModelIdKind kind) {
        return kind == MODEL_ASID ? d->n_vq_groups : d->n_vqs + 1u;
}

bool model_holding_get(const Model *m, const ModelDevice *d, ModelIdKind kind, unsigned place, uint32_t *ret) {
        return model_map_get(m, d, first_word(d, kind) + place, ret);
}

ModelTable *model_holding_table(Model *m, unsigned mgmtdev, ModelIdKind kind) {
        if (kind == MODEL_MSI)
                return &m->units[mgmtdev].entries;
        return &m->spaces[m->file.layout->mgmtdevs[mgmtdev].space];
}

bool model_holding_is(const Model *m, const ModelTable *table, const ModelDevice *d, ModelIdKind kind, uint32_t id,
                      unsigned *ret_place) {
        ModelHolder holder;
        uint32_t held;

        if (!model_table_get(table, id, &holder) || holder.slot != model_device_slot(m, d) ||
            holder.generation != d->generation || holder.place >= model_holding_places(d, kind) ||
            !model_holding_get(m, d, kind, holder.place, &held) || held != id)
                return false;

        *ret_place = holder.place;
        return true;
}

ModelDevice *model_holding_find(Model *m, const ModelTable *table, ModelIdKind kind, uint32_t id,
                                unsigned *ret_place) {
        ModelHolder holder;
        ModelDevice *d;

        if (!model_table_get(table, id, &holder) ||
            holder.slot >= atomic_load_explicit(&m->file.layout->header.high_water, memory_order_acquire))
                return NULL;

        d = &m->file.layout->devices[holder.slot];
        if (!model_device_is_live(d) || model_holding_table(m, d->mgmtdev, kind) != table ||
            !model_holding_is(m, table, d, kind, id, ret_place))
                return NULL;
        return d;
}

void model_holding_give(Model *m, ModelDevice *d, ModelIdKind kind, unsigned place, uint32_t id) {
        ModelTable *table = model_holding_table(m, d->mgmtdev, kind);
        ModelHolder holder = { model_device_slot(m, d), d->generation, place };
        unsigned first;

        if (!model_holding_find(m, table, kind, id, &first)) {
                model_table_set(table, id, &holder);
                model_map_set(m, d, first_word(d, kind) + place, id);
                return;
        }

        /* Virtqueues share it. The table has the first of them, which is the last that it is taken from. */
        model_map_set(m, d, first_word(d, kind) + place, id);
        if (place < first)
                model_table_set(table, id, &holder);
}

void model_holding_take_all(Model *m, ModelDevice *d, ModelIdKind kind) {
        ModelTable *table = model_holding_table(m, d->mgmtdev, kind);

        for (unsigned place = model_holding_places(d, kind); place-- > 0;) {
                ModelHolder holder;
                uint32_t id;

                if (!model_holding_get(m, d, kind, place, &id))
                        continue;
                model_map_clear(m, d, first_word(d, kind) + place);
                if (model_table_get(table, id, &holder) && holder.place == place)
                        model_table_clear(table, id);
        }
}
