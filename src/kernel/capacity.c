/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/capacity.h"

#include <string.h>

#include "kernel/pci.h"
#include "kernel/vdpa-sysfs.h"

/* A driver refuses what is above its limit. 0: no limit is known. */
static Capacity of_driver(uint64_t total, ResourceEnforcer enforcer) {
        bool is_known = total > 0 && total <= UINT32_MAX;

        return (Capacity){
                .is_known = is_known,
                .total = is_known ? (uint32_t) total : 0,
                .source = SOURCE_DRIVER,
                .enforcer = enforcer,
        };
}

/* No kernel interface takes PASIDs or MSI-X entries of ours: they are accounted for. */
static Capacity of_pci(uint32_t total) {
        return (Capacity){
                .is_known = total > 0, .total = total, .source = SOURCE_PCI, .enforcer = ENFORCER_LEDGER
        };
}

/* The PASIDs of a VF are its own, but only its PF says how many it can have (PCI Express 6.0, 7.8.9). With a width
 * of 0 there is none but 0, which stands for DMA without a PASID. */
static void describe_pasids(const MgmtdevInfo *where, unsigned width, Capacity *ret, AsidKind *ret_kind) {
        if (width == 0 || !where->pci_function[0])
                return;

        *ret_kind = ASID_PASID;
        *ret = of_pci(UINT32_C(1) << width);
        strcpy(ret->reserved_ids, "0");
}

static void describe_function(const char *root, MgmtdevInfo *info) {
        PciConfig config = pci_read_config(root, info->pci_function), pf = config;

        if (pci_find_pf(root, info->pci_function, info->pci_pf, &info->vf_index) >= 0)
                pf = pci_read_config(root, info->pci_pf);

        describe_pasids(info, pf.pasid_width, &info->capacity[RESOURCE_ASIDS], &info->asid_kind);
        /* Subfunctions share the table of their function in ways that it does not tell. */
        if (config.msix_size > 0 && info->transport != TRANSPORT_SUBFUNCTION)
                info->capacity[RESOURCE_MSIS] = of_pci(config.msix_size);
}

/* The function has been given so many, and cannot have more. */
static Capacity of_devlink(uint32_t total) {
        return (Capacity){
                .is_known = true, .total = total, .source = SOURCE_DEVLINK, .enforcer = ENFORCER_KERNEL
        };
}

void capacity_describe(const char *root, const Devlink *devlink, MgmtdevInfo *info) {
        char path[SYSFS_PATH_MAX];
        uint32_t n_devices, n_eqs;

        vdpa_sysfs_describe_mgmtdev(root, info);
        n_devices = vdpa_sysfs_get_device_limit(root, info->handle);
        info->capacity[RESOURCE_DEVICES] = of_driver(n_devices, ENFORCER_KERNEL);
        info->capacity[RESOURCE_VQS] = of_driver((uint64_t) n_devices * info->max_vqs, ENFORCER_KERNEL);
        info->capacity[RESOURCE_ASIDS] = info->capacity[RESOURCE_MSIS] = of_driver(0, ENFORCER_LEDGER);
        info->asid_kind = ASID_DEVICE_MMU;
        info->vf_index = -1;
        info->pci_function[0] = info->pci_pf[0] = '\0';

        if (vdpa_sysfs_get_mgmtdev_path(root, info->handle, path) >= 0 &&
            pci_find_function(path, info->pci_function) >= 0)
                describe_function(root, info);
        if (devlink_get_max_io_eqs(devlink, info, &n_eqs))
                info->capacity[RESOURCE_MSIS] = of_devlink(n_eqs);
}
