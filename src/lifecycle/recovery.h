/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the store's records to an inventory that agrees with the host: at start, and for a device that a later look
 * at the host puts in doubt.
 *
 *   recorded      the host has it       the host does not      the host does not, and has started anew
 *   reserved      made ready            made                   made
 *   ready, lost   ready                 lost                   made if persistent, else dropped
 *   deleting      deleted               dropped                dropped
 *   failed        stays, for the user to see
 *
 * A device without a management device to make it on is lost instead, and made when that comes: in the same boot
 * whatever it is, after another one if it is persistent. At the first start of a boot the start is not over before
 * that, or before some patience is: drivers may be slower than the daemon, and what needs its devices waits for it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-id128.h>

#include "lifecycle/lifecycle.h"

typedef struct Recovery {
        bool is_running;
        bool is_continuing; /* guards against recursion */
        bool is_new_boot;
        bool has_failed; /* a record could not be kept up to date: the boot ID must stay as it is */
        char boot_id[SD_ID128_UUID_STRING_MAX];
        char cursor[DEVICE_NAME_MAX]; /* devices up to this name are done or under way */
        uint64_t patience_end_usec;   /* until when management devices may be late, monotonic; 0: not set yet */
        bool is_waiting;              /* for them: all else is done */
        outcome_done_t done;          /* NULL: was called */
        void *userdata;
} Recovery;

/* Loads the store into the inventory, looks at the host and brings both together; done() is called then. */
int recovery_start(Lifecycle *l, outcome_done_t done, void *userdata);

/* Called when an operation or a look has ended: goes on if a recovery is under way. */
void recovery_continue(Lifecycle *l);

/* The look at the host does not come back: if it is that of the start, the start is over without it, and goes on
 * when it does come back. */
void recovery_on_late_look(Lifecycle *l);

/* Begins an operation that finds out whether a ready or lost device is there. is_new_boot: what is gone is gone
 * because the host has started anew. */
void recovery_check(Lifecycle *l, Device *device, bool is_new_boot);

/* Whether the device is lost because its management device is: it is made again when that is back. */
bool recovery_waits_for_mgmtdev(const Device *device);
