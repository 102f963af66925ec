/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/pci.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

/* A list of capabilities is longer only if it goes round in circles: each takes some bytes of the space. */
#define CAPABILITIES_MAX          ((PCI_CFG_SPACE_SIZE - PCI_STD_HEADER_SIZEOF) / 4)
#define EXTENDED_CAPABILITIES_MAX ((PCI_CFG_SPACE_EXP_SIZE - PCI_CFG_SPACE_SIZE) / 8)

/* Bits 8 to 12 of the PASID capability register; Linux has named them only lately. */
#define PASID_WIDTH_SHIFT 8
#define PASID_WIDTH_MASK  0x1f
#define PASID_WIDTH_MAX   20

static int function_path(char ret[SYSFS_PATH_MAX], const char *root, const char *address, const char *file) {
        return sysfs_path(ret, "%s/sys/bus/pci/devices/%s/%s", root, address, file);
}

/* False also past the end of what is shown. */
static bool read_bytes(int fd, unsigned offset, void *ret, size_t size) {
        return pread(fd, ret, size, (off_t) offset) == (ssize_t) size;
}

static bool read_byte(int fd, unsigned offset, uint8_t *ret) {
        return read_bytes(fd, offset, ret, sizeof *ret);
}

static bool read_u16(int fd, unsigned offset, uint16_t *ret) {
        uint16_t value;

        if (!read_bytes(fd, offset, &value, sizeof value))
                return false;
        *ret = le16toh(value);
        return true;
}

static bool read_u32(int fd, unsigned offset, uint32_t *ret) {
        uint32_t value;

        if (!read_bytes(fd, offset, &value, sizeof value))
                return false;
        *ret = le32toh(value);
        return true;
}

/* Returns the offset of the capability, or 0. */
static unsigned find_capability(int fd, uint8_t wanted) {
        uint8_t offset, id;
        uint16_t status;

        if (!read_u16(fd, PCI_STATUS, &status) || !(status & PCI_STATUS_CAP_LIST) ||
            !read_byte(fd, PCI_CAPABILITY_LIST, &offset))
                return 0;

        for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
                offset &= (uint8_t) ~3u;
                if (offset < PCI_STD_HEADER_SIZEOF || !read_byte(fd, offset + PCI_CAP_LIST_ID, &id))
                        return 0;
                if (id == wanted)
                        return offset;
                if (!read_byte(fd, offset + PCI_CAP_LIST_NEXT, &offset))
                        return 0;
        }

        return 0;
}

static unsigned find_extended_capability(int fd, unsigned wanted) {
        unsigned offset = PCI_CFG_SPACE_SIZE;
        uint32_t header;

        for (unsigned i = 0; i < EXTENDED_CAPABILITIES_MAX; i++) {
                /* Nothing at all is there, or the function does not answer any more. */
                if (!read_u32(fd, offset, &header) || header == 0 || header == UINT32_MAX)
                        return 0;
                if (PCI_EXT_CAP_ID(header) == wanted)
                        return offset;
                offset = PCI_EXT_CAP_NEXT(header);
                if (offset < PCI_CFG_SPACE_SIZE)
                        return 0;
        }

        return 0;
}

PciConfig pci_read_config(const char *root, const char *address) {
        PciConfig config = {};
        _cleanup_close_ int fd = -1;
        char path[SYSFS_PATH_MAX];
        unsigned offset;
        uint16_t value;

        if (function_path(path, root, address, "config") < 0)
                return config;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        /* All ones is what is read of a function that has been pulled out. */
        if (fd < 0 || !read_u16(fd, PCI_VENDOR_ID, &value) || value == UINT16_MAX)
                return config;

        offset = find_capability(fd, PCI_CAP_ID_MSIX);
        if (offset > 0 && read_u16(fd, offset + PCI_MSIX_FLAGS, &value))
                config.msix_size = (value & PCI_MSIX_FLAGS_QSIZE) + 1u;

        offset = find_extended_capability(fd, PCI_EXT_CAP_ID_PASID);
        if (offset > 0 && read_u16(fd, offset + PCI_PASID_CAP, &value)) {
                config.pasid_width = value >> PASID_WIDTH_SHIFT & PASID_WIDTH_MASK;
                config.has_pasid = config.pasid_width <= PASID_WIDTH_MAX;
                if (!config.has_pasid)
                        config.pasid_width = 0;
        }

        return config;
}

/* The name of what a link points to, if that is the address of a function. */
static int read_link_address(const char *path, char ret[PCI_ADDRESS_MAX]) {
        char name[SYSFS_VALUE_MAX];
        PciAddress address;

        if (sysfs_read_link_name(path, name) < 0 || strlen(name) >= PCI_ADDRESS_MAX ||
            pci_address_parse(name, &address) < 0)
                return -ENODEV;

        strcpy(ret, name);
        return 0;
}

int pci_find_function(const char *directory, char ret[PCI_ADDRESS_MAX]) {
        _cleanup_free_ char *path = realpath(directory, NULL);
        PciAddress address;
        char *slash;

        /* From the device upwards, through what is between it and its function. */
        while (path && (slash = strrchr(path, '/')) && slash > path) {
                if (strlen(slash + 1) < PCI_ADDRESS_MAX && pci_address_parse(slash + 1, &address) >= 0) {
                        strcpy(ret, slash + 1);
                        return 0;
                }
                *slash = '\0';
        }

        return -ENODEV;
}

