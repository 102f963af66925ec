/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a PCI function says of itself: the files of sysfs, and its configuration space. */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "kernel/pci.h"
#include "kernel/vdpa-sysfs.h"

#define FUNCTION "0000:01:00.0"
#define TREE     "sys/bus/pci/devices/" FUNCTION "/"

static const char *const files[] = { "sriov_totalvfs",  "sriov_numvfs",        "sriov_offset", "sriov_stride",
                                     "sriov_vf_device", "sriov_vf_total_msix", "numa_node" };

static void make_tree(void) {
        static bool is_made;

        if (is_made)
                return;
        is_made = true;
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                char path[128];

                (void) snprintf(path, sizeof path, TREE "%s", files[i]);
                fuzz_write_file(fuzz_path(path), "", 0);
        }
        fuzz_expect(symlink("../../../bus/pci", fuzz_path(TREE "subsystem")) == 0);
}

static void check_config(void) {
        PciConfig config = pci_read_config(fuzz_directory(), FUNCTION);

        fuzz_expect(config.msix_size <= 2048 && config.pasid_width <= 20 &&
                    (config.has_pasid || config.pasid_width == 0));
}

static void check_sriov(void) {
        _cleanup_free_ BackendSriov *list = NULL;
        size_t n = 0;

        fuzz_expect(pci_list_sriov(fuzz_directory(), &list, &n) == 0 && n <= 1);
        if (n == 1)
                fuzz_expect(strcmp(list[0].pf, FUNCTION) == 0 && list[0].n_buses <= PCI_BUSES_MAX &&
                            list[0].max_buses <= PCI_BUSES_MAX && list[0].total_vfs <= UINT16_MAX &&
                            list[0].n_lost_vfs <= UINT16_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        MgmtdevInfo info = { .handle = "pci/" FUNCTION };
        FuzzInput in = { data, size };
        char path[128];
        size_t n;

        make_tree();
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_free_ char *text = fuzz_take_text(&in);

                (void) snprintf(path, sizeof path, TREE "%s", files[i]);
                fuzz_write_file(fuzz_path(path), text, strlen(text));
        }
        n = in.size < 4096 ? in.size : 4096;
        fuzz_write_file(fuzz_path(TREE "config"), in.data, n);

        check_config();
        check_sriov();
        vdpa_sysfs_describe_mgmtdev(fuzz_directory(), &info);
        fuzz_expect(info.numa_node >= -1);
        return 0;
}
