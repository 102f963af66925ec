/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is in the file was written by a program that may have been killed at any point, and maybe by others. */
#include <errno.h>
#include <string.h>

#include "inventory/class.h"
#include "sim/model-fault.h"
#include "sim/model-holding.h"
#include "sim/model-map.h"
#include "sim/model-state.h"

static const char *const kind_names[_MODEL_ID_KIND_MAX] = {
        [MODEL_ASID] = "ASID",
        [MODEL_MSI] = "MSI entry",
};

/* What is wrong with a live entry by itself; NULL: nothing. */
static const char *device_fault(const Model *m, const ModelDevice *d) {
        ModelBinding binding = atomic_load(&d->binding);
        ModelMac mac = atomic_load(&d->mac);

        if (!memchr(d->name, 0, sizeof d->name) || !device_name_is_valid(d->name))
                return "an impossible name";
        if (!model_mgmtdev_is_live(m, d->mgmtdev))
                return "a management device that is not there";
        if (d->class == 0 || d->class > CLASS_MAX)
                return "an impossible class";
        if (mac.present > 1)
                return "an impossible MAC address";
        if (d->class == CLASS_NET ? d->max_vqp == 0 || d->mtu < NET_MTU_MIN : d->max_vqp > 0 || d->mtu > 0)
                return "impossible network attributes";
        if (d->n_vq_groups == 0 || d->n_vq_groups > DEVICE_VQ_GROUPS_MAX || d->n_vqs == 0 ||
            d->n_vqs > DEVICE_VQS_MAX)
                return "an impossible number of virtqueues";
        if (binding.driver >= _BUS_DRIVER_MAX || (binding.driver != BUS_DRIVER_NONE && !m->numbers[binding.driver]))
                return "an impossible driver";
        if (binding.mode & ~07777)
                return "an impossible mode";
        return NULL;
}

/* What a device says it holds must be its own according to the table. */
static int model_load_ids(Model *m, const ModelDevice *d, ModelIdKind kind, const char *directory, Failure *f) {
        ModelTable *table = model_holding_table(m, d->mgmtdev, kind);
        int r;

        for (unsigned place = 0; place < model_holding_places(d, kind); place++) {
                unsigned first;
                uint32_t id;

                if (!model_holding_get(m, d, kind, place, &id)) {
                        if (model_device_driver(d) != BUS_DRIVER_NONE)
                                return model_file_damaged(directory, f, "device %s is enabled without an %s",
                                                          d->name, kind_names[kind]);
                        continue;
                }
                r = id < table->n_ids ? model_table_back(table, &m->file, id) : -EUCLEAN;
                if (r < 0 && r != -EUCLEAN)
                        return failure_set(f, ERROR_BACKEND_UNAVAILABLE, r,
                                           "There is no room for the tables of %s/" MODEL_FILE_NAME ": %s",
                                           directory, strerror(-r));
                if (r < 0 || !model_holding_is(m, table, d, kind, id, &first) || first > place ||
                    (kind == MODEL_ASID && first != place))
                        return model_file_damaged(directory, f, "device %s has an impossible %s, or another's",
                                                  d->name, kind_names[kind]);
        }

        return 0;
}

