/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The simulated backend with a switch before each of its steps: what fails, and whether it does so before or after
 * the step was taken, and which management device has been pulled out. It outlives whoever uses it, as hardware
 * does; free() of its operations is nothing. */

#include "backend/backend.h"

typedef enum HostStep {
        HOST_CREATE,
        HOST_ASSIGN,
        HOST_BIND,
        HOST_PUBLISH,
        HOST_OBSERVE,
        HOST_SET_MAC,
        HOST_DESTROY,
        HOST_LIST,
        HOST_SCRUB,
        _HOST_STEP_MAX,
} HostStep;

/* Of each of the two management devices: the first has room for few devices, the second for more. */
#define HOST_SMALL "pci/0000:01:00.0"
#define HOST_LARGE "sim0"

/* Makes it in a directory; fails the run if that does not work. */
Backend *host_open(const char *directory);
void host_close(void);

/* The next times that step fails, at its beginning or at its end. */
void host_fail(HostStep step, unsigned times, bool is_late);

/* Those below while the worker is idle. Pulls the small management device out, with its devices, or puts it back.
 */
void host_pull_out(bool small);

/* No device, no failure, nothing pulled out. Nothing may be in use. */
void host_reset(void);

/* How many rules the daemon has broken, as the hardware counts it. */
uint64_t host_count_faults(void);

/* A device that nobody recorded, and the end of one: behind the daemon's back. */
void host_make_foreign(const char *name);
void host_destroy(const char *name);
