/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the store's records to the inventory, as it was when the daemon stopped. */

#include "lifecycle/lifecycle.h"
#include "store/database.h"

/* What can be done about a record that cannot be right. */
typedef enum LoadFix {
        FIX_DROP_DEVICE,     /* the host's device, if there is one, is foreign from then on */
        FIX_DROP_HOLDINGS,   /* it is given others when it is seen on the host */
        FIX_DROP_HOLDER,     /* nobody holds the device */
        FIX_RESET_MGMTDEV,   /* what was set is forgotten, but that it is cordoned until someone has looked */
        FIX_DROP_POOL,       /* its free devices are deleted */
        FIX_DROP_QUARANTINE, /* what was released is not kept back */
        FIX_DROP_RECEIPT,    /* the request that comes again is a new one */
        FIX_DROP_TOMBSTONE,  /* that the device has gone is not known any more */
        FIX_RESET_CLOCK,     /* leases end by the wall clock, as after a reboot */
        FIX_RAISE_REVISION,  /* above all that were given out */
        FIX_EMPTY_BOOT_ID,   /* as if in no boot yet */
        FIX_NEW_UID,
        _FIX_MAX,
} LoadFix;

/* Who is told. table and key say of which record. */
typedef struct LoadCheck {
        void (*problem)(void *userdata, const char *table, const char *key, LoadFix fix, const char *text);
        void *userdata;
} LoadCheck;

/* Returns 0, or a negative errno that was logged, or for which f is set: -EUCLEAN if a record cannot be right. */
int load_inventory(Lifecycle *l, Failure *f);

/* Loads from a database into an inventory that is empty, to see what is wrong: a record that cannot be right is
 * told and left out. Returns 0, or a negative errno with f set. */
int load_check(Inventory *inventory, Database *db, const LoadCheck *check, Failure *f);
