/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What has just been answered of a device, by the kernel and by the device itself of its groups, so that others of
 * its kind, made right after it, need not be asked.
 *
 * To ask a device means to open its node, and that resets the device and takes longer than to make it; to ask the
 * kernel means that it goes through all devices for a name. What they answer is the driver's doing: what one
 * management device makes of the same attributes has the same groups, as many virtqueues and the same
 * configuration, but for an address. That may end when a module is loaded anew with other parameters, which nobody
 * tells in time; so an answer counts for a moment only, which is enough for whoever makes thousands. */

#include <stdbool.h>

#include "inventory/device.h"
#include "kernel/vhost.h"
#include "util/clock.h"

#define VHOST_KINDS_USEC (1 * USEC_PER_SEC)

/* As many kinds as are made at the same time; then the oldest answer is forgotten. */
#define VHOST_KINDS_MAX 16

typedef struct VhostKind {
        char mgmtdev[HANDLE_MAX]; /* "": a kind of its own, never remembered */
        unsigned class;           /* as all below: that was asked for */
        uint32_t max_vqp;         /* 0: none */
        uint16_t mtu;             /* 0: none */
        bool has_mac, has_features;
        uint64_t features;
} VhostKind;

typedef struct VhostAnswers {
        DeviceStatus status; /* of DEV_GET; all else is zero */
        VhostGroups groups;
        bool has_config;
        DeviceStatus config; /* of DEV_CONFIG_GET; all else is zero */
} VhostAnswers;

/* Zero is empty. */
typedef struct VhostKinds {
        struct {
                VhostKind kind;
                uint64_t asked_usec; /* monotonic */
                VhostAnswers answers;
        } known[VHOST_KINDS_MAX];
        unsigned n, next;
} VhostKinds;

/* Of a device that was just made, there and of that. */
VhostKind vhost_kind(const char *mgmtdev, const DeviceSpec *spec);

/* NULL: none of that kind was asked in the moment before now_usec (CLOCK_MONOTONIC, as below). */
const VhostAnswers *vhost_kinds_find(const VhostKinds *k, const VhostKind *kind, uint64_t now_usec);

/* The configuration of a device of that kind that was made of the spec. False: only the kernel knows. */
bool vhost_answers_config(const VhostAnswers *answers, const DeviceSpec *spec, DeviceStatus *ret);

void vhost_kinds_add(VhostKinds *k, const VhostKind *kind, const VhostAnswers *answers, uint64_t now_usec);
