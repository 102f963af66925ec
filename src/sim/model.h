/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The modelled hardware: the tables that a management device would keep in its own memory. They live in one file of
 * shared memory in the runtime directory, so that they outlive the daemon, as hardware does, and go with a power
 * cycle, as the runtime directory does. One process at a time has the model open, and one thread uses it.
 *
 * What a driver tells the hardware to do with a device goes through sim/model-command.h, which checks it.
 *
 * A kill between any two instructions leaves the file consistent: an entry is filled in first and made live by one
 * store, changed by stores that each leave it whole, and destroyed by one store. */

#include <stdatomic.h>
#include <stdint.h>

#include "inventory/error.h"
#include "inventory/mgmtdev.h"
#include "inventory/spec.h"

#define MODEL_DEVICES_MAX  1048576u
#define MODEL_MGMTDEVS_MAX 64u

/* The text of a fault, and the NUL. */
#define MODEL_FAULT_MAX 128

/* What a device holds has room in its slot up to so many; see sim/model-map.h. */
#define MODEL_MAP_MAX 18

/* The model's file in the runtime directory. */
#define MODEL_FILE_NAME "sim.shm"

/* Devices do not move data here, and a single flow would only ever use the first pair: the virtqueues that count
 * are receiveq1, transmitq1 and controlq. */
typedef enum ModelVirtqueue {
        MODEL_VQ_RECEIVE,
        MODEL_VQ_TRANSMIT,
        MODEL_VQ_CONTROL,
        _MODEL_VQ_MAX,
} ModelVirtqueue;

/* Each of these three is read and written as one word. */
typedef struct ModelMac {
        uint8_t address[6];
        uint8_t present;
        uint8_t reserved;
} ModelMac;

typedef struct ModelBinding {
        uint8_t driver; /* a BusDriver */
        uint8_t reserved;
        uint16_t mode;   /* of the endpoint */
        uint32_t number; /* of the endpoint, out of the driver's own numbers; 0 while there is no driver */
} ModelBinding;

typedef struct ModelOwner {
        uint32_t uid;
        uint32_t gid;
} ModelOwner;

typedef struct ModelCounters {
        uint64_t received; /* descriptors */
        uint64_t completed;
} ModelCounters;

/* One slot of the device table, as it is in the file. Read it freely; but for the counters, which belong to whoever
 * plays the driver, change it by the functions below only. */
typedef struct ModelDevice {
        _Atomic uint32_t state;
        uint16_t mgmtdev; /* index into the table of management devices */
        uint16_t class;
        uint64_t features;
        _Atomic ModelMac mac;
        _Atomic ModelBinding binding;
        _Atomic ModelOwner owner; /* of the endpoint */
        uint16_t mtu;             /* of net devices, as max_vqp; else 0 */
        uint16_t max_vqp;
        uint32_t generation; /* of the slot: each device in it has another */
        uint16_t n_vq_groups;
        uint16_t n_vqs;
        _Atomic uint32_t map[MODEL_MAP_MAX];
        _Atomic uint32_t is_foreign; /* made by someone else than the daemon, which has not taken it over */
        ModelCounters counters[_MODEL_VQ_MAX];
        char name[DEVICE_NAME_MAX];
} ModelDevice;

/* The driver that it is bound to, or BUS_DRIVER_NONE. */
static inline BusDriver model_device_driver(const ModelDevice *device) {
        ModelBinding binding = atomic_load_explicit(&device->binding, memory_order_acquire);

        return (BusDriver) binding.driver;
}

/* What a new device shall be. All of it is filled in, but net.has_mac: a net device that offers MAC and was given
 * none has the address of its slot. */
typedef struct ModelDeviceSpec {
        unsigned mgmtdev;
        unsigned class;
        uint64_t features;
        uint16_t n_vq_groups; /* 1 to DEVICE_VQ_GROUPS_MAX */
        uint16_t n_vqs;       /* 1 to DEVICE_VQS_MAX */
        NetSpec net;          /* of net devices */
        bool is_foreign;
} ModelDeviceSpec;

/* What a management device has done and suffered since it was plugged in. */
typedef struct ModelCounts {
        uint64_t n_faults;
        uint64_t n_dma; /* that went through */
        uint64_t n_interrupts;
        uint32_t n_dma_refused; /* a fault each; modulo 2^32 */
        uint32_t n_interrupts_refused;
        const char *last_fault; /* "" if there was none; valid until the next one */
} ModelCounts;

typedef struct Model Model;

/* Opens the model in the directory, or makes an empty one. Everything in the file is checked. Returns 0, or a
 * negative errno with f set: -EUCLEAN the file is damaged, -EPROTONOSUPPORT it has another layout, -EBUSY another
 * process has it open, others as the system call says. */
int model_open(const char *directory, Model **ret, Failure *f);

/* The devices stay, as hardware does. */
Model *model_close(Model *model);
DEFINE_CLEANUP(Model *, model_close)

/* The index of the management device of this (valid) handle, which is plugged in if it was not there. Of info
 * counts how many IDs there are and which of them are reserved, where address spaces come from, and who shares
 * them: those of one PCI function share its PASIDs. One that has its address spaces from elsewhere now is another
 * management device: the devices of the one before are gone. Returns 0, -ENOSPC, or what the file system says. */
int model_plug_mgmtdev(Model *model, const MgmtdevInfo *info, unsigned *ret);

/* Takes a management device out; its devices go with it. */
void model_unplug_mgmtdev(Model *model, unsigned mgmtdev);

/* The handle, or NULL if there is no such management device. */
const char *model_mgmtdev_handle(const Model *model, unsigned mgmtdev);

/* How many devices there are on a management device, and on all. */
uint32_t model_count_devices(const Model *model, unsigned mgmtdev);
uint32_t model_count_all_devices(const Model *model);

/* The virtqueues of the devices there. */
uint32_t model_count_vqs(const Model *model, unsigned mgmtdev);

ModelCounts model_mgmtdev_counts(const Model *model, unsigned mgmtdev);

/* NULL if there is none of that name. */
ModelDevice *model_find_device(Model *model, const char *name);

/* The device in the slot after that of device; the first one if device is NULL. NULL: no more. */
ModelDevice *model_next_device(Model *model, const ModelDevice *device);

/* The device in that place among those of a management device (below model_count_devices(), in no order). */
ModelDevice *model_device_at(Model *model, unsigned mgmtdev, uint32_t place);

/* name must be valid and not in use, and the management device there. Returns 0, -ENOSPC if MODEL_DEVICES_MAX are
 * there or what they hold has no room, -ENOMEM, or what the file system says if it has no room for the file to
 * grow. */
int model_create_device(Model *model, const char *name, const ModelDeviceSpec *spec, ModelDevice **ret);

void model_set_endpoint(ModelDevice *device, const EndpointSpec *endpoint);
void model_set_mac(ModelDevice *device, const uint8_t mac[6]);

/* The ID that a virtqueue group, or a virtqueue (n_vqs: configuration changes), has been given. False: none yet. */
bool model_device_asid(const Model *model, const ModelDevice *device, unsigned group, uint32_t *ret);
bool model_device_msi(const Model *model, const ModelDevice *device, unsigned vq, uint32_t *ret);
