/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The simulated backend itself, for the files that it is made of. */

#include <pthread.h>

#include "sim/outside.h"
#include "sim/sim-unit.h"

typedef struct Sim {
        Backend backend;
        pthread_mutex_t lock; /* of all below: the backend's worker and the outside use it */
        Model *model;
        int open_fd;                           /* the directory of open endpoints */
        SimUnit *by_index[MODEL_MGMTDEVS_MAX]; /* weak */
        Outside *outside;
        size_t n_units;
        SimUnit units[];
} Sim;

/* The backend is its first member. With the lock taken until the variable's scope ends. */
static inline Sim *sim_lock(Backend *b) {
        Sim *s = (Sim *) b;

        pthread_mutex_lock(&s->lock);
        return s;
}

static inline void sim_unlockp(Sim **s) {
        pthread_mutex_unlock(&(*s)->lock);
}

#define _cleanup_sim_ _cleanup_(sim_unlockp)

SimUnit *sim_find_unit(Sim *s, const char *handle);

static inline SimUnit *sim_unit_of(Sim *s, const ModelDevice *d) {
        return s->by_index[d->mgmtdev];
}

/* In doubt it is open: then nothing is taken away from anyone. */
bool sim_is_open(const Sim *s, const ModelDevice *d);

/* What it holds, by what the model says. Returns 0, or -ENOMEM. */
int sim_get_holdings(const Model *m, const ModelDevice *d, DeviceResources *ret);

/* An outside_command_t, whose userdata is the Sim: see docs/drift.md. */
void sim_run_outside(void *sim, char *text, char ret_answer[static OUTSIDE_TEXT_MAX],
                     char ret_hint[static DEVICE_NAME_MAX]);
