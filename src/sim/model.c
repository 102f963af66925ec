/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only the tables are in the file. What makes them quick to use (names in order, free slots, free endpoint numbers,
 * who is where) is rebuilt when it is opened, by one pass over the slots that were ever used. */
#include "sim/model.h"

#include <errno.h>
#include <string.h>

#include "sim/model-state.h"

static int node_compare(const ModelNode *a, const ModelNode *b) {
        return strcmp(a->name, b->name);
}

/* What RB_GENERATE_STATIC() stands for where __unused is known, which it is not on Linux. */
RB_GENERATE_INTERNAL(ModelNodeTree, ModelNode, by_name, node_compare, _unused_ static)

static int unit_reserve(ModelUnit *u) {
        uint32_t n = u->n_allocated > 0 ? 2 * u->n_allocated : 64;
        uint32_t *slots;

        if (u->n_devices < u->n_allocated)
                return 0;

        slots = reallocarray(u->slots, n, sizeof *slots);
        if (!slots)
                return -ENOMEM;
        u->slots = slots;
        u->n_allocated = n;
        return 0;
}

int model_link_device(Model *m, ModelDevice *d) {
        uint32_t slot = model_device_slot(m, d);
        ModelNode *node = &m->nodes[slot];
        ModelUnit *u = &m->units[d->mgmtdev];
        int r;

        r = unit_reserve(u);
        if (r < 0)
                return r;

        node->name = d->name;
        node->place = u->n_devices;
        (void) RB_INSERT(ModelNodeTree, &m->by_name, node);
        u->slots[u->n_devices++] = slot;
        u->n_vqs += d->n_vqs;
        m->n_all_devices++;
        return 0;
}

void model_unlink_device(Model *m, ModelDevice *d) {
        ModelNode *node = &m->nodes[model_device_slot(m, d)];
        ModelUnit *u = &m->units[d->mgmtdev];
        uint32_t last = u->slots[--u->n_devices];

        (void) RB_REMOVE(ModelNodeTree, &m->by_name, node);
        u->slots[node->place] = last;
        m->nodes[last].place = node->place;
        u->n_vqs -= d->n_vqs;
        m->n_all_devices--;
}

static int model_allocate(Model *m) {
        int r;

        /* As sparse as the file: memory comes with use. */
        m->nodes = calloc(MODEL_DEVICES_MAX, sizeof *m->nodes);
        if (!m->nodes)
                return -ENOMEM;

        r = idmap_new(MODEL_DEVICES_MAX, &m->slots);
        if (r < 0)
                return r;
        r = idmap_new(MODEL_BLOCKS_MAX, &m->blocks);
        if (r < 0)
                return r;
        r = idmap_new(MODEL_DEVICES_MAX, &m->numbers[BUS_DRIVER_VHOST_VDPA]);
        if (r < 0)
                return r;
        return idmap_new(MODEL_DEVICES_MAX, &m->numbers[BUS_DRIVER_VIRTIO_VDPA]);
}

int model_open(const char *directory, Model **ret, Failure *f) {
        _cleanup_(model_closep) Model *m = NULL;
        int r;

        m = calloc(1, sizeof *m);
        if (!m || model_allocate(m) < 0)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for the simulated devices");
        RB_INIT(&m->by_name);

        r = model_file_open(&m->file, directory, f);
        if (r < 0)
                return r;
        r = model_load(m, directory, f);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

Model *model_close(Model *m) {
        if (!m)
                return NULL;

        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX; i++) {
                model_table_close(&m->units[i].entries);
                model_table_close(&m->spaces[i]);
                free(m->units[i].slots);
        }
        model_file_close(&m->file);
        for (unsigned i = 0; i < ELEMENTSOF(m->numbers); i++)
                idmap_free(m->numbers[i]);
        idmap_free(m->blocks);
        idmap_free(m->slots);
        free(m->nodes);
        free(m);
        return NULL;
}

uint32_t model_count_devices(const Model *m, unsigned mgmtdev) {
        return mgmtdev < MODEL_MGMTDEVS_MAX ? m->units[mgmtdev].n_devices : 0;
}

uint32_t model_count_all_devices(const Model *m) {
        return m->n_all_devices;
}

uint32_t model_count_vqs(const Model *m, unsigned mgmtdev) {
        return m->units[mgmtdev].n_vqs;
}

ModelDevice *model_find_device(Model *m, const char *name) {
        ModelNode key = { .name = name }, *node;

        node = RB_FIND(ModelNodeTree, &m->by_name, &key);
        return node ? &m->file.layout->devices[node - m->nodes] : NULL;
}

ModelDevice *model_device_at(Model *m, unsigned mgmtdev, uint32_t place) {
        return &m->file.layout->devices[m->units[mgmtdev].slots[place]];
}

ModelDevice *model_next_device(Model *m, const ModelDevice *device) {
        uint32_t end = atomic_load_explicit(&m->file.layout->header.high_water, memory_order_acquire);

        for (uint32_t slot = device ? model_device_slot(m, device) + 1 : 0; slot < end; slot++)
                if (model_device_is_live(&m->file.layout->devices[slot]))
                        return &m->file.layout->devices[slot];
        return NULL;
}
