/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network interface that virtio_vdpa makes of a net device. */

#include <stdbool.h>
#include <stdint.h>

/* Whether udev is through with the interface, so that its name stays: before, it may be renamed at any moment. Also
 * true where no udev runs. */
bool netdev_is_settled(const char *ifname);

/* The address that the interface has, which is that of its packets. Returns 0, or a negative errno. */
int netdev_get_mac(const char *ifname, uint8_t ret[6]);

/* Gives the interface the address. The driver took the old one from the device when it was bound, and does not look
 * again. Returns 0, or a negative errno. */
int netdev_set_mac(const char *ifname, const uint8_t mac[6]);
