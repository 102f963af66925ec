/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/snapshot.h"

void snapshot_done(Snapshot *s) {
        free(s->devices);
        *s = (Snapshot){};
}

void snapshot_expire(Snapshot *s) {
        if (s->devices && clock_monotonic_usec() - s->taken_usec >= SNAPSHOT_USEC)
                snapshot_done(s);
}

void snapshot_take(Snapshot *s, GenlSocket *netlink, uint64_t seen_at) {
        Failure f;

        snapshot_expire(s);
        if (s->devices)
                return;

        if (vdpa_netlink_list_statuses(netlink, &s->devices, &s->n, &f) < 0)
                return;
        for (size_t i = 0; i < s->n; i++)
                s->devices[i].status.seen_at = seen_at;
        s->taken_usec = clock_monotonic_usec();
}

const VdpaStatus *snapshot_find(Snapshot *s, const char *name) {
        const VdpaStatus *status;

        snapshot_expire(s);
        status = vdpa_status_find(s->devices, s->n, name);
        return status && status->has_config ? status : NULL;
}

void snapshot_forget(Snapshot *s, const char *name) {
        VdpaStatus *status = vdpa_status_find(s->devices, s->n, name);

        if (status)
                status->has_config = false;
}
