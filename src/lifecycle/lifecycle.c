/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/lifecycle.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/adopt.h"
#include "lifecycle/context.h"
#include "lifecycle/create.h"
#include "lifecycle/delete.h"
#include "lifecycle/job.h"
#include "lifecycle/lease.h"
#include "lifecycle/mgmtdev-update.h"
#include "lifecycle/record.h"
#include "lifecycle/renew.h"
#include "lifecycle/repair.h"
#include "lifecycle/stats.h"
#include "lifecycle/stuck.h"
#include "lifecycle/update.h"
#include "lifecycle/users.h"
#include "util/clock.h"

/* Until they are set. */
#define KEYS_DEFAULT           65536
#define TOMBSTONES_DEFAULT     131072
#define RETENTION_DEFAULT_USEC (86400 * USEC_PER_SEC)

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
        l->drift_mode = DRIFT_OBSERVE;
        STAILQ_INIT(&l->mgmtdev_updates);
        receipts_init(&l->receipts, KEYS_DEFAULT, RETENTION_DEFAULT_USEC);
        tombstones_init(&l->tombstones, TOMBSTONES_DEFAULT, RETENTION_DEFAULT_USEC);

        LIST_INIT(&l->batches);
        release_init(l);
        await_init(l);
        inventory->clock = store_clock(store);
        r = scan_init(l);
        if (r >= 0)
                r = watch_init(l);
        if (r < 0)
                return r;
        r = lease_init(l);
        if (r >= 0)
                r = pools_init(l);
        if (r < 0)
                return r;
        r = job_queue_new(event, "backend", backend, SIZE_MAX, &l->worker);
        if (r < 0)
                return r;
        r = job_queue_new(event, "users", backend, USERS_QUEUED_MAX, &l->looker);
        if (r < 0)
                return r;
        store_watch(store, record_on_trouble, l);

        *ret = TAKE_PTR(l);
        return 0;
}

void lifecycle_set_retention(Lifecycle *l, uint64_t usec, size_t max_keys, size_t max_tombstones) {
        l->receipts.retention_usec = l->tombstones.retention_usec = usec;
        l->receipts.max = max_keys;
        l->tombstones.max = max_tombstones;
}

void lifecycle_set_placement_policy(Lifecycle *l, PlacementPolicy policy) {
        l->placement_policy = policy;
}

void lifecycle_set_drift_mode(Lifecycle *l, DriftMode mode) {
        l->drift_mode = mode;
}

DriftMode lifecycle_drift_mode(const Lifecycle *l, const Device *device) {
        return device->spec.drift == DRIFT_DEFAULT ? l->drift_mode : device->spec.drift;
}

void lifecycle_set_boot_patience(Lifecycle *l, uint64_t usec) {
        l->patience_usec = usec;
}

Lifecycle *lifecycle_free(Lifecycle *l) {
        if (!l)
                return NULL;

        assert(l->n_operations == 0 && l->n_batches == 0);
        store_watch(l->store, NULL, NULL);
        scan_done(l);
        watch_done(l);
        workqueue_free(l->looker);
        lease_done(l);
        pools_done(l);
        confirm_done(l);
        batches_done(l);
        workqueue_free(l->worker);
        sd_event_unref(l->event);
        free(l->sriov);
        receipts_done(&l->receipts);
        tombstones_done(&l->tombstones);
        free(l);
        return NULL;
}

int lifecycle_start(Lifecycle *l, outcome_done_t done, void *userdata) {
        watch_start(l);
        return recovery_start(l, done, userdata);
}

/* How long a stop waits for a backend that hangs. */
#define STUCK_STOP_USEC (3 * USEC_PER_SEC)

static bool is_busy(const Lifecycle *l) {
        return l->n_operations > 0 || l->n_batches > 0 ||
               workqueue_length(l->worker) + workqueue_length(l->looker) > 0;
}

