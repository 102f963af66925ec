/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of lifecycle/ share: the Lifecycle itself. Nobody else includes this. */

#include "lifecycle/await.h"
#include "lifecycle/batch.h"
#include "lifecycle/confirm.h"
#include "lifecycle/lease.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/load.h"
#include "lifecycle/pool.h"
#include "lifecycle/receipt.h"
#include "lifecycle/recovery.h"
#include "lifecycle/release.h"
#include "lifecycle/scan.h"
#include "lifecycle/tombstone.h"
#include "lifecycle/verb.h"
#include "lifecycle/watch.h"
#include "util/workqueue.h"

struct Lifecycle {
        const LoadCheck *check; /* loads to see what is wrong; NULL: to go on with it */
        sd_event *event;
        Inventory *inventory; /* weak */
        Store *store;         /* weak */
        Backend *backend;     /* weak */
        Workqueue *worker;
        Workqueue *looker; /* for what waits for no command of the worker's */

        PlacementPolicy placement_policy; /* of specs that have none */
        DriftMode drift_mode;             /* likewise; never DRIFT_DEFAULT */

        uint64_t patience_usec; /* that a start has with late management devices */

        size_t max_operations; /* that requests may have under way */
        size_t n_operations;
        size_t n_own_operations; /* of those, without a verb */

        bool ready;
        bool stopping;

        bool has_unrecorded; /* a record that nobody waits for could not be written */

        bool is_updating_mgmtdev;
        VerbList mgmtdev_updates; /* those that wait for the one under way */

        Leases leases;
        Receipts receipts;
        Tombstones tombstones;

        BackendHost host;
        BackendSriov *sriov; /* owned */
        size_t n_sriov;
        Scanner scanner;
        Watch watch;
        Recovery recovery;
        Confirms confirms; /* of the recovery */
        Releases releases;
        Pools pools;
        Awaits awaits;
        struct BatchList batches;
        unsigned n_batches;
        sd_event_source *trim_timer; /* after large ones */
};
