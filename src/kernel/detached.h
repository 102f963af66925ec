/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* System calls that may not come back.
 *
 * Unbinding a driver waits, in the kernel and beyond any signal, until the last user of the endpoint is gone. Other
 * writes to the same device wait for the lock that it holds, and the opening of a node waits for the device behind
 * it. So each is made by a thread of its own, which is left behind when it takes too long. Such a thread owns all
 * that it touches. There is at most one of them a device, and DETACHED_MAX at all: what hangs does not pile up. */

#include <stdint.h>

#include "inventory/spec.h"
#include "kernel/sysfs.h"

#define DETACHED_MAX       64
#define DETACHED_STEPS_MAX 3

/* One write to a file of sysfs. */
typedef struct WriteStep {
        char path[SYSFS_PATH_MAX];
        char text[DEVICE_NAME_MAX];
        bool maybe_absent; /* -ENODEV is as good as success */
} WriteStep;

/* On the calling thread: writes in order, up to the first that fails. Returns 0, or its negative errno. */
int write_steps(const WriteStep *steps, size_t n);

/* What one thread does. */
typedef struct DetachedJob DetachedJob;

/* Those that are under way or hang. Zero is empty. */
typedef struct Detached {
        DetachedJob *jobs[DETACHED_MAX];
        uint64_t hangs_since_usec; /* CLOCK_REALTIME; set with -EALREADY and -EINPROGRESS */
} Detached;

/* Starts the writes, in order, up to the first that fails. Returns 0; -EALREADY: an earlier job for this device
 * hangs; -EAGAIN: too many hang, or no thread can be had; -ENOMEM. Finish it in any case. */
int detached_start_writes(Detached *d, const char *device, const WriteStep *steps, size_t n, DetachedJob **ret);

/* Whether it has come back. */
bool detached_is_done(DetachedJob *job);

/* Waits for the job until the deadline (CLOCK_MONOTONIC), and hands it back. Returns its result; or -EINPROGRESS:
 * it hangs, and is left behind. */
int detached_finish(Detached *d, DetachedJob *job, uint64_t deadline_usec);

/* Opens a node. Returns a descriptor, the negative errno of open(), or as the functions above. */
int detached_open(Detached *d, const char *device, const char *path, int flags, uint64_t deadline_usec);

/* Forgets what hangs; the threads free what they own when they come back. */
void detached_done(Detached *d);
