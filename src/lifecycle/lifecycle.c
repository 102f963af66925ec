/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/lifecycle.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/create.h"
#include "lifecycle/delete.h"
#include "lifecycle/job.h"
#include "lifecycle/mgmtdev-update.h"
#include "lifecycle/stats.h"
#include "lifecycle/update.h"
#include "util/clock.h"

int lifecycle_new(sd_event *event, Inventory *inventory, Store *store, Backend *backend, size_t max_queued,
                  Lifecycle **ret) {
        _cleanup_(lifecycle_freep) Lifecycle *l = NULL;
        int r;

        l = calloc(1, sizeof *l);
        if (!l)
                return -ENOMEM;

        l->event = sd_event_ref(event);
        l->inventory = inventory;
        l->store = store;
        l->backend = backend;
        l->max_operations = max_queued;
        STAILQ_INIT(&l->mgmtdev_updates);

        release_init(l);
        r = scan_init(l);
        if (r < 0)
                return r;
        r = job_queue_new(event, backend, &l->worker);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

void lifecycle_set_placement_policy(Lifecycle *l, PlacementPolicy policy) {
        l->placement_policy = policy;
}

Lifecycle *lifecycle_free(Lifecycle *l) {
        if (!l)
                return NULL;

        assert(l->n_operations == 0);
        scan_done(l);
        workqueue_free(l->worker);
        sd_event_unref(l->event);
        free(l->sriov);
        free(l);
        return NULL;
}

int lifecycle_start(Lifecycle *l, outcome_done_t done, void *userdata) {
        return recovery_start(l, done, userdata);
}

bool lifecycle_stop(Lifecycle *l, uint64_t timeout_usec) {
        uint64_t now = clock_monotonic_usec(), end = now + timeout_usec;

        l->stopping = true;
        l->ready = false;
        l->recovery.is_running = false;
        scan_done(l);
        release_done(l);

        /* Each round lets the loop bring the operations one step on: backend, store, answer. */
        for (; (l->n_operations > 0 || workqueue_length(l->worker) > 0) && now < end; now = clock_monotonic_usec())
                (void) sd_event_run(l->event, end - now);

        now = clock_monotonic_usec();
        return l->n_operations == 0 && workqueue_length(l->worker) == 0 &&
               store_drain(l->store, now < end ? end - now : 0);
}

bool lifecycle_is_ready(const Lifecycle *l) {
        return l->ready;
}

const BackendHost *lifecycle_host(const Lifecycle *l) {
        return &l->host;
}

const BackendSriov *lifecycle_sriov(const Lifecycle *l, size_t *ret_n) {
        *ret_n = l->n_sriov;
        return l->sriov;
}

Inventory *lifecycle_inventory(Lifecycle *l) {
        return l->inventory;
}

const char *lifecycle_backend_name(const Lifecycle *l) {
        return l->backend->ops->name;
}

size_t lifecycle_n_operations(const Lifecycle *l) {
        return l->n_operations;
}

Workqueue *lifecycle_worker(Lifecycle *l) {
        return l->worker;
}

void lifecycle_set_max_operations(Lifecycle *l, size_t max) {
        l->max_operations = max;
}

/* "vd-" and the random end of a fresh uid. */
static void generate_name(Inventory *inv, char ret[DEVICE_NAME_MAX]) {
        do {
                char uid[UID_TEXT_MAX];

                uid_generate(clock_realtime_usec(), uid);
                (void) snprintf(ret, DEVICE_NAME_MAX, "vd-%s", uid + strlen(uid) - 12);
        } while (inventory_find_device(inv, ret));
}

static void create_or_plan(Lifecycle *l, const char *name, DeviceSpec *spec, bool is_plan, const char *holder,
                           outcome_done_t done, void *userdata) {
        char generated[DEVICE_NAME_MAX];
        Verb *verb;

        if (!name) {
                generate_name(l->inventory, generated);
                name = generated;
        }

        verb = verb_new(l, create_run, name, NULL, done, userdata);
        if (!verb) {
                device_spec_done(spec);
                return;
        }
        verb->spec = *spec;
        verb->is_plan = is_plan;
        device_spec_init(spec);
        strcpy(verb->holder, holder);
        verb_start(verb);
}

void lifecycle_create_device(Lifecycle *l, const char *name, DeviceSpec *spec, outcome_done_t done,
                             void *userdata) {
        create_or_plan(l, name, spec, false, "", done, userdata);
}

void lifecycle_create_held_device(Lifecycle *l, const char *name, DeviceSpec *spec, const char *holder,
                                  outcome_done_t done, void *userdata) {
        create_or_plan(l, name, spec, false, holder, done, userdata);
}

void lifecycle_plan_device(Lifecycle *l, const char *name, DeviceSpec *spec, outcome_done_t done, void *userdata) {
        create_or_plan(l, name, spec, true, "", done, userdata);
}

void lifecycle_delete_device(Lifecycle *l, const char *name, const Precondition *precondition, outcome_done_t done,
                             void *userdata) {
        Verb *verb = verb_new(l, delete_run, name, precondition, done, userdata);

        if (verb)
                verb_start(verb);
}

void lifecycle_update_device(Lifecycle *l, const char *name, const Precondition *precondition,
                             const DevicePatch *patch, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, update_run, name, precondition, done, userdata);

        if (!verb)
                return;
        verb->patch = *patch;
        verb->patch.owner = patch->owner ? strdup(patch->owner) : NULL;
        verb->patch.labels = json_deep_copy(patch->labels);
        if ((patch->owner && !verb->patch.owner) || (patch->labels && !verb->patch.labels)) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        verb_start(verb);
}

void lifecycle_update_mgmtdev(Lifecycle *l, const char *handle, const Precondition *precondition, json_t *patch,
                              outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, mgmtdev_update_run, "", precondition, done, userdata);

        if (!verb)
                return;
        (void) snprintf(verb->handle, sizeof verb->handle, "%s", handle);
        verb->mgmtdev_patch = json_deep_copy(patch);
        if (!verb->mgmtdev_patch) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        verb_start(verb);
}

void lifecycle_get_stats(Lifecycle *l, const char *name, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, stats_run, name, NULL, done, userdata);

        if (verb)
                verb_start(verb);
}
