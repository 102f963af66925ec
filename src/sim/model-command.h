/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command interface of the modelled hardware: what the driver of a management device can tell it to do with one
 * of its devices, and what a device does with what it was given. The order is: create (see sim/model.h), set the
 * address space of each virtqueue group, store the MSI entry of each virtqueue, enable; and back: disable, clear
 * the MSI entries, clear the address spaces, destroy.
 *
 * The hardware checks its rules and nothing else; what a good driver would not do is a fault (see
 * sim/model-fault.h). The rules: a device is there, on this management device, and still the one that is meant; an
 * ID is in range and not reserved; an address space belongs to one virtqueue group of one device, of all devices
 * that share the space; an MSI entry belongs to one device, which may store it for several virtqueues; an enabled
 * device has them all, and none is changed meanwhile; only a device that is disabled and holds nothing is
 * destroyed; DMA goes through an address space of the device itself, an interrupt comes from an entry of its own,
 * and both only from an enabled device.
 *
 * Each function returns 0, -EIO with f set for a fault, or what the file system says if a table cannot grow. Each
 * can be run again. */

#include "sim/model.h"

/* A device as commands name it: a slot that has another device since is another name. */
typedef struct ModelRef {
        unsigned mgmtdev;
        uint32_t slot;
        uint32_t generation;
} ModelRef;

ModelRef model_device_ref(const Model *model, const ModelDevice *device);

int model_set_address_space(Model *model, ModelRef device, unsigned group, uint32_t asid, Failure *f);
int model_clear_address_spaces(Model *model, ModelRef device, Failure *f);

/* vq: n_vqs is configuration changes. */
int model_store_msi(Model *model, ModelRef device, unsigned vq, uint32_t entry, Failure *f);
int model_clear_msis(Model *model, ModelRef device, Failure *f);

/* Binds the device to the driver, away from another one, with an endpoint of root's with mode 0600. Nothing changes
 * if it is bound to this driver already. */
int model_enable_device(Model *model, ModelRef device, BusDriver driver, Failure *f);
int model_disable_device(Model *model, ModelRef device, Failure *f);

int model_destroy_device(Model *model, ModelRef device, Failure *f);

/* What an enabled device does by itself. */
int model_send_dma(Model *model, ModelRef device, uint32_t asid, Failure *f);
int model_raise_interrupt(Model *model, ModelRef device, uint32_t entry, Failure *f);