/* A file that holds a number up to max. */
static bool read_file(const char *root, const char *address, const char *file, uint32_t max, uint32_t *ret) {
        char path[SYSFS_PATH_MAX];
        long number;

        if (function_path(path, root, address, file) < 0 || sysfs_read_number(path, &number) < 0 || number < 0 ||
            (unsigned long) number > max)
                return false;

        *ret = (uint32_t) number;
        return true;
}

/* Where the VFs of a function lie. */
typedef struct VfPlaces {
        PciAddress pf;
        uint32_t offset, stride;
} VfPlaces;

static bool get_places(const char *root, const char *pf, VfPlaces *ret) {
        return pci_address_parse(pf, &ret->pf) >= 0 &&
               read_file(root, pf, "sriov_offset", UINT16_MAX, &ret->offset) &&
               read_file(root, pf, "sriov_stride", UINT16_MAX, &ret->stride);
}

/* To look through all links of the PF would take as many looks for each VF as there are VFs; the address tells,
 * and then one look is enough. */
static int find_vf_index(const char *root, const char *address, const char *pf) {
        char link[SYSFS_VALUE_MAX], path[SYSFS_PATH_MAX], found[PCI_ADDRESS_MAX];
        uint32_t first, index = 0;
        VfPlaces places;
        PciAddress vf;

        if (!get_places(root, pf, &places) || pci_address_parse(address, &vf) < 0)
                return -1;
        first = (uint32_t) places.pf.routing_id + places.offset;
        if (vf.routing_id < first)
                return -1;
        if (places.stride > 0)
                index = (vf.routing_id - first) / places.stride;

        (void) snprintf(link, sizeof link, "virtfn%u", index);
        if (function_path(path, root, pf, link) < 0 || read_link_address(path, found) < 0 ||
            strcmp(found, address) != 0)
                return -1;

        return (int) index;
}

int pci_find_pf(const char *root, const char *address, char ret_pf[PCI_ADDRESS_MAX], int *ret_vf_index) {
        char path[SYSFS_PATH_MAX], pf[PCI_ADDRESS_MAX];

        if (function_path(path, root, address, "physfn") < 0 || read_link_address(path, pf) < 0)
                return -ENODEV;

        *ret_vf_index = find_vf_index(root, address, pf);
        strcpy(ret_pf, pf);
        return 0;
}

/* The file has a hexadecimal number without a prefix. */
static uint16_t get_vf_device_id(const char *root, const char *pf) {
        char path[SYSFS_PATH_MAX], text[SYSFS_VALUE_MAX], *end;
        unsigned long id;

        if (function_path(path, root, pf, "sriov_vf_device") < 0 || sysfs_read(path, text) < 0)
                return 0;
        id = strtoul(text, &end, 16);
        return *end || id > UINT16_MAX ? 0 : (uint16_t) id;
}

static void count_buses(const VfPlaces *places, BackendSriov *sriov) {
        uint16_t offset = (uint16_t) places->offset, stride = (uint16_t) places->stride;
        PciBuses all = pci_count_buses(&places->pf, offset, stride, (uint16_t) sriov->total_vfs);

        sriov->has_buses = true;
        sriov->max_buses = all.n_buses;
        sriov->n_lost_vfs = all.n_lost;
        sriov->n_buses = pci_count_buses(&places->pf, offset, stride, (uint16_t) sriov->num_vfs).n_buses;
}

/* False: the function cannot have VFs. */
static bool describe_sriov(const char *root, const char *address, BackendSriov *ret) {
        VfPlaces places;

        *ret = (BackendSriov){};
        if (strlen(address) >= sizeof ret->pf ||
            !read_file(root, address, "sriov_totalvfs", UINT16_MAX, &ret->total_vfs) || ret->total_vfs == 0)
                return false;

        strcpy(ret->pf, address);
        (void) read_file(root, address, "sriov_numvfs", UINT16_MAX, &ret->num_vfs);
        ret->vf_device_id = get_vf_device_id(root, address);
        ret->msix_size = pci_read_config(root, address).msix_size;
        /* The file is always there; 0 is what is in it where nobody knows. */
        ret->has_vf_total_msix = read_file(root, address, "sriov_vf_total_msix", IDS_MAX, &ret->vf_total_msix) &&
                                 ret->vf_total_msix > 0;
        if (get_places(root, address, &places))
                count_buses(&places, ret);
        return true;
}

static int compare(const void *a, const void *b) {
        const BackendSriov *x = a, *y = b;

        return strcmp(x->pf, y->pf);
}

static int append(BackendSriov **functions, size_t n, const BackendSriov *one) {
        BackendSriov *more = *functions;

        /* Room is made at every power of two. */
        if ((n & (n - 1)) == 0) {
                more = realloc(*functions, (n > 0 ? 2 * n : 1) * sizeof *more);
                if (!more)
                        return -ENOMEM;
                *functions = more;
        }

        more[n] = *one;
        return 0;
}

int pci_list_sriov(const char *root, BackendSriov **ret, size_t *ret_n) {
        _cleanup_free_ BackendSriov *functions = NULL;
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        char path[SYSFS_PATH_MAX];
        BackendSriov one;
        size_t n = 0;

        if (sysfs_path(path, "%s/sys/bus/pci/devices", root) >= 0)
                d = opendir(path);
        while (d && (entry = readdir(d))) {
                PciAddress address;

                if (pci_address_parse(entry->d_name, &address) < 0 || !describe_sriov(root, entry->d_name, &one))
                        continue;
                if (append(&functions, n, &one) < 0)
                        return -ENOMEM;
                n++;
        }
        if (n > 0)
                qsort(functions, n, sizeof *functions, compare);

        *ret = TAKE_PTR(functions);
        *ret_n = n;
        return 0;
}
