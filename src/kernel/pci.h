/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PCI functions as sysfs shows them, and what their configuration space says. root: see kernel/sysfs.h.
 *
 * What cannot be found out is left at "not known": functions come and go, and most of the configuration space is
 * only shown to those with CAP_SYS_ADMIN. Nothing is read but what the capabilities point at: a function may be
 * slow to answer, or not bear to be read everywhere. */

#include "backend/backend.h"
#include "inventory/pci.h"
#include "kernel/sysfs.h"

/* What the configuration space of one function has. */
typedef struct PciConfig {
        uint32_t msix_size;   /* entries of its MSI-X table, at most 2048; 0: it has none, or it is not known */
        bool has_pasid;       /* the function, or its VFs, can tag DMA with a PASID */
        unsigned pasid_width; /* ... of so many bits, at most 20 */
} PciConfig;

PciConfig pci_read_config(const char *root, const char *address);

/* Finds the function that the device in a directory of sysfs is, or belongs to. Returns 0, or -ENODEV if it is
 * none and belongs to none. */
int pci_find_function(const char *directory, char ret[PCI_ADDRESS_MAX]);

/* Finds the PF of a VF, and which of its VFs it is: 0 and up; -1: that is not known. Returns 0, or -ENODEV if the
 * function is no VF. */
int pci_find_pf(const char *root, const char *address, char ret_pf[PCI_ADDRESS_MAX], int *ret_vf_index);

/* All functions that can have VFs, in order of address. The array is the caller's to free(). Returns 0, or
 * -ENOMEM; a host without PCI has none. */
int pci_list_sriov(const char *root, BackendSriov **ret, size_t *ret_n);
