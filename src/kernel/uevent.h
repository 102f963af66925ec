/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel and udev say of devices that come, go, and are bound: hints for the backend's watcher. vDPA
 * netlink tells nobody of changes. Neither do uevents of all of them: nobody says that an address has changed. */

#include "backend/backend.h"
#include "util/macro.h"

typedef struct UeventMonitor UeventMonitor;

/* Where there is no udev there are no hints of interfaces, disks and management devices, which is no error. Returns
 * 0, or a negative errno. */
int uevent_monitor_new(sd_event *event, const BackendWatcher *watcher, UeventMonitor **ret);
UeventMonitor *uevent_monitor_free(UeventMonitor *m);
DEFINE_CLEANUP(UeventMonitor *, uevent_monitor_free)

/* Opens where the kernel counts events. root: see kernel/sysfs.h. Returns a descriptor, which the caller closes;
 * -1: there is no such file. */
int uevent_counter_open(const char *root);

/* How many events there have been, and one more: the count that a status seen from now on has (see BackendHint).
 * 0: not known. May be called on any thread. */
uint64_t uevent_count(int counter);
