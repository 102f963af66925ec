/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PCI functions in a make-believe sysfs, and their configuration spaces. */

#include "test-kernel.h"

#define PCI        "sys/bus/pci/devices"
#define SPACE_SIZE 4096u

/* A configuration space in the making. */
typedef struct Space {
        uint8_t bytes[SPACE_SIZE];
        size_t size;
} Space;

static inline void put_u16(Space *s, unsigned offset, uint16_t value) {
        s->bytes[offset] = (uint8_t) value;
        s->bytes[offset + 1] = (uint8_t) (value >> 8);
}

static inline void put_u32(Space *s, unsigned offset, uint32_t value) {
        put_u16(s, offset, (uint16_t) value);
        put_u16(s, offset + 2, (uint16_t) (value >> 16));
}

/* Of a function with a list of capabilities that begins there. */
static inline _unused_ Space space_with_list(unsigned first) {
        Space s = { .size = SPACE_SIZE };

        put_u16(&s, 0, 0x1af4);
        put_u16(&s, 6, 0x10);
        s.bytes[0x34] = (uint8_t) first;
        return s;
}

static inline void put_capability(Space *s, unsigned offset, unsigned id, unsigned next) {
        s->bytes[offset] = (uint8_t) id;
        s->bytes[offset + 1] = (uint8_t) next;
}

static inline void put_extended(Space *s, unsigned offset, unsigned id, unsigned next) {
        put_u32(s, offset, id | 1u << 16 | next << 20);
}

/* MSI-X with 2048 entries at the end of a list of three, PASID of 20 bits at the end of one of two. */
static inline _unused_ Space good_space(void) {
        Space s = space_with_list(0x40);

        put_capability(&s, 0x40, 0x01, 0x50);
        put_capability(&s, 0x50, 0x10, 0xb0);
        put_capability(&s, 0xb0, 0x11, 0);
        put_u16(&s, 0xb2, 0x87ff);
        put_extended(&s, 0x100, 0x0001, 0x148);
        put_extended(&s, 0x148, 0x001b, 0);
        put_u16(&s, 0x14c, 20 << 8 | 0x6);
        return s;
}

/* A function in the place that sysfs gives it. */
static inline void tree_pci_function(const char *address) {
        char path[256], target[256];

        (void) snprintf(path, sizeof path, "sys/devices/pci0/%s", address);
        tree_directory(path);
        (void) snprintf(path, sizeof path, PCI "/%s", address);
        (void) snprintf(target, sizeof target, "../../../devices/pci0/%s", address);
        tree_link(path, target);
}

static inline void tree_pci_file(const char *address, const char *file, const char *text) {
        char path[256];

        (void) snprintf(path, sizeof path, "sys/devices/pci0/%s/%s", address, file);
        tree_file(path, text);
}

static inline void tree_pci_link(const char *address, const char *file, const char *target) {
        char path[256], link[300];

        (void) snprintf(path, sizeof path, "sys/devices/pci0/%s/%s", address, file);
        (void) snprintf(link, sizeof link, "../%s", target);
        tree_link(path, link);
}

static inline void tree_pci_pf(const char *address, const char *total, const char *now, const char *offset,
                               const char *stride) {
        tree_pci_function(address);
        tree_pci_file(address, "sriov_totalvfs", total);
        tree_pci_file(address, "sriov_numvfs", now);
        tree_pci_file(address, "sriov_offset", offset);
        tree_pci_file(address, "sriov_stride", stride);
}

static inline void tree_pci_vf(const char *address, const char *pf, unsigned index) {
        char link[32];

        tree_pci_function(address);
        tree_pci_link(address, "physfn", pf);
        (void) snprintf(link, sizeof link, "virtfn%u", index);
        tree_pci_link(pf, link, address);
}

static inline void tree_pci_config(const char *address, const Space *s) {
        char path[256], buffer[512];

        (void) snprintf(path, sizeof path, PCI "/%s", address);
        tree_directory(path);
        unit_write_file(tree_path(buffer, "%s/config", path), s->bytes, s->size);
}
