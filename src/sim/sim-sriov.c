/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/sim-sriov.h"

#include <errno.h>
#include <string.h>

#include "inventory/pci.h"

/* VFs follow their PF one by one. */
#define VF_OFFSET 1
#define VF_STRIDE 1

static BackendSriov *find(BackendSriov *functions, size_t n, const char *pf) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(functions[i].pf, pf) == 0)
                        return &functions[i];
        return NULL;
}

static void count_vf(BackendSriov *pf, const MgmtdevInfo *vf) {
        pf->num_vfs++;
        if (vf->vf_index >= 0 && (uint32_t) vf->vf_index >= pf->total_vfs)
                pf->total_vfs = (uint32_t) vf->vf_index + 1;
}

static void count_buses(BackendSriov *pf) {
        PciAddress address;
        PciBuses buses;

        if (pf->total_vfs < pf->num_vfs)
                pf->total_vfs = pf->num_vfs;
        if (pci_address_parse(pf->pf, &address) < 0 || pf->total_vfs > UINT16_MAX)
                return;

        buses = pci_count_buses(&address, VF_OFFSET, VF_STRIDE, (uint16_t) pf->total_vfs);
        pf->has_buses = true;
        pf->max_buses = buses.n_buses;
        pf->n_lost_vfs = buses.n_lost;
        pf->n_buses = pci_count_buses(&address, VF_OFFSET, VF_STRIDE, (uint16_t) pf->num_vfs).n_buses;
}

static int compare(const void *a, const void *b) {
        const BackendSriov *x = a, *y = b;

        return strcmp(x->pf, y->pf);
}

int sim_units_list_sriov(const SimUnit *units, size_t n, BackendSriov **ret, size_t *ret_n, Failure *f) {
        BackendSriov *functions, *pf;
        size_t n_functions = 0;

        functions = calloc(n > 0 ? n : 1, sizeof *functions);
        if (!functions)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Cannot list the functions with SR-IOV");

        for (size_t i = 0; i < n; i++) {
                const MgmtdevInfo *info = &units[i].config.info;

                if (!info->pci_pf[0])
                        continue;
                pf = find(functions, n_functions, info->pci_pf);
                if (!pf) {
                        pf = &functions[n_functions++];
                        *pf = (BackendSriov){ .simulated = true };
                        memcpy(pf->pf, info->pci_pf, sizeof pf->pf);
                }
                count_vf(pf, info);
        }
        for (size_t i = 0; i < n_functions; i++)
                count_buses(&functions[i]);
        qsort(functions, n_functions, sizeof *functions, compare);

        *ret = functions;
        *ret_n = n_functions;
        return 0;
}
