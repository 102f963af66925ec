/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/feature.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "util/macro.h"

#define N_BITS 64u

static const char *const common_names[N_BITS] = {
        [24] = "NOTIFY_ON_EMPTY", [27] = "ANY_LAYOUT",      [28] = "RING_INDIRECT_DESC", [29] = "RING_EVENT_IDX",
        [32] = "VERSION_1",       [33] = "ACCESS_PLATFORM", [34] = "RING_PACKED",        [35] = "IN_ORDER",
        [36] = "ORDER_PLATFORM",  [37] = "SR_IOV",          [38] = "NOTIFICATION_DATA",  [39] = "NOTIF_CONFIG_DATA",
        [40] = "RING_RESET",      [41] = "ADMIN_VQ",
};

static const char *const net_names[N_BITS] = {
        [0] = "CSUM",
        [1] = "GUEST_CSUM",
        [2] = "CTRL_GUEST_OFFLOADS",
        [3] = "MTU",
        [5] = "MAC",
        [7] = "GUEST_TSO4",
        [8] = "GUEST_TSO6",
        [9] = "GUEST_ECN",
        [10] = "GUEST_UFO",
        [11] = "HOST_TSO4",
        [12] = "HOST_TSO6",
        [13] = "HOST_ECN",
        [14] = "HOST_UFO",
        [15] = "MRG_RXBUF",
        [16] = "STATUS",
        [17] = "CTRL_VQ",
        [18] = "CTRL_RX",
        [19] = "CTRL_VLAN",
        [20] = "CTRL_RX_EXTRA",
        [21] = "GUEST_ANNOUNCE",
        [22] = "MQ",
        [23] = "CTRL_MAC_ADDR",
        [52] = "HASH_TUNNEL",
        [53] = "VQ_NOTF_COAL",
        [54] = "GUEST_USO4",
        [55] = "GUEST_USO6",
        [56] = "HOST_USO",
        [57] = "HASH_REPORT",
        [59] = "GUEST_HDRLEN",
        [60] = "RSS",
        [61] = "RSC_EXT",
        [62] = "STANDBY",
        [63] = "SPEED_DUPLEX",
};

static const char *const block_names[N_BITS] = {
        [0] = "BARRIER",  [1] = "SIZE_MAX", [2] = "SEG_MAX",       [4] = "GEOMETRY",  [5] = "RO",
        [6] = "BLK_SIZE", [7] = "SCSI",     [9] = "FLUSH",         [10] = "TOPOLOGY", [11] = "CONFIG_WCE",
        [12] = "MQ",      [13] = "DISCARD", [14] = "WRITE_ZEROES", [15] = "LIFETIME", [16] = "SECURE_ERASE",
        [17] = "ZONED",
};

static const char *feature_name(unsigned class, unsigned bit) {
        const char *name = NULL;

        if (class == CLASS_NET)
                name = net_names[bit];
        else if (class == CLASS_BLOCK)
                name = block_names[bit];

        return name ? name : common_names[bit];
}

const char *feature_format(unsigned class, unsigned bit, char *buffer) {
        const char *name = feature_name(class, bit);

        if (name)
                (void) snprintf(buffer, FEATURE_NAME_MAX, "%s", name);
        else
                (void) snprintf(buffer, FEATURE_NAME_MAX, "bit_%u", bit);
        return buffer;
}

int feature_parse(unsigned class, const char *text, unsigned *ret_bit) {
        char name[FEATURE_NAME_MAX];

        /* A bit goes by its one canonical form, so that a round trip changes nothing. */
        for (unsigned bit = 0; bit < N_BITS; bit++)
                if (strcmp(feature_format(class, bit, name), text) == 0) {
                        *ret_bit = bit;
                        return 0;
                }

        return -EINVAL;
}
