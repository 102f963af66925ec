/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a device has just answered of its groups, so that others of its kind, made right after it, need not be
 * asked.
 *
 * To ask a device means to open its node, and that resets the device and takes longer than to make it. What it
 * answers is the driver's doing: what one management device makes of the same attributes has the same groups. That
 * may end when a module is loaded anew with other parameters, which nobody tells in time; so an answer counts for a
 * moment only, which is enough for whoever makes thousands. */

#include <stdbool.h>

#include "inventory/device.h"
#include "kernel/vhost.h"
#include "util/clock.h"

#define VHOST_KINDS_USEC (1 * USEC_PER_SEC)

/* As many kinds as are made at the same time; then the oldest answer is forgotten. */
#define VHOST_KINDS_MAX 16

typedef struct VhostKind {
        char mgmtdev[HANDLE_MAX]; /* "": a kind of its own, never remembered */
        uint64_t parent;          /* the number of its directory in sysfs; VDUSE has one for each device */
        unsigned class;
        uint32_t max_vqs; /* that it has */
        uint32_t max_vqp; /* that were asked for; 0: none */
        bool has_features;
        uint64_t features; /* that were asked for */
} VhostKind;

/* Zero is empty. */
typedef struct VhostKinds {
        struct {
                VhostKind kind;
                uint64_t asked_usec; /* monotonic */
                VhostGroups groups;
        } known[VHOST_KINDS_MAX];
        unsigned n, next;
} VhostKinds;

/* Of a device that is there, by what it was made of and what is seen of it. root: see kernel/sysfs.h. */
VhostKind vhost_kind(const char *root, const char *name, const char *mgmtdev, const DeviceSpec *spec,
                     const DeviceStatus *status);

/* NULL: none of that kind was asked in the moment before now_usec (CLOCK_MONOTONIC, as below). */
const VhostGroups *vhost_kinds_find(const VhostKinds *k, const VhostKind *kind, uint64_t now_usec);

void vhost_kinds_add(VhostKinds *k, const VhostKind *kind, const VhostGroups *groups, uint64_t now_usec);
