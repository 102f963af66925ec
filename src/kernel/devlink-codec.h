/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages of the devlink netlink family, built and parsed. No I/O and no state: what is parsed may be any bytes.
 *
 * Building returns 0, or -ENOMEM. The caller frees the message with nlmsg_free(). Parsing takes one whole message
 * (nlmsg_ok()) and returns 0, or -EBADMSG if it is not what it should be, or -ENAMETOOLONG if a handle does not
 * fit. What is to be filled is written only on success.
 *
 * The numbers are our own: the system's <linux/devlink.h> may be older than the kernel, which says more by now. */

#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>

#include "inventory/spec.h"

#define DEVLINK_FAMILY         "devlink"
#define DEVLINK_FAMILY_VERSION 1

typedef enum DevlinkFlavour {
        DEVLINK_FLAVOUR_OTHER,
        DEVLINK_FLAVOUR_PCI_VF,
        DEVLINK_FLAVOUR_PCI_SF,
} DevlinkFlavour;

/* A port of an eswitch, and the function on its other side. */
typedef struct DevlinkPort {
        char switch_handle[HANDLE_MAX]; /* "pci/0000:06:00.0" */
        DevlinkFlavour flavour;
        bool is_external;                 /* the function is on another host */
        uint32_t number;                  /* of the VF or SF */
        char function_handle[HANDLE_MAX]; /* "auxiliary/mlx5_core.sf.4"; "": the kernel does not tell */
        bool has_max_io_eqs;
        uint32_t max_io_eqs; /* event queues for I/O that the function can have; each has an interrupt of its own */
} DevlinkPort;

int devlink_build_port_dump(struct nl_msg **ret);
int devlink_parse_port(struct nlmsghdr *m, DevlinkPort *ret);

/* The resources of the device with the handle; the answer can be several messages. */
int devlink_build_resources(const char *handle, struct nl_msg **ret);

/* Adds to *size what the resource with the name has; whether there is one is told by *found, which is else left as
 * it is. Resources in resources are looked at to a certain depth. */
int devlink_parse_resource(struct nlmsghdr *m, const char *name, bool *found, uint64_t *size);
