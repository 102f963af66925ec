/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/msix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/pci.h"
#include "kernel/sysfs.h"

typedef struct Wish {
        char vf[PCI_ADDRESS_MAX];
        uint32_t total;
        uint64_t written; /* the inode of the VF's directory in sysfs, when this was written to it; 0: never */
} Wish;

struct Msix {
        const char *root; /* borrowed */
        size_t n_wishes;
        Wish wishes[];
};

/* NULL: the handle is not that of a PCI function. */
static const char *get_address(const char *handle) {
        PciAddress address;

        if (strncmp(handle, "pci/", 4) != 0 || strlen(handle + 4) >= PCI_ADDRESS_MAX ||
            pci_address_parse(handle + 4, &address) < 0)
                return NULL;
        return handle + 4;
}

int msix_new(const char *root, const ConfiguredMgmtdev *configured, size_t n, Msix **ret) {
        Msix *m = calloc(1, sizeof *m + n * sizeof m->wishes[0]);

        if (!m)
                return -ENOMEM;
        m->root = root;

        for (size_t i = 0; i < n; i++) {
                const BudgetSettings *msis = &configured[i].settings.budgets[RESOURCE_MSIS];
                const char *address = get_address(configured[i].handle);

                /* To write 0 means to have the driver's default back. */
                if (!address || !msis->has_total || msis->total == 0)
                        continue;
                strcpy(m->wishes[m->n_wishes].vf, address);
                m->wishes[m->n_wishes++].total = msis->total;
        }

        *ret = m;
        return 0;
}

Msix *msix_free(Msix *m) {
        free(m);
        return NULL;
}

/* The file is there for every VF; whether it does anything is for the PF's driver to say. */
static int get_file(const Msix *m, const char *vf, char ret[SYSFS_PATH_MAX]) {
        char path[SYSFS_PATH_MAX];
        long total;
        int r;

        r = sysfs_path(path, "%s/sys/bus/pci/devices/%s/physfn/sriov_vf_total_msix", m->root, vf);
        if (r >= 0)
                r = sysfs_read_number(path, &total);
        if (r < 0)
                return r;
        if (total <= 0)
                return -EOPNOTSUPP;

        r = sysfs_path(ret, "%s/sys/bus/pci/devices/%s/sriov_vf_msix_count", m->root, vf);
        return r >= 0 && !sysfs_exists(ret) ? -ENOENT : r;
}

static bool has_driver(const Msix *m, const char *vf) {
        char path[SYSFS_PATH_MAX];

        return sysfs_path(path, "%s/sys/bus/pci/devices/%s/driver", m->root, vf) >= 0 && sysfs_exists(path);
}

/* What VF it is: the kernel gives each a number of its own, also where there was another one before. 0: none. */
static uint64_t get_inode(const Msix *m, const char *vf) {
        char path[SYSFS_PATH_MAX];
        struct stat st;

        if (sysfs_path(path, "%s/sys/bus/pci/devices/%s", m->root, vf) < 0 || stat(path, &st) < 0)
                return 0;
        return st.st_ino;
}

/* The kernel looks once more whether there is a driver, with the VF locked. Without the privilege to read all of
 * the configuration space nobody tells what the VF has: then it is what was written. */
static void apply(const Msix *m, Wish *wish) {
        uint64_t inode = get_inode(m, wish->vf);
        char path[SYSFS_PATH_MAX], text[16];
        uint32_t size;

        if (inode == 0 || has_driver(m, wish->vf) || get_file(m, wish->vf, path) < 0)
                return;
        size = pci_read_config(m->root, wish->vf).msix_size;
        if (size == wish->total || (size == 0 && inode == wish->written))
                return;

        (void) snprintf(text, sizeof text, "%u", wish->total);
        if (sysfs_write(path, text) >= 0)
                wish->written = inode;
}

void msix_apply(Msix *m) {
        for (size_t i = 0; i < m->n_wishes; i++)
                apply(m, &m->wishes[i]);
}

bool msix_is_in_force(const Msix *m, const MgmtdevInfo *info) {
        const Capacity *msis = &info->capacity[RESOURCE_MSIS];
        const char *address = get_address(info->handle);
        char path[SYSFS_PATH_MAX];

        if (!address || !info->pci_pf[0] || !msis->is_known || msis->source != SOURCE_PCI)
                return false;
        for (size_t i = 0; i < m->n_wishes; i++)
                if (strcmp(m->wishes[i].vf, address) == 0 && m->wishes[i].total == msis->total)
                        return get_file(m, address, path) >= 0;

        return false;
}
