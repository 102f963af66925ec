/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Management devices: plugged in and pulled out while no daemon runs, which finds it when it starts. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/model-fault.h"
#include "sim/model-state.h"

static_assert(sizeof(((ModelMgmtdev *) 0)->pci_function) >= PCI_ADDRESS_MAX, "no room for an address");

static uint32_t largest_id_count(const MgmtdevInfo *info, Resource resource) {
        const Capacity *capacity = &info->capacity[resource];

        return capacity->total > 0 ? capacity->total : 1;
}

/* The function whose PASIDs these are; "" for a device MMU, which is shared with nobody. */
static const char *space_owner(const MgmtdevInfo *info) {
        return info->asid_kind == ASID_PASID ? info->pci_function : "";
}

static bool has_space_of(const ModelMgmtdev *mgmtdev, const MgmtdevInfo *info) {
        return mgmtdev->asid_kind == info->asid_kind && strcmp(mgmtdev->pci_function, space_owner(info)) == 0;
}

/* The space that it shares, or one that nobody uses: there are as many as management devices. */
static unsigned choose_space(const Model *m, const MgmtdevInfo *info) {
        bool used[MODEL_MGMTDEVS_MAX] = { false };
        unsigned space = 0;

        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX; i++) {
                const ModelMgmtdev *other = &m->file.layout->mgmtdevs[i];

                if (!model_mgmtdev_is_live(m, i))
                        continue;
                if (info->asid_kind == ASID_PASID && has_space_of(other, info))
                        return other->space;
                used[other->space] = true;
        }

        while (space < MODEL_MGMTDEVS_MAX - 1 && used[space])
                space++;
        return space;
}

int model_open_tables(Model *m, unsigned i) {
        const ModelMgmtdev *mgmtdev = &m->file.layout->mgmtdevs[i];
        int r;

        r = model_table_open(&m->spaces[mgmtdev->space], &m->file, mgmtdev->space, atomic_load(&mgmtdev->n_asids));
        if (r < 0)
                return r;
        return model_table_open(&m->units[i].entries, &m->file, MODEL_MGMTDEVS_MAX + i,
                                atomic_load(&mgmtdev->n_msis));
}

/* Fills in the entry, and makes it live when all is there. */
static int model_plug_new(Model *m, const MgmtdevInfo *info, unsigned i) {
        ModelMgmtdev *mgmtdev = &m->file.layout->mgmtdevs[i];
        int r;

        mgmtdev->asid_kind = info->asid_kind;
        mgmtdev->space = choose_space(m, info);
        atomic_store_explicit(&mgmtdev->n_asids, largest_id_count(info, RESOURCE_ASIDS), memory_order_relaxed);
        atomic_store_explicit(&mgmtdev->n_msis, largest_id_count(info, RESOURCE_MSIS), memory_order_relaxed);
        atomic_store_explicit(&mgmtdev->n_faults, 0, memory_order_relaxed);
        atomic_store_explicit(&mgmtdev->n_dma, 0, memory_order_relaxed);
        atomic_store_explicit(&mgmtdev->n_interrupts, 0, memory_order_relaxed);
        atomic_store_explicit(&mgmtdev->n_dma_refused, 0, memory_order_relaxed);
        atomic_store_explicit(&mgmtdev->n_interrupts_refused, 0, memory_order_relaxed);
        memset(mgmtdev->fault, 0, sizeof mgmtdev->fault);
        (void) snprintf(mgmtdev->handle, sizeof mgmtdev->handle, "%s", info->handle);
        (void) snprintf(mgmtdev->pci_function, sizeof mgmtdev->pci_function, "%s", space_owner(info));

        r = model_open_tables(m, i);
        if (r < 0)
                return r;
        atomic_store_explicit(&mgmtdev->state, MODEL_ENTRY_LIVE, memory_order_release);
        return 0;
}

/* The tables of one that was there already only grow: devices may hold what it would no longer give them. */
static int model_plug_again(Model *m, const MgmtdevInfo *info, unsigned i) {
        ModelMgmtdev *mgmtdev = &m->file.layout->mgmtdevs[i];

        if (largest_id_count(info, RESOURCE_ASIDS) > atomic_load(&mgmtdev->n_asids))
                atomic_store(&mgmtdev->n_asids, largest_id_count(info, RESOURCE_ASIDS));
        if (largest_id_count(info, RESOURCE_MSIS) > atomic_load(&mgmtdev->n_msis))
                atomic_store(&mgmtdev->n_msis, largest_id_count(info, RESOURCE_MSIS));
        return model_open_tables(m, i);
}

int model_plug_mgmtdev(Model *m, const MgmtdevInfo *info, unsigned *ret) {
        unsigned unused = MODEL_MGMTDEVS_MAX, there = MODEL_MGMTDEVS_MAX, i;
        int r;

        assert(handle_is_valid(info->handle));

        for (i = MODEL_MGMTDEVS_MAX; i-- > 0;) {
                const char *handle = model_mgmtdev_handle(m, i);

                if (!handle)
                        unused = i;
                else if (strcmp(handle, info->handle) == 0)
                        there = i;
        }

        if (there < MODEL_MGMTDEVS_MAX && !has_space_of(&m->file.layout->mgmtdevs[there], info)) {
                model_unplug_mgmtdev(m, there);
                unused = there;
                there = MODEL_MGMTDEVS_MAX;
        }

        i = there < MODEL_MGMTDEVS_MAX ? there : unused;
        if (i == MODEL_MGMTDEVS_MAX)
                return -ENOSPC;
        r = i == there ? model_plug_again(m, info, i) : model_plug_new(m, info, i);
        if (r < 0)
                return r;

        m->units[i].asids = info->capacity[RESOURCE_ASIDS];
        m->units[i].msis = info->capacity[RESOURCE_MSIS];
        *ret = i;
        return 0;
}

static bool space_is_used(const Model *m, unsigned space) {
        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX; i++)
                if (model_mgmtdev_is_live(m, i) && m->file.layout->mgmtdevs[i].space == space)
                        return true;
        return false;
}

void model_unplug_mgmtdev(Model *m, unsigned i) {
        ModelMgmtdev *mgmtdev = &m->file.layout->mgmtdevs[i];
        ModelUnit *u = &m->units[i];

        while (u->n_devices > 0)
                model_remove_device(m, model_device_at(m, i, u->n_devices - 1));
        atomic_store_explicit(&mgmtdev->state, MODEL_ENTRY_FREE, memory_order_release);

        model_file_drop(&m->file, &u->entries.area);
        model_table_close(&u->entries);
        if (!space_is_used(m, mgmtdev->space)) {
                model_file_drop(&m->file, &m->spaces[mgmtdev->space].area);
                model_table_close(&m->spaces[mgmtdev->space]);
        }
}

const char *model_mgmtdev_handle(const Model *m, unsigned mgmtdev) {
        return model_mgmtdev_is_live(m, mgmtdev) ? m->file.layout->mgmtdevs[mgmtdev].handle : NULL;
}
