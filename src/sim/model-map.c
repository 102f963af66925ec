/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/model-map.h"

#include <assert.h>
#include <errno.h>

#include "sim/idmap.h"

static_assert(MODEL_MAP_MAX * MODEL_BLOCK_WORDS >= DEVICE_VQ_GROUPS_MAX + DEVICE_VQS_MAX + 1,
              "the blocks of a slot are not enough for the largest device");

unsigned model_map_size(const ModelDevice *d) {
        return d->n_vq_groups + d->n_vqs + 1u;
}

/* 0: the words are in the slot. */
static unsigned count_blocks(const ModelDevice *d) {
        unsigned n = model_map_size(d);

        return n > MODEL_MAP_MAX ? (n + MODEL_BLOCK_WORDS - 1) / MODEL_BLOCK_WORDS : 0;
}

/* An ID is stored as the number above it: 0 is none. */
static _Atomic uint32_t *word_at(const Model *m, const ModelDevice *d, unsigned i) {
        ModelDevice *slot = &m->file.layout->devices[model_device_slot(m, d)];
        uint32_t block;

        assert(i < model_map_size(d));

        if (count_blocks(d) == 0)
                return &slot->map[i];

        block = atomic_load_explicit(&slot->map[i / MODEL_BLOCK_WORDS], memory_order_relaxed);
        return &m->file.layout->blocks[block].words[i % MODEL_BLOCK_WORDS];
}

static void release_blocks(Model *m, const ModelDevice *d, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                idmap_release(m->blocks, atomic_load_explicit(&d->map[i], memory_order_relaxed));
}

static int allocate_block(Model *m, ModelDevice *d, unsigned i) {
        uint32_t block;
        int r;

        r = idmap_acquire(m->blocks, &block);
        if (r < 0)
                return r;
        r = model_file_back(&m->file, &m->file.blocks, block * sizeof(ModelBlock), sizeof(ModelBlock));
        if (r < 0) {
                idmap_release(m->blocks, block);
                return r;
        }

        for (unsigned k = 0; k < MODEL_BLOCK_WORDS; k++)
                atomic_store_explicit(&m->file.layout->blocks[block].words[k], 0, memory_order_relaxed);
        atomic_store_explicit(&d->map[i], block, memory_order_relaxed);
        return 0;
}

int model_map_allocate(Model *m, ModelDevice *d) {
        unsigned n = count_blocks(d);
        int r;

        for (unsigned i = 0; i < MODEL_MAP_MAX; i++)
                atomic_store_explicit(&d->map[i], 0, memory_order_relaxed);

        for (unsigned i = 0; i < n; i++) {
                r = allocate_block(m, d, i);
                if (r < 0) {
                        release_blocks(m, d, i);
                        return r;
                }
        }

        return 0;
}

void model_map_release(Model *m, const ModelDevice *d) {
        release_blocks(m, d, count_blocks(d));
}

int model_map_load(Model *m, const ModelDevice *d) {
        unsigned n = count_blocks(d);
        int r;

        for (unsigned i = 0; i < n; i++) {
                uint32_t block = atomic_load_explicit(&d->map[i], memory_order_relaxed);

                if (idmap_acquire_id(m->blocks, block) < 0)
                        return -EUCLEAN;
                r = model_file_back(&m->file, &m->file.blocks, block * sizeof(ModelBlock), sizeof(ModelBlock));
                if (r < 0)
                        return r;
        }

        return 0;
}

bool model_map_get(const Model *m, const ModelDevice *d, unsigned i, uint32_t *ret) {
        uint32_t word = atomic_load_explicit(word_at(m, d, i), memory_order_acquire);

        if (word == 0)
                return false;
        *ret = word - 1;
        return true;
}

void model_map_set(Model *m, ModelDevice *d, unsigned i, uint32_t id) {
        atomic_store_explicit(word_at(m, d, i), id + 1, memory_order_release);
}

void model_map_clear(Model *m, ModelDevice *d, unsigned i) {
        atomic_store_explicit(word_at(m, d, i), 0, memory_order_release);
}
