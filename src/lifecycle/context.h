/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of lifecycle/ share: the Lifecycle itself. Nobody else includes this. */

#include "lifecycle/lifecycle.h"
#include "lifecycle/recovery.h"
#include "lifecycle/release.h"
#include "lifecycle/scan.h"
#include "lifecycle/verb.h"
#include "util/workqueue.h"

struct Lifecycle {
        sd_event *event;
        Inventory *inventory; /* weak */
        Store *store;         /* weak */
        Backend *backend;     /* weak */
        Workqueue *worker;

        PlacementPolicy placement_policy; /* of specs that have none */

        size_t max_operations; /* that requests may have under way */
        size_t n_operations;

        bool ready;
        bool stopping;

        bool is_updating_mgmtdev;
        VerbList mgmtdev_updates; /* those that wait for the one under way */

        BackendHost host;
        BackendSriov *sriov; /* owned */
        size_t n_sriov;
        Scanner scanner;
        Recovery recovery;
        Releases releases;
};
