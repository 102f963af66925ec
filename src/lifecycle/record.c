/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/record.h"

#include "lifecycle/context.h"
#include "util/log.h"

static void on_recorded(void *userdata, const Failure *failure) {
        if (failure)
                log_error_errno(failure->error,
                                "The inventory on disk is behind; the next start makes up for it: %s",
                                failure->detail);
}

static bool queued(int r) {
        if (r < 0)
                log_error_errno(r, "The inventory on disk is behind; the next start makes up for it: %m");
        return r == 0;
}

bool record_device(Lifecycle *l, const Device *device) {
        return queued(store_put_device(l->store, device, on_recorded, NULL));
}

bool record_removal(Lifecycle *l, const Device *device) {
        return queued(store_remove_device(l->store, device->name, ++l->inventory->revision, on_recorded, NULL));
}
