/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only the tables are in the file. What makes them quick to use (names in order, free slots, free endpoint numbers,
 * counts) is rebuilt when it is opened, by one pass over the slots that were ever used. */
#include "sim/model.h"

#include <assert.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "sim/idmap.h"
#include "sim/model-file.h"

/* The place in the index of the device in the slot of the same number. */
typedef struct Node {
        RB_ENTRY(Node) entry;
        const char *name; /* in the file */
} Node;

RB_HEAD(NodeTree, Node);

struct Model {
        ModelFile file;
        struct NodeTree by_name;
        Node *nodes;
        Idmap *slots;
        Idmap *numbers[_BUS_DRIVER_MAX]; /* of endpoints; NULL for what is no driver */
        uint32_t n_devices[MODEL_MGMTDEVS_MAX];
        uint32_t n_all_devices;
};

static int node_compare(const Node *a, const Node *b) {
        return strcmp(a->name, b->name);
}

/* What RB_GENERATE_STATIC() stands for where __unused is known, which it is not on Linux. */
RB_GENERATE_INTERNAL(NodeTree, Node, entry, node_compare, _unused_ static)

static const uint16_t default_mode = 0600;

static uint32_t device_slot(const Model *m, const ModelDevice *d) {
        return (uint32_t) (d - m->file.layout->devices);
}

static bool device_is_live(const ModelDevice *d) {
        return atomic_load_explicit(&d->state, memory_order_acquire) == MODEL_ENTRY_LIVE;
}

static bool mgmtdev_is_live(const Model *m, unsigned mgmtdev) {
        return mgmtdev < MODEL_MGMTDEVS_MAX && atomic_load_explicit(&m->file.layout->mgmtdevs[mgmtdev].state,
                                                                    memory_order_acquire) == MODEL_ENTRY_LIVE;
}

static void model_link(Model *m, ModelDevice *d) {
        Node *node = &m->nodes[device_slot(m, d)];

        node->name = d->name;
        (void) RB_INSERT(NodeTree, &m->by_name, node);
        m->n_devices[d->mgmtdev]++;
        m->n_all_devices++;
}

/* What is wrong with a live entry by itself; NULL: nothing. */
static const char *device_fault(const Model *m, const ModelDevice *d) {
        ModelBinding binding = atomic_load(&d->binding);
        ModelMac mac = atomic_load(&d->mac);

        if (!memchr(d->name, 0, sizeof d->name) || !device_name_is_valid(d->name))
                return "an impossible name";
        if (!mgmtdev_is_live(m, d->mgmtdev))
                return "a management device that is not there";
        if (d->class == 0 || d->class > CLASS_MAX)
                return "an impossible class";
        if (mac.present > 1)
                return "an impossible MAC address";
        if (d->class == CLASS_NET ? d->max_vqp == 0 || d->mtu < NET_MTU_MIN : d->max_vqp > 0 || d->mtu > 0)
                return "impossible network attributes";
        if (binding.driver >= _BUS_DRIVER_MAX || (binding.driver != BUS_DRIVER_NONE && !m->numbers[binding.driver]))
                return "an impossible driver";
        if (binding.mode & ~07777)
                return "an impossible mode";
        return NULL;
}

static int model_load_device(Model *m, uint32_t slot, const char *directory, Failure *f) {
        ModelDevice *d = &m->file.layout->devices[slot];
        uint32_t state = atomic_load_explicit(&d->state, memory_order_acquire);
        ModelBinding binding;
        const char *fault;

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

        (void) idmap_acquire_id(m->slots, slot);
        model_link(m, d);
        return 0;
}

static int model_load_mgmtdev(Model *m, unsigned i, const char *directory, Failure *f) {
        const ModelMgmtdev *mgmtdev = &m->file.layout->mgmtdevs[i];
        uint32_t state = atomic_load_explicit(&mgmtdev->state, memory_order_acquire);

        if (state == MODEL_ENTRY_FREE)
                return 0;
        if (state != MODEL_ENTRY_LIVE || !memchr(mgmtdev->handle, 0, sizeof mgmtdev->handle) ||
            !handle_is_valid(mgmtdev->handle))
                return model_file_damaged(directory, f, "management device %u is impossible", i);

        for (unsigned k = 0; k < i; k++) {
                const char *other = model_mgmtdev_handle(m, k);

                if (other && strcmp(other, mgmtdev->handle) == 0)
                        return model_file_damaged(directory, f, "management device %s is there twice", other);
        }

        return 0;
}

static int model_load(Model *m, const char *directory, Failure *f) {
        uint32_t end = atomic_load_explicit(&m->file.layout->header.high_water, memory_order_acquire);
        int r = 0;

        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX && r >= 0; i++)
                r = model_load_mgmtdev(m, i, directory, f);
        for (uint32_t slot = 0; slot < end && r >= 0; slot++)
                r = model_load_device(m, slot, directory, f);
        return r;
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

        model_file_close(&m->file);
        for (unsigned i = 0; i < ELEMENTSOF(m->numbers); i++)
                idmap_free(m->numbers[i]);
        idmap_free(m->slots);
        free(m->nodes);
        free(m);
        return NULL;
}

