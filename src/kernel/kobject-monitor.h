/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel itself says of the devices of one subsystem, before udev has seen it, and also where there is no
 * udev. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "util/macro.h"

typedef struct KobjectEvent {
        const char *action; /* "add", "bind", ... */
        const char *name;   /* of the device */
        uint64_t seqnum;    /* of all events of the host */
} KobjectEvent;

/* event: NULL: some were lost. */
typedef void (*KobjectCall)(void *userdata, const KobjectEvent *event);

typedef struct KobjectMonitor KobjectMonitor;

/* Events come some milliseconds late, and then many at once: who makes thousands of devices has a message for each
 * step of each. subsystem: borrowed. Returns 0, or a negative errno. */
int kobject_monitor_new(sd_event *event, const char *subsystem, KobjectCall call, void *userdata,
                        KobjectMonitor **ret);
KobjectMonitor *kobject_monitor_free(KobjectMonitor *m);
DEFINE_CLEANUP(KobjectMonitor *, kobject_monitor_free)

/* Reads one message of n bytes, which must have a NUL behind it. False: it is none of that subsystem, or makes no
 * sense. What *ret has points into the message. */
bool kobject_event_parse(const char *message, size_t n, const char *subsystem, KobjectEvent *ret);
