/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/model-command.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "inventory/idlist.h"
#include "sim/model-fault.h"
#include "sim/model-holding.h"

/* How the hardware calls the IDs, and where they go. */
static const struct {
        const char *name;
        const char *place_name;
} kinds[_MODEL_ID_KIND_MAX] = {
        [MODEL_ASID] = { "ASID", "group" },
        [MODEL_MSI] = { "MSI entry", "virtqueue" },
};

ModelRef model_device_ref(const Model *m, const ModelDevice *d) {
        return (ModelRef){ d->mgmtdev, model_device_slot(m, d), d->generation };
}

/* The device that a command is for, or NULL after a fault. */
static ModelDevice *model_reach(Model *m, ModelRef ref, const char *command, Failure *f) {
        ModelDevice *d = &m->file.layout->devices[ref.slot];

        assert(model_mgmtdev_is_live(m, ref.mgmtdev) && ref.slot < MODEL_DEVICES_MAX);

        if (ref.slot < atomic_load(&m->file.layout->header.high_water) && model_device_is_live(d) &&
            d->generation == ref.generation && d->mgmtdev == ref.mgmtdev)
                return d;

        (void) model_raise_fault(m, ref.mgmtdev, f, "%s: there is no device %u.%u", command, ref.slot,
                                 ref.generation);
        return NULL;
}

static bool is_reserved(const Capacity *capacity, uint32_t id) {
        const char *text = capacity->reserved_ids;
        IdRange range;

        while (idlist_next(&text, &range) > 0)
                if (id >= range.first && id <= range.last)
                        return true;
        return false;
}

/* Whether the hardware has such an ID to give away. */
static int model_check_id(Model *m, unsigned mgmtdev, ModelIdKind kind, uint32_t id, Failure *f) {
        const ModelUnit *u = &m->units[mgmtdev];
        const Capacity *capacity = kind == MODEL_ASID ? &u->asids : &u->msis;

        if (id >= capacity->total)
                return model_raise_fault(m, mgmtdev, f, "%s %u is out of range: there are %u", kinds[kind].name, id,
                                         capacity->total);
        if (is_reserved(capacity, id))
                return model_raise_fault(m, mgmtdev, f, "%s %u is reserved (%s)", kinds[kind].name, id,
                                         capacity->reserved_ids);
        return 0;
}

/* Whether the device can have it there. */
static int model_check_holder(Model *m, const ModelDevice *d, ModelIdKind kind, unsigned place, uint32_t id,
                              Failure *f) {
        unsigned first;
        const ModelDevice *holder = model_holding_find(m, model_holding_table(m, d->mgmtdev, kind), kind, id,
                                                       &first);

        if (holder && holder != d)
                return model_raise_fault(m, d->mgmtdev, f, "%s %u for %s %u of %s is held by %s", kinds[kind].name,
                                         id, kinds[kind].place_name, place, d->name, holder->name);
        if (holder && kind == MODEL_ASID)
                return model_raise_fault(m, d->mgmtdev, f, "%s %u for %s %u of %s is that of group %u",
                                         kinds[kind].name, id, kinds[kind].place_name, place, d->name, first);
        return 0;
}

static int model_give(Model *m, ModelRef ref, ModelIdKind kind, unsigned place, uint32_t id, Failure *f) {
        ModelDevice *d = model_reach(m, ref, kind == MODEL_ASID ? "set address space" : "store MSI entry", f);
        uint32_t held;
        int r;

        if (!d)
                return -EIO;
        if (place >= model_holding_places(d, kind))
                return model_raise_fault(m, ref.mgmtdev, f, "%s %u is out of range: %s has %u",
                                         kinds[kind].place_name, place, d->name, model_holding_places(d, kind));
        r = model_check_id(m, ref.mgmtdev, kind, id, f);
        if (r < 0)
                return r;

        if (model_holding_get(m, d, kind, place, &held)) {
                if (held == id)
                        return 0;
                return model_raise_fault(m, ref.mgmtdev, f, "%s %u for %s %u of %s, which has %u", kinds[kind].name,
                                         id, kinds[kind].place_name, place, d->name, held);
        }
        if (model_device_driver(d) != BUS_DRIVER_NONE)
                return model_raise_fault(m, ref.mgmtdev, f, "%s %u for %s %u of %s, which is enabled",
                                         kinds[kind].name, id, kinds[kind].place_name, place, d->name);

        r = model_table_back(model_holding_table(m, ref.mgmtdev, kind), &m->file, id);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_FAILED, r,
                                   "The runtime directory has no room for the tables of %s: %s",
                                   model_mgmtdev_handle(m, ref.mgmtdev), strerror(-r));
        r = model_check_holder(m, d, kind, place, id, f);
        if (r < 0)
                return r;

        model_holding_give(m, d, kind, place, id);
        return 0;
}

static int model_take(Model *m, ModelRef ref, ModelIdKind kind, Failure *f) {
        ModelDevice *d = model_reach(m, ref, kind == MODEL_ASID ? "clear address spaces" : "clear MSI entries", f);

        if (!d)
                return -EIO;
        if (model_device_driver(d) != BUS_DRIVER_NONE)
                return model_raise_fault(m, ref.mgmtdev, f, "clearing each %s of %s, which is enabled",
                                         kinds[kind].name, d->name);

        model_holding_take_all(m, d, kind);
        return 0;
}