int model_plug_mgmtdev(Model *m, const char *handle, unsigned *ret) {
        ModelMgmtdev *mgmtdev;
        unsigned unused = MODEL_MGMTDEVS_MAX;

        assert(handle_is_valid(handle));

        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX; i++) {
                const char *there = model_mgmtdev_handle(m, i);

                if (there && strcmp(there, handle) == 0) {
                        *ret = i;
                        return 0;
                }
                if (!there && unused == MODEL_MGMTDEVS_MAX)
                        unused = i;
        }
        if (unused == MODEL_MGMTDEVS_MAX)
                return -ENOSPC;

        mgmtdev = &m->file.layout->mgmtdevs[unused];
        (void) snprintf(mgmtdev->handle, sizeof mgmtdev->handle, "%s", handle);
        atomic_store_explicit(&mgmtdev->state, MODEL_ENTRY_LIVE, memory_order_release);
        *ret = unused;
        return 0;
}

void model_unplug_mgmtdev(Model *m, unsigned mgmtdev) {
        for (ModelDevice *d = model_next_device(m, NULL); d && m->n_devices[mgmtdev] > 0;
             d = model_next_device(m, d))
                if (d->mgmtdev == mgmtdev)
                        model_destroy_device(m, d);

        atomic_store_explicit(&m->file.layout->mgmtdevs[mgmtdev].state, MODEL_ENTRY_FREE, memory_order_release);
}

const char *model_mgmtdev_handle(const Model *m, unsigned mgmtdev) {
        return mgmtdev_is_live(m, mgmtdev) ? m->file.layout->mgmtdevs[mgmtdev].handle : NULL;
}

uint32_t model_count_devices(const Model *m, unsigned mgmtdev) {
        return mgmtdev < MODEL_MGMTDEVS_MAX ? m->n_devices[mgmtdev] : 0;
}

uint32_t model_count_all_devices(const Model *m) {
        return m->n_all_devices;
}

ModelDevice *model_find_device(Model *m, const char *name) {
        Node key = { .name = name }, *node;

        node = RB_FIND(NodeTree, &m->by_name, &key);
        return node ? &m->file.layout->devices[node - m->nodes] : NULL;
}

ModelDevice *model_next_device(Model *m, const ModelDevice *device) {
        uint32_t end = atomic_load_explicit(&m->file.layout->header.high_water, memory_order_acquire);

        for (uint32_t slot = device ? device_slot(m, device) + 1 : 0; slot < end; slot++)
                if (device_is_live(&m->file.layout->devices[slot]))
                        return &m->file.layout->devices[slot];
        return NULL;
}

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
        atomic_store_explicit(&d->mac, mac, memory_order_relaxed);
        atomic_store_explicit(&d->binding, (ModelBinding){ 0 }, memory_order_relaxed);
        atomic_store_explicit(&d->owner, (ModelOwner){ 0 }, memory_order_relaxed);
        memset(d->counters, 0, sizeof d->counters);
        memset(d->name, 0, sizeof d->name);
        memcpy(d->name, name, strlen(name));
}

int model_create_device(Model *m, const char *name, const ModelDeviceSpec *spec, ModelDevice **ret) {
        ModelHeader *header = &m->file.layout->header;
        ModelDevice *d;
        uint32_t slot;
        int r;

        assert(device_name_is_valid(name));
        assert(mgmtdev_is_live(m, spec->mgmtdev));

        r = idmap_acquire(m->slots, &slot);
        if (r < 0)
                return r;

        r = model_file_back(&m->file, slot + 1);
        if (r < 0) {
                idmap_release(m->slots, slot);
                return r;
        }

        d = &m->file.layout->devices[slot];
        device_fill(d, slot, name, spec);
        if (slot >= atomic_load_explicit(&header->high_water, memory_order_relaxed))
                atomic_store_explicit(&header->high_water, slot + 1, memory_order_release);
        atomic_store_explicit(&d->state, MODEL_ENTRY_LIVE, memory_order_release);
        model_link(m, d);

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
        atomic_store_explicit(&d->binding, new, memory_order_release);
        if (old.driver != BUS_DRIVER_NONE)
                idmap_release(m->numbers[old.driver], old.number);
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

void model_destroy_device(Model *m, ModelDevice *d) {
        uint32_t slot = device_slot(m, d);
        ModelBinding binding = atomic_load(&d->binding);

        (void) RB_REMOVE(NodeTree, &m->by_name, &m->nodes[slot]);
        m->n_devices[d->mgmtdev]--;
        m->n_all_devices--;

        atomic_store_explicit(&d->state, MODEL_ENTRY_FREE, memory_order_release);
        if (binding.driver != BUS_DRIVER_NONE)
                idmap_release(m->numbers[binding.driver], binding.number);
        idmap_release(m->slots, slot);
}
