/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the two halves of the fake backend share: the host's tables and the lock before them. Nobody else includes
 * this. */

#include <pthread.h>

#include "fake-backend.h"

#define N_DEVICES  1024
#define N_SRIOV    4
#define N_MGMTDEVS 8

typedef struct Fake {
        Backend backend;
        pthread_mutex_t lock; /* of all below */
        pthread_cond_t changed;
        struct {
                unsigned n_fail;
                ErrorCode code;
                int error;
                bool hold;
                unsigned n_held, n_calls;
        } calls[_FAKE_CALL_MAX];
        char log[4096], taken[4096];
        bool available;
        MgmtdevInfo mgmtdevs[N_MGMTDEVS];
        size_t n_mgmtdevs;
        BackendSriov sriov[N_SRIOV];
        size_t n_sriov;
        FakeDevice devices[N_DEVICES];
        unsigned n_endpoints;
        bool unsettles; /* new endpoints may be renamed */
} Fake;

/* With the lock taken until the variable's scope ends. */
Fake *fake_lock(Backend *b);
void fake_unlockp(Fake **fake);

#define _cleanup_unlock_ _cleanup_(fake_unlockp)

/* NULL: there is none. */
FakeDevice *fake_find(Fake *fake, const char *name);
MgmtdevInfo *fake_find_mgmtdev(Fake *fake, const char *handle);

/* Without an endpoint at first. */
FakeDevice *fake_add(Fake *fake, const char *name, const char *mgmtdev, unsigned class);
void fake_give_endpoint(Fake *fake, FakeDevice *device, BusDriver driver);