int model_set_address_space(Model *m, ModelRef ref, unsigned group, uint32_t asid, Failure *f) {
        return model_give(m, ref, MODEL_ASID, group, asid, f);
}

int model_clear_address_spaces(Model *m, ModelRef ref, Failure *f) {
        return model_take(m, ref, MODEL_ASID, f);
}

int model_store_msi(Model *m, ModelRef ref, unsigned vq, uint32_t entry, Failure *f) {
        return model_give(m, ref, MODEL_MSI, vq, entry, f);
}

int model_clear_msis(Model *m, ModelRef ref, Failure *f) {
        return model_take(m, ref, MODEL_MSI, f);
}

/* Looks for a place of the device that has an ID (or, with full, for one that has none). */
static bool find_place(const Model *m, const ModelDevice *d, bool full, ModelIdKind *ret_kind, unsigned *ret) {
        uint32_t id;

        for (ModelIdKind kind = 0; kind < _MODEL_ID_KIND_MAX; kind++)
                for (unsigned place = 0; place < model_holding_places(d, kind); place++)
                        if (model_holding_get(m, d, kind, place, &id) != full) {
                                *ret_kind = kind;
                                *ret = place;
                                return true;
                        }

        return false;
}

int model_enable_device(Model *m, ModelRef ref, BusDriver driver, Failure *f) {
        ModelDevice *d = model_reach(m, ref, "enable", f);
        ModelIdKind kind;
        unsigned place;

        if (!d)
                return -EIO;
        if (find_place(m, d, true, &kind, &place))
                return model_raise_fault(m, ref.mgmtdev, f, "enabling %s, whose %s %u has no %s", d->name,
                                         kinds[kind].place_name, place, kinds[kind].name);

        model_bind_device(m, d, driver);
        return 0;
}

int model_disable_device(Model *m, ModelRef ref, Failure *f) {
        ModelDevice *d = model_reach(m, ref, "disable", f);

        if (!d)
                return -EIO;
        model_unbind_device(m, d);
        return 0;
}

int model_destroy_device(Model *m, ModelRef ref, Failure *f) {
        ModelDevice *d = model_reach(m, ref, "destroy", f);
        ModelIdKind kind;
        unsigned place;

        if (!d)
                return -EIO;
        if (model_device_driver(d) != BUS_DRIVER_NONE)
                return model_raise_fault(m, ref.mgmtdev, f, "destroying %s, which is enabled", d->name);
        if (find_place(m, d, false, &kind, &place))
                return model_raise_fault(m, ref.mgmtdev, f, "destroying %s, whose %s %u has an %s", d->name,
                                         kinds[kind].place_name, place, kinds[kind].name);

        model_remove_device(m, d);
        return 0;
}

/* Whether what an enabled device does goes through an ID of its own. */
static int model_check_use(Model *m, ModelRef ref, ModelIdKind kind, uint32_t id, Failure *f) {
        ModelDevice *d = model_reach(m, ref, kind == MODEL_ASID ? "DMA" : "interrupt", f);
        const ModelDevice *holder = NULL;
        const ModelTable *table;
        unsigned first;

        if (!d)
                return -EIO;
        if (model_device_driver(d) == BUS_DRIVER_NONE)
                return model_raise_fault(m, ref.mgmtdev, f, "%s %u is used by %s, which is not enabled",
                                         kinds[kind].name, id, d->name);

        table = model_holding_table(m, ref.mgmtdev, kind);
        if (id < table->n_ids && model_table_back(model_holding_table(m, ref.mgmtdev, kind), &m->file, id) == 0)
                holder = model_holding_find(m, table, kind, id, &first);
        if (holder != d)
                return model_raise_fault(m, ref.mgmtdev, f, "%s %u is used by %s, and is held by %s",
                                         kinds[kind].name, id, d->name, holder ? holder->name : "nobody");
        return 0;
}

int model_send_dma(Model *m, ModelRef ref, uint32_t asid, Failure *f) {
        ModelMgmtdev *unit = &m->file.layout->mgmtdevs[ref.mgmtdev];
        int r = model_check_use(m, ref, MODEL_ASID, asid, f);

        if (r == 0)
                atomic_fetch_add_explicit(&unit->n_dma, 1, memory_order_relaxed);
        else
                atomic_fetch_add_explicit(&unit->n_dma_refused, 1, memory_order_relaxed);
        return r;
}

int model_raise_interrupt(Model *m, ModelRef ref, uint32_t entry, Failure *f) {
        ModelMgmtdev *unit = &m->file.layout->mgmtdevs[ref.mgmtdev];
        int r = model_check_use(m, ref, MODEL_MSI, entry, f);

        if (r == 0)
                atomic_fetch_add_explicit(&unit->n_interrupts, 1, memory_order_relaxed);
        else
                atomic_fetch_add_explicit(&unit->n_interrupts_refused, 1, memory_order_relaxed);
        return r;
}
