/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel said of all devices a moment ago. To ask for one by its name means that it goes through all of
 * them, so that to ask for each of very many takes it the square of that; two dumps tell the same of all.
 *
 * A device that others have made again since is not told from the one before it. That and all else that others do
 * comes with events, and a status from here has the count of events of when it was taken; but nobody tells that an
 * address was changed. So it counts for a few seconds only. */

#include "kernel/vdpa-netlink.h"
#include "util/clock.h"

#define SNAPSHOT_USEC (5 * USEC_PER_SEC)

/* Zero is none. */
typedef struct Snapshot {
        VdpaStatus *devices; /* in order of name; owned; NULL: there is none */
        size_t n;
        uint64_t taken_usec; /* monotonic */
} Snapshot;

/* Keeps one that still counts. Without an answer there is none, which is no error. seen_at: uevent_count() just
 * now. */
void snapshot_take(Snapshot *s, GenlSocket *netlink, uint64_t seen_at);

/* NULL: there is none that counts, or it does not have the device, which can be there all the same. */
const VdpaStatus *snapshot_find(Snapshot *s, const char *name);

/* We are about to change the device. */
void snapshot_forget(Snapshot *s, const char *name);

/* Frees one that does not count any more. */
void snapshot_expire(Snapshot *s);

void snapshot_done(Snapshot *s);
