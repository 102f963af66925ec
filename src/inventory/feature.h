/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Virtio feature bits by the names that iproute2's vdpa(8) prints: the specification's names without prefix
 * (MAC, MTU, MQ, VERSION_1). A bit without a name is "bit_N". The lower 24 bits (and 50 to 63) belong to the
 * class, the others to every device. */

#include <stdint.h>

#define FEATURE_NET_MTU         (UINT64_C(1) << 3)
#define FEATURE_NET_MAC         (UINT64_C(1) << 5)
#define FEATURE_NET_MQ          (UINT64_C(1) << 22)
#define FEATURE_NET_CTRL_VQ     (UINT64_C(1) << 17)
#define FEATURE_BLOCK_MQ        (UINT64_C(1) << 12)
#define FEATURE_VERSION_1       (UINT64_C(1) << 32)
#define FEATURE_ACCESS_PLATFORM (UINT64_C(1) << 33)

/* Long enough for every name and for "bit_63". */
#define FEATURE_NAME_MAX 24

/* Writes the name of bit (0 to 63) to buffer, at least FEATURE_NAME_MAX bytes; returns buffer. */
const char *feature_format(unsigned class, unsigned bit, char *buffer);

/* By name or "bit_N". Returns 0, or -EINVAL if a device of the class has no such feature. */
int feature_parse(unsigned class, const char *text, unsigned *ret_bit);
