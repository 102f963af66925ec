/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses of PCI functions, and how virtual functions (SR-IOV) use up bus numbers. */

#include <stdbool.h>
#include <stdint.h>

/* "0000:01:00.0" and the NUL, with room for the longer domains of some hosts. */
#define PCI_ADDRESS_MAX 20

/* Bus numbers of one domain. */
#define PCI_BUSES_MAX 256u

typedef struct PciAddress {
        uint32_t domain;
        uint16_t routing_id; /* bus << 8 | device << 3 | function */
} PciAddress;

/* "0000:01:00.0", in hexadecimal digits of either case. Returns 0, or -EINVAL. */
int pci_address_parse(const char *text, PciAddress *ret);

/* What VFs of a function take of the bus numbers. */
typedef struct PciBuses {
        uint32_t n_buses; /* that have the function or one of the VFs on them */
        uint32_t n_lost;  /* VFs that would lie past the last bus number: they cannot be had */
} PciBuses;

/* VF i, from 0, has the routing ID of pf + offset + i * stride. n_vfs at most 65535, as the registers have it. */
PciBuses pci_count_buses(const PciAddress *pf, uint16_t offset, uint16_t stride, uint16_t n_vfs);
