/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Has the kernel make the next devices while the worker is at the one before.
 *
 * To make a device takes the kernel's lock of all vDPA; to bind it, to give its node to somebody and to look at it
 * takes locks of that device only. So both go on beside each other: the maker is a thread with a netlink socket of
 * its own, that makes what is begun, in order, and may ask for the configuration as well, while nobody else wants
 * the lock that this takes. Nothing else is done there.
 *
 * All functions are the worker's, but for maker_command(). */

#include "inventory/device.h"
#include "inventory/error.h"

/* Devices that are begun and not finished. */
#define MAKER_AHEAD_MAX 4

typedef struct Maker Maker;

/* The thread is started when it is needed first. Returns 0 or -ENOMEM. */
int maker_new(Maker **ret);

/* Nothing may be under way. */
Maker *maker_free(Maker *m);
DEFINE_CLEANUP(Maker *, maker_free)

/* Whether another device can be begun: there is room for it, and a thread. */
bool maker_is_ready(Maker *m);

/* Begins the device, if maker_is_ready(). What is passed is borrowed until it is finished. ask_config: its
 * configuration is wanted. */
void maker_begin(Maker *m, const char *name, const char *mgmtdev, const DeviceSpec *spec, bool ask_config);

/* Whether that device is begun, and the one to be finished next. */
bool maker_is_next(Maker *m, const char *name);

/* What the kernel says of a device that it has made. */
typedef struct MakerResult {
        uint32_t refused;    /* as vdpa_netlink_create() says it */
        bool has_config;     /* it was asked for its configuration, which some devices do not have */
        DeviceStatus config; /* what that tells; all else is zero */
} MakerResult;

/* Waits for the one that is next. Returns 0, or a negative errno with f set, as vdpa_netlink_create() does. *ret is
 * set in any case. */
int maker_finish(Maker *m, MakerResult *ret, Failure *f);

/* The number of the command that someone waits for in maker_finish() just now, or -1. On any thread. */
int maker_command(Maker *m);
