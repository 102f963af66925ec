/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The generic netlink family "vdpa", version 1: the commands and attributes that we use, with their numbers.
 *
 * The system's <linux/vdpa.h> is not used, because the numbers of one header do not describe all kernels: up to
 * 6.2 attribute 21 was the feature set of a device, since 6.9 it is the capacity of a block device. A program
 * built against one header would misread the other kernel. What 21 means in a reply can be told only from
 * DEV_ID in the same reply; before the change block devices had no configuration to report, so for a block
 * device it is always the capacity, and for any other class it can only be the features. */

#define VDPA_FAMILY         "vdpa"
#define VDPA_FAMILY_VERSION 1

/* The management device of VDUSE, which is on no bus; each of its devices has a parent of its own. */
#define VDUSE_HANDLE "vduse"

enum {
        VDPA_CMD_MGMTDEV_NEW = 1, /* only in replies, to MGMTDEV_GET */
        VDPA_CMD_MGMTDEV_GET = 2,
        VDPA_CMD_DEV_NEW = 3, /* and in replies to DEV_GET */
        VDPA_CMD_DEV_DEL = 4,
        VDPA_CMD_DEV_GET = 5,
        VDPA_CMD_DEV_CONFIG_GET = 6,
        VDPA_CMD_DEV_VSTATS_GET = 7,
        VDPA_CMD_DEV_ATTR_SET = 8,
};

enum {
        VDPA_ATTR_MGMTDEV_BUS_NAME = 1,          /* string; absent if the management device is on no bus */
        VDPA_ATTR_MGMTDEV_DEV_NAME = 2,          /* string */
        VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES = 3, /* u64, bitmap of virtio device types */
        VDPA_ATTR_DEV_NAME = 4,                  /* string */
        VDPA_ATTR_DEV_ID = 5,                    /* u32, virtio device type */
        VDPA_ATTR_DEV_VENDOR_ID = 6,             /* u32 */
        VDPA_ATTR_DEV_MAX_VQS = 7,               /* u32 */
        VDPA_ATTR_DEV_MAX_VQ_SIZE = 8,           /* u16 */
        VDPA_ATTR_DEV_NET_CFG_MACADDR = 10,      /* 6 bytes */
        VDPA_ATTR_DEV_NET_CFG_MAX_VQP = 12,      /* u16 */
        VDPA_ATTR_DEV_NET_CFG_MTU = 13,          /* u16 */
        VDPA_ATTR_DEV_MGMTDEV_MAX_VQS = 15,      /* u32 */
        VDPA_ATTR_DEV_SUPPORTED_FEATURES = 16,   /* u64, of a management device */
        VDPA_ATTR_DEV_QUEUE_INDEX = 17,          /* u32 */
        VDPA_ATTR_DEV_VENDOR_ATTR_NAME = 18,     /* string; a list of name and value in turn */
        VDPA_ATTR_DEV_VENDOR_ATTR_VALUE = 19,    /* u64 */
        VDPA_ATTR_DEV_FEATURES = 20,             /* u64, of a device */
        VDPA_ATTR_21 = 21,                       /* u64, see above */
        _VDPA_ATTR_USED_MAX = VDPA_ATTR_21,
};