static int model_load_map(Model *m, const ModelDevice *d, const char *directory, Failure *f) {
        int r = model_map_load(m, d);

        if (r == -EUCLEAN)
                return model_file_damaged(directory, f, "device %s has an impossible list, or another's", d->name);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, r,
                                   "There is no room for the tables of %s/" MODEL_FILE_NAME ": %s", directory,
                                   strerror(-r));

        for (ModelIdKind kind = 0; kind < _MODEL_ID_KIND_MAX; kind++) {
                r = model_load_ids(m, d, kind, directory, f);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int model_load_device(Model *m, uint32_t slot, const char *directory, Failure *f) {
        ModelDevice *d = &m->file.layout->devices[slot];
        uint32_t state = atomic_load_explicit(&d->state, memory_order_acquire);
        ModelBinding binding;
        const char *fault;
        int r;

        if (state == MODEL_ENTRY_FREE)
                return 0;
        if (state != MODEL_ENTRY_LIVE)
                return model_file_damaged(directory, f, "device slot %u has an impossible state", slot);

        fault = device_fault(m, d);
        if (fault)
                return model_file_damaged(directory, f, "device slot %u has %s", slot, fault);
        if (model_find_device(m, d->name))
                return model_file_damaged(directory, f, "there are two devices named %s", d->name);

        binding = atomic_load(&d->binding);
        if (binding.driver != BUS_DRIVER_NONE && idmap_acquire_id(m->numbers[binding.driver], binding.number) < 0)
                return model_file_damaged(directory, f, "device %s has an impossible endpoint number, or another's",
                                          d->name);

        r = model_load_map(m, d, directory, f);
        if (r < 0)
                return r;

        (void) idmap_acquire_id(m->slots, slot);
        if (model_link_device(m, d) < 0)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for the simulated devices");
        return 0;
}

/* What is wrong with a live entry by itself; NULL: nothing. */
static const char *mgmtdev_fault(const ModelMgmtdev *mgmtdev) {
        uint32_t n_asids = atomic_load(&mgmtdev->n_asids), n_msis = atomic_load(&mgmtdev->n_msis);

        if (!memchr(mgmtdev->handle, 0, sizeof mgmtdev->handle) || !handle_is_valid(mgmtdev->handle))
                return "an impossible handle";
        if (mgmtdev->asid_kind >= _ASID_KIND_MAX || mgmtdev->space >= MODEL_MGMTDEVS_MAX ||
            !memchr(mgmtdev->pci_function, 0, sizeof mgmtdev->pci_function))
                return "impossible address spaces";
        if (n_asids == 0 || n_asids > IDS_MAX || n_msis == 0 || n_msis > IDS_MAX)
                return "impossible sizes";
        for (unsigned i = 0; i < ELEMENTSOF(mgmtdev->fault); i++)
                if (!model_fault_is_valid(mgmtdev->fault[i]))
                        return "an impossible fault";
        return NULL;
}

/* Who shares a space, and who does not. */
static bool spaces_agree(const ModelMgmtdev *a, const ModelMgmtdev *b) {
        bool shared = a->asid_kind == ASID_PASID && b->asid_kind == ASID_PASID &&
                      strcmp(a->pci_function, b->pci_function) == 0;

        return shared == (a->space == b->space);
}

static int model_load_mgmtdev(Model *m, unsigned i, const char *directory, Failure *f) {
        const ModelMgmtdev *mgmtdev = &m->file.layout->mgmtdevs[i];
        uint32_t state = atomic_load_explicit(&mgmtdev->state, memory_order_acquire);
        const char *fault;
        int r;

        if (state == MODEL_ENTRY_FREE)
                return 0;
        if (state != MODEL_ENTRY_LIVE)
                return model_file_damaged(directory, f, "management device %u has an impossible state", i);
        fault = mgmtdev_fault(mgmtdev);
        if (fault)
                return model_file_damaged(directory, f, "management device %u has %s", i, fault);

        for (unsigned k = 0; k < i; k++) {
                const ModelMgmtdev *other = &m->file.layout->mgmtdevs[k];

                if (!model_mgmtdev_is_live(m, k))
                        continue;
                if (strcmp(other->handle, mgmtdev->handle) == 0)
                        return model_file_damaged(directory, f, "management device %s is there twice",
                                                  other->handle);
                if (!spaces_agree(other, mgmtdev))
                        return model_file_damaged(directory, f, "%s and %s disagree about their address spaces",
                                                  other->handle, mgmtdev->handle);
        }

        r = model_open_tables(m, i);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_UNAVAILABLE, r,
                                   "Cannot map the tables of %s/" MODEL_FILE_NAME ": %s", directory, strerror(-r));
        return 0;
}

int model_load(Model *m, const char *directory, Failure *f) {
        uint32_t end = atomic_load_explicit(&m->file.layout->header.high_water, memory_order_acquire);
        int r = 0;

        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX && r >= 0; i++)
                r = model_load_mgmtdev(m, i, directory, f);
        for (uint32_t slot = 0; slot < end && r >= 0; slot++)
                r = model_load_device(m, slot, directory, f);
        return r;
}
