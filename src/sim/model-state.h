/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The model from within: what makes its tables quick to use, shared by the files model-*.c. All of it is rebuilt
 * when the file is opened. */

#include <bsd/sys/tree.h>

#include "sim/idmap.h"
#include "sim/model-file.h"
#include "sim/model-table.h"
#include "sim/model.h"

/* What is known of the device in the slot of the same number. */
typedef struct ModelNode {
        RB_ENTRY(ModelNode) by_name;
        const char *name; /* in the file */
        uint32_t place;   /* in the list of its management device */
} ModelNode;

RB_HEAD(ModelNodeTree, ModelNode);

/* One management device, of the same index as in the file. */
typedef struct ModelUnit {
        Capacity asids; /* as configured; until it was plugged in by this process, there are none */
        Capacity msis;
        ModelTable entries; /* its message store */
        uint32_t *slots;    /* of its devices, in no order */
        uint32_t n_devices;
        uint32_t n_allocated;
        uint32_t n_vqs; /* of all of them */
} ModelUnit;

struct Model {
        ModelFile file;
        struct ModelNodeTree by_name;
        ModelNode *nodes;
        Idmap *slots;
        Idmap *blocks;
        Idmap *numbers[_BUS_DRIVER_MAX]; /* of endpoints; NULL for what is no driver */
        ModelUnit units[MODEL_MGMTDEVS_MAX];
        ModelTable spaces[MODEL_MGMTDEVS_MAX];
        uint32_t n_all_devices;
};

static inline uint32_t model_device_slot(const Model *model, const ModelDevice *device) {
        return (uint32_t) (device - model->file.layout->devices);
}

static inline bool model_device_is_live(const ModelDevice *device) {
        return atomic_load_explicit(&device->state, memory_order_acquire) == MODEL_ENTRY_LIVE;
}

static inline bool model_mgmtdev_is_live(const Model *model, unsigned mgmtdev) {
        return mgmtdev < MODEL_MGMTDEVS_MAX && atomic_load_explicit(&model->file.layout->mgmtdevs[mgmtdev].state,
                                                                    memory_order_acquire) == MODEL_ENTRY_LIVE;
}

/* Enters a device into the lists. Returns 0, or -ENOMEM. */
int model_link_device(Model *model, ModelDevice *device);
void model_unlink_device(Model *model, ModelDevice *device);

/* Opens the tables of a live management device, as large as the file says. Returns 0, or a negative errno. */
int model_open_tables(Model *model, unsigned mgmtdev);

/* Checks everything in the file, and enters it into the lists. Returns as model_open(). */
int model_load(Model *model, const char *directory, Failure *f);

/* Binds the device to the driver, away from another one, with an endpoint of root's with mode 0600. Nothing changes
 * if it is bound to this driver already. */
void model_bind_device(Model *model, ModelDevice *device, BusDriver driver);
void model_unbind_device(Model *model, ModelDevice *device);

/* The device, and all that it holds, is gone at once. */
void model_remove_device(Model *model, ModelDevice *device);