bool lifecycle_stop(Lifecycle *l, uint64_t timeout_usec) {
        uint64_t now = clock_monotonic_usec(), end = now + timeout_usec;
        Stuck stuck;

        /* What has hung for so long will not be over just now. */
        if (lifecycle_get_stuck(l, &stuck) && timeout_usec > STUCK_STOP_USEC)
                end = now + STUCK_STOP_USEC;
        l->stopping = true;
        l->ready = false;
        l->recovery.is_running = false;
        scan_done(l);
        watch_done(l);
        release_done(l);
        await_done(l);
        lease_done(l);
        pools_done(l);

        /* Each round lets the loop bring the operations one step on: backend, store, answer. */
        for (; is_busy(l) && now < end; now = clock_monotonic_usec())
                (void) sd_event_run(l->event, end - now);

        now = clock_monotonic_usec();
        return !is_busy(l) && store_drain(l->store, now < end ? end - now : 0);
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

const StoreTrouble *lifecycle_trouble(const Lifecycle *l) {
        return store_trouble(l->store);
}

int lifecycle_backup(Lifecycle *l, store_backup_done_t done, void *userdata) {
        return store_backup(l->store, done, userdata);
}

Workqueue *lifecycle_writer(Lifecycle *l) {
        return store_writer(l->store);
}

Workqueue *lifecycle_worker(Lifecycle *l) {
        return l->worker;
}

size_t lifecycle_max_operations(const Lifecycle *l) {
        return l->max_operations;
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

/* What a create is beside its name and spec. */
typedef struct CreateOptions {
        bool is_plan;
        bool is_batched;
        const char *holder;               /* or NULL */
        const Precondition *precondition; /* or NULL */
} CreateOptions;

static void create(Lifecycle *l, const char *name, DeviceSpec *spec, const CreateOptions *options,
                   outcome_done_t done, void *userdata) {
        char generated[DEVICE_NAME_MAX];
        Verb *verb;

        if (!name) {
                generate_name(l->inventory, generated);
                name = generated;
        }

        verb = verb_new(l, create_run, name, options->precondition, done, userdata);
        if (!verb) {
                device_spec_done(spec);
                return;
        }
        verb->spec = *spec;
        verb->is_plan = options->is_plan;
        verb->is_batched = options->is_batched;
        device_spec_init(spec);
        if (options->holder)
                strcpy(verb->holder, options->holder);
        verb_start(verb);
}

void lifecycle_create_device(Lifecycle *l, const char *name, DeviceSpec *spec, const Precondition *precondition,
                             outcome_done_t done, void *userdata) {
        create(l, name, spec, &(CreateOptions){ .precondition = precondition }, done, userdata);
}

void lifecycle_create_held_device(Lifecycle *l, const char *name, DeviceSpec *spec, const char *holder,
                                  const Precondition *precondition, outcome_done_t done, void *userdata) {
        create(l, name, spec, &(CreateOptions){ .holder = holder, .precondition = precondition }, done, userdata);
}

void lifecycle_create_batched_device(Lifecycle *l, const char *name, DeviceSpec *spec, const char *holder,
                                     outcome_done_t done, void *userdata) {
        create(l, name, spec, &(CreateOptions){ .holder = holder, .is_batched = true }, done, userdata);
}

void lifecycle_plan_device(Lifecycle *l, const char *name, DeviceSpec *spec, outcome_done_t done, void *userdata) {
        create(l, name, spec, &(CreateOptions){ .is_plan = true }, done, userdata);
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
        if (verb_take_patch(verb, patch))
                verb_start(verb);
}

void lifecycle_renew_device(Lifecycle *l, const char *name, const Precondition *precondition,
                            const uint32_t *seconds, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, renew_run, name, precondition, done, userdata);

        if (!verb)
                return;
        verb->patch.has_lease = seconds;
        verb->patch.lease_seconds = seconds ? *seconds : 0;
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

void lifecycle_repair_device(Lifecycle *l, const char *name, bool may_recreate, outcome_done_t done,
                             void *userdata) {
        Verb *verb = verb_new(l, repair_run, name, NULL, done, userdata);

        if (!verb)
                return;
        verb->may_recreate = may_recreate;
        verb_start(verb);
}

void lifecycle_adopt_device(Lifecycle *l, const char *name, json_t *spec, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, adopt_run, name, NULL, done, userdata);

        if (!verb)
                return;
        verb->adopt_spec = json_deep_copy(spec);
        if (spec && !verb->adopt_spec)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        else
                verb_start(verb);
}

static void refresh_run(Verb *verb) {
        if (verb->has_looked) {
                verb_answer(verb, &(Outcome){});
                return;
        }
        verb->has_looked = true;
        watch_refresh(verb->lifecycle, verb);
}

void lifecycle_refresh(Lifecycle *l, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, refresh_run, "", NULL, done, userdata);

        if (verb)
                verb_start(verb);
}

void lifecycle_get_users(Lifecycle *l, const char *name, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, users_run, name, NULL, done, userdata);

        if (verb)
                verb_start(verb);
}

void lifecycle_get_stats(Lifecycle *l, const char *name, outcome_done_t done, void *userdata) {
        Verb *verb = verb_new(l, stats_run, name, NULL, done, userdata);

        if (verb)
                verb_start(verb);
}
