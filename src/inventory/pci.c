/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/pci.h"

#include <errno.h>
#include <stddef.h>

#include "util/hex.h"

/* At least min and at most max digits, then the character after them. Returns what comes next, or NULL. */
static const char *parse_part(const char *text, unsigned min, unsigned max, char after, uint32_t *ret) {
        uint32_t value = 0;
        unsigned n = 0;

        for (; hex_digit(text[n]) >= 0; n++) {
                if (n >= max)
                        return NULL;
                value = value << 4 | (uint32_t) hex_digit(text[n]);
        }
        if (n < min || text[n] != after)
                return NULL;

        *ret = value;
        return text + n + 1;
}

int pci_address_parse(const char *text, PciAddress *ret) {
        uint32_t domain = 0, bus = 0, device = 0, function = 0;

        text = parse_part(text, 4, 8, ':', &domain);
        if (text)
                text = parse_part(text, 2, 2, ':', &bus);
        if (text)
                text = parse_part(text, 2, 2, '.', &device);
        if (text)
                text = parse_part(text, 1, 1, '\0', &function);
        if (!text || device > 31 || function > 7)
                return -EINVAL;

        *ret = (PciAddress){ .domain = domain, .routing_id = (uint16_t) (bus << 8 | device << 3 | function) };
        return 0;
}

PciBuses pci_count_buses(const PciAddress *pf, uint16_t offset, uint16_t stride, uint16_t n_vfs) {
        PciBuses buses = { .n_buses = 1 };
        uint32_t last = pf->routing_id >> 8;

        for (uint32_t i = 0; i < n_vfs; i++) {
                uint32_t bus = (pf->routing_id + offset + i * (uint32_t) stride) >> 8;

                if (bus >= PCI_BUSES_MAX) {
                        buses.n_lost = n_vfs - i;
                        break;
                }
                if (bus != last)
                        buses.n_buses++;
                last = bus;
        }

        return buses;
}
