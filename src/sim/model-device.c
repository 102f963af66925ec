/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The slots of devices: what fills, changes and frees them. */
#include <assert.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "sim/model-holding.h"
#include "sim/model-map.h"
#include "sim/model-state.h"
#include "util/crash.h"

static const uint16_t default_mode = 0600;

/* The address that a net device has of its own: locally administered, and each slot has another. */
static ModelMac slot_mac(uint32_t slot) {
        return (ModelMac){
                .address = { 0x02, 'v', 'd', (uint8_t) (slot >> 16), (uint8_t) (slot >> 8), (uint8_t) slot },
                .present = 1,
        };
}

static void device_fill(ModelDevice *d, uint32_t slot, const char *name, const ModelDeviceSpec *spec) {
        ModelMac mac = { 0 };

        if (spec->class == CLASS_NET && spec->net.has_mac) {
                memcpy(mac.address, spec->net.mac, sizeof mac.address);
                mac.present = 1;
        } else if (spec->class == CLASS_NET && spec->features & FEATURE_NET_MAC)
                mac = slot_mac(slot);

        d->mgmtdev = (uint16_t) spec->mgmtdev;
        d->class = (uint16_t) spec->class;
        d->features = spec->features;
        d->mtu = spec->class == CLASS_NET ? spec->net.mtu : 0;
        d->max_vqp = spec->class == CLASS_NET ? spec->net.max_vqp : 0;
        d->generation++;
        d->n_vq_groups = spec->n_vq_groups;
        d->n_vqs = spec->n_vqs;
        atomic_store_explicit(&d->is_foreign, spec->is_foreign, memory_order_relaxed);
        atomic_store_explicit(&d->mac, mac, memory_order_relaxed);
        atomic_store_explicit(&d->binding, (ModelBinding){ 0 }, memory_order_relaxed);
        atomic_store_explicit(&d->owner, (ModelOwner){ 0 }, memory_order_relaxed);
        memset(d->counters, 0, sizeof d->counters);
        memset(d->name, 0, sizeof d->name);
        memcpy(d->name, name, strlen(name));
}

/* A slot that has memory, and room for all that the device holds; not live yet. */
static int model_take_slot(Model *m, const char *name, const ModelDeviceSpec *spec, ModelDevice **ret) {
        ModelDevice *d;
        uint32_t slot;
        int r;

        r = idmap_acquire(m->slots, &slot);
        if (r < 0)
                return r;

        d = &m->file.layout->devices[slot];
        r = model_file_back(&m->file, &m->file.devices, slot * (uint64_t) sizeof *d, sizeof *d);
        if (r == 0) {
                device_fill(d, slot, name, spec);
                r = model_map_allocate(m, d);
        }
        if (r < 0) {
                idmap_release(m->slots, slot);
                return r;
        }

        *ret = d;
        return 0;
}

int model_create_device(Model *m, const char *name, const ModelDeviceSpec *spec, ModelDevice **ret) {
        ModelHeader *header = &m->file.layout->header;
        ModelDevice *d;
        uint32_t slot;
        int r;

        assert(device_name_is_valid(name));
        assert(model_mgmtdev_is_live(m, spec->mgmtdev));
        assert(spec->n_vq_groups > 0 && spec->n_vq_groups <= DEVICE_VQ_GROUPS_MAX);
        assert(spec->n_vqs > 0 && spec->n_vqs <= DEVICE_VQS_MAX);

        r = model_take_slot(m, name, spec, &d);
        if (r < 0)
                return r;

        CRASH_POINT(SIM_DEVICE_FILLED);
        slot = model_device_slot(m, d);
        r = model_link_device(m, d);
        if (r < 0) {
                model_map_release(m, d);
                idmap_release(m->slots, slot);
                return r;
        }

        if (slot >= atomic_load_explicit(&header->high_water, memory_order_relaxed))
                atomic_store_explicit(&header->high_water, slot + 1, memory_order_release);
        atomic_store_explicit(&d->state, MODEL_ENTRY_LIVE, memory_order_release);

        *ret = d;
        return 0;
}

void model_bind_device(Model *m, ModelDevice *d, BusDriver driver) {
        ModelBinding old = atomic_load(&d->binding), new = { .driver = (uint8_t) driver, .mode = default_mode };
        int r;

        assert(driver < _BUS_DRIVER_MAX && m->numbers[driver]);

        if (old.driver == driver)
                return;

        r = idmap_acquire(m->numbers[driver], &new.number);
        assert(r >= 0); /* there are as many as slots */
        (void) r;

        /* Unbound in between, so that no endpoint is ever seen with the owner of another. */
        atomic_store_explicit(&d->binding, (ModelBinding){ 0 }, memory_order_release);
        atomic_store_explicit(&d->owner, (ModelOwner){ 0 }, memory_order_release);
        CRASH_POINT(SIM_DEVICE_UNBOUND);
        atomic_store_explicit(&d->binding, new, memory_order_release);
        if (old.driver != BUS_DRIVER_NONE)
                idmap_release(m->numbers[old.driver], old.number);
}

void model_unbind_device(Model *m, ModelDevice *d) {
        ModelBinding binding = atomic_load(&d->binding);

        if (binding.driver == BUS_DRIVER_NONE)
                return;

        atomic_store_explicit(&d->binding, (ModelBinding){ 0 }, memory_order_release);
        idmap_release(m->numbers[binding.driver], binding.number);
}

void model_set_endpoint(ModelDevice *d, const EndpointSpec *endpoint) {
        ModelBinding binding = atomic_load(&d->binding);

        binding.mode = (uint16_t) endpoint->mode;
        atomic_store_explicit(&d->owner, ((ModelOwner){ .uid = endpoint->uid, .gid = endpoint->gid }),
                              memory_order_release);
        atomic_store_explicit(&d->binding, binding, memory_order_release);
}

void model_set_mac(ModelDevice *d, const uint8_t address[6]) {
        ModelMac mac = { .present = 1 };

        memcpy(mac.address, address, sizeof mac.address);
        atomic_store_explicit(&d->mac, mac, memory_order_release);
}

void model_remove_device(Model *m, ModelDevice *d) {
        model_unbind_device(m, d);
        model_holding_take_all(m, d, MODEL_MSI);
        model_holding_take_all(m, d, MODEL_ASID);
        model_unlink_device(m, d);

        atomic_store_explicit(&d->state, MODEL_ENTRY_FREE, memory_order_release);
        model_map_release(m, d);
        idmap_release(m->slots, model_device_slot(m, d));
}

bool model_device_asid(const Model *m, const ModelDevice *d, unsigned group, uint32_t *ret) {
        return model_holding_get(m, d, MODEL_ASID, group, ret);
}

bool model_device_msi(const Model *m, const ModelDevice *d, unsigned vq, uint32_t *ret) {
        return model_holding_get(m, d, MODEL_MSI, vq, ret);
}
