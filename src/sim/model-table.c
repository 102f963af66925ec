/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/model-table.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

/* An entry is one word, written at once: whether it is taken, the place, the slot, the generation. */
#define ENTRY_TAKEN       (UINT64_C(1) << 63)
#define ENTRY_PLACE_SHIFT 52
#define ENTRY_PLACE_MASK  UINT64_C(0x7ff)
#define ENTRY_SLOT_SHIFT  32
#define ENTRY_SLOT_MASK   UINT64_C(0xfffff)

static_assert(MODEL_DEVICES_MAX == ENTRY_SLOT_MASK + 1, "a slot has no room in an entry");
static_assert(DEVICE_VQS_MAX <= ENTRY_PLACE_MASK, "a virtqueue has no room in an entry");

int model_table_open(ModelTable *table, ModelFile *file, unsigned number, uint32_t n_ids) {
        uint64_t offset = sizeof(ModelLayout) + number * (uint64_t) MODEL_TABLE_SIZE;
        void *entries;

        assert(number < MODEL_TABLES_MAX && n_ids > 0 && n_ids <= IDS_MAX);

        if (n_ids <= table->n_ids)
                return 0;

        entries = mmap(NULL, n_ids * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file->fd,
                       (off_t) offset);
        if (entries == MAP_FAILED)
                return -errno;

        model_table_close(table);
        *table = (ModelTable){
                .area = { .offset = offset, .size = MODEL_TABLE_SIZE },
                .entries = entries,
                .n_ids = n_ids,
        };
        return 0;
}

void model_table_close(ModelTable *table) {
        if (table->entries)
                (void) munmap((void *) table->entries, table->n_ids * sizeof(uint64_t));
        *table = (ModelTable){};
}

int model_table_back(ModelTable *table, ModelFile *file, uint32_t id) {
        assert(id < table->n_ids);
        return model_file_back(file, &table->area, id * sizeof(uint64_t), sizeof(uint64_t));
}

bool model_table_get(const ModelTable *table, uint32_t id, ModelHolder *ret) {
        uint64_t entry = atomic_load_explicit(&table->entries[id], memory_order_acquire);

        if (!(entry & ENTRY_TAKEN))
                return false;

        *ret = (ModelHolder){
                .slot = entry >> ENTRY_SLOT_SHIFT & ENTRY_SLOT_MASK,
                .generation = (uint32_t) entry,
                .place = entry >> ENTRY_PLACE_SHIFT & ENTRY_PLACE_MASK,
        };
        return true;
}

void model_table_set(ModelTable *table, uint32_t id, const ModelHolder *holder) {
        uint64_t entry = ENTRY_TAKEN | (uint64_t) holder->place << ENTRY_PLACE_SHIFT |
                         (uint64_t) holder->slot << ENTRY_SLOT_SHIFT | holder->generation;

        atomic_store_explicit(&table->entries[id], entry, memory_order_release);
}

void model_table_clear(ModelTable *table, uint32_t id) {
        atomic_store_explicit(&table->entries[id], 0, memory_order_release);
}
