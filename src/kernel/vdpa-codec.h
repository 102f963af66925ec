/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages of the vdpa netlink family, built and parsed. No I/O and no state: what is parsed may be any bytes.
 *
 * Building returns 0, or -ENOMEM (also if the message would be too long). The caller frees the message with
 * nlmsg_free(). The family's number is left out: the socket knows it and puts it in.
 *
 * Parsing takes one whole message (nlmsg_ok()) and returns 0, or -EBADMSG if it is not what it should be: an answer
 * to something else, too short, an attribute missing or of the wrong size, a string without its end; or
 * -ENAMETOOLONG if the management device's handle does not fit. What is to be filled is written only on success. */

#include <netlink/msg.h>

#include "backend/backend.h"
#include "inventory/device.h"
#include "inventory/mgmtdev.h"

/* Counters of one virtqueue that are taken at the most; drivers have less than ten. */
#define VDPA_QUEUE_STATS_MAX 64

int vdpa_build_dump(uint8_t command, struct nl_msg **ret);

/* A command on one device that takes nothing but its name: DEV_GET, DEV_CONFIG_GET, DEV_DEL. */
int vdpa_build_device(uint8_t command, const char *name, struct nl_msg **ret);

/* Only what the spec asks for goes in; the family has no attribute for the class. */
int vdpa_build_create(const char *name, const char *mgmtdev, const DeviceSpec *spec, struct nl_msg **ret);

/* A creation with every attribute that there is, none of which fits another: see vdpa_netlink_probe_attributes().
 */
int vdpa_build_attribute_probe(const char *name, const char *mgmtdev, struct nl_msg **ret);

int vdpa_build_set_mac(const char *name, const uint8_t mac[6], struct nl_msg **ret);
int vdpa_build_get_stats(const char *name, uint32_t queue, struct nl_msg **ret);

/* A VSTATS_GET that names no device: it does nothing, but only for those who may. */
int vdpa_build_permission_probe(struct nl_msg **ret);

/* One management device, but for what only sysfs tells: transport, numa_node, capacity. */
int vdpa_parse_mgmtdev(struct nlmsghdr *m, MgmtdevInfo *ret);

/* One device of a dump. A name that is too long for us is cut; it is not one of ours then. */
int vdpa_parse_device(struct nlmsghdr *m, BackendDevice *ret);

/* The device that an answer to the command is about. -ENAMETOOLONG for a name that none of ours can have. The
 * command of an answer to DEV_GET is DEV_NEW. */
int vdpa_parse_name(struct nlmsghdr *m, uint8_t command, char ret[DEVICE_NAME_MAX]);

/* Fills in what DEV_GET tells: class, vendor_id, max_vqs, vq_size; and where the device is. Keeps the rest. */
int vdpa_parse_status(struct nlmsghdr *m, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *status);

/* Fills in what DEV_CONFIG_GET tells: features and net. Keeps the rest. */
int vdpa_parse_config(struct nlmsghdr *m, DeviceStatus *status);

/* Reads the counters of one virtqueue; sets *ret_n to their number, at most max. More than that are dropped. */
int vdpa_parse_stats(struct nlmsghdr *m, uint32_t queue, BackendStat *stats, size_t max, size_t *ret_n);

/* The attributes of DEV_NEW that are known here, as bits of MgmtdevAttribute. */
#define VDPA_ATTRIBUTES                                                                                            \
        (1u << ATTRIBUTE_MAC | 1u << ATTRIBUTE_MTU | 1u << ATTRIBUTE_MAX_VQP | 1u << ATTRIBUTE_FEATURES)

/* Which of them the kernel's words say that a management device does not take; 0: they say no such thing. */
uint32_t vdpa_parse_refused(const char *extack);
