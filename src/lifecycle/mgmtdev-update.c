/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/mgmtdev-update.h"

#include <errno.h>

#include "inventory/budget.h"
#include "lifecycle/context.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/mgmtdev-patch.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"

typedef struct Update {
        Verb *verb;
        MgmtdevSettings previous;
} Update;

/* Counts as an operation, so that a stop waits for it. */
static Update *update_begin(Verb *verb, const Mgmtdev *m) {
        Update *update = calloc(1, sizeof *update);

        if (!update)
                return NULL;
        if (mgmtdev_settings_copy(&m->settings, &update->previous) < 0 ||
            (verb->receipt && receipt_set_subject(verb->receipt, m->info.handle, "") < 0)) {
                mgmtdev_settings_done(&update->previous);
                free(update);
                return NULL;
        }

        update->verb = verb;
        verb->lifecycle->is_updating_mgmtdev = true;
        verb->lifecycle->n_operations++;
        return update;
}

static void update_end(Update *update, const Outcome *outcome) {
        Lifecycle *l = update->verb->lifecycle;

        l->is_updating_mgmtdev = false;
        l->n_operations--;
        verb_answer(update->verb, outcome);
        mgmtdev_settings_done(&update->previous);
        free(update);
        verb_start_all(&l->mgmtdev_updates);
        recovery_continue(l);
}

static void apply(Lifecycle *l, Mgmtdev *m, MgmtdevSettings *settings) {
        if (inventory_set_mgmtdev(l->inventory, m, settings, clock_monotonic_usec()) < 0)
                log_oom();
}

static void on_recorded(void *userdata, const Failure *failure) {
        Update *update = userdata;
        Lifecycle *l = update->verb->lifecycle;
        const char *handle = update->verb->handle;
        Mgmtdev *m = inventory_find_mgmtdev(l->inventory, handle);
        Outcome outcome = { .mgmtdev = m };

        CRASH_POINT(MGMTDEV_AFTER_RECORD);
        if (failure) {
                outcome = (Outcome){ .failure = *failure };
                if (m)
                        apply(l, m, &update->previous);
        } else if (m)
                log_notice("%s: what is set of it was changed", handle);
        else
                (void) failure_set(&outcome.failure, ERROR_MGMTDEV_NOT_FOUND, ENOENT, "%s is gone by now", handle);
        update_end(update, &outcome);
}

/* What is in use cannot be taken away by a number. */
static int check_totals(const Mgmtdev *m, const MgmtdevSettings *settings, Failure *f) {
        uint64_t now = clock_monotonic_usec();

        for (Resource r = 0; r < _RESOURCE_MAX; r++) {
                const BudgetSettings *b = &settings->budgets[r];
                uint32_t used = mgmtdev_budget(m, r, now).used;

                if (b->has_total && b->total < used)
                        return failure_set(f, ERROR_NO_CAPACITY, EBUSY,
                                           "%s: %s: %u are in use, which is more than %u", m->info.handle,
                                           resource_name(r), used, b->total);
        }

        return 0;
}

static void commit(Verb *verb, Mgmtdev *m, MgmtdevSettings *settings) {
        Lifecycle *l = verb->lifecycle;
        Update *update = update_begin(verb, m);
        StoreReceipt receipt;
        StoreNotes notes = {};
        Failure f;

        if (!update) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        apply(l, m, settings);
        CRASH_POINT(MGMTDEV_BEFORE_RECORD);
        idempotency_note(verb, &(Outcome){ .mgmtdev = m });
        notes.receipt = idempotency_receipt(verb, &receipt);
        if (store_put_mgmtdev(l->store, verb->handle, &m->settings, l->inventory->revision, &notes, on_recorded,
                              update) >= 0)
                return;
        (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        on_recorded(update, &f);
}

static void decode_and_commit(Verb *verb, Mgmtdev *m) {
        _cleanup_(mgmtdev_settings_done) MgmtdevSettings settings = {};
        Outcome outcome = {};
        JsonFaults faults = {};
        JsonDecoder d;
        int r;

        json_decoder_init(&d, &faults);
        r = mgmtdev_patch_decode(&d, m, verb->mgmtdev_patch, &settings);
        if (r == -EINVAL) {
                outcome.faults = &faults;
                (void) failure_set(&outcome.failure, ERROR_INVALID_REQUEST, EINVAL, "%s %s",
                                   faults.fault[0].pointer, faults.fault[0].detail);
                verb_answer(verb, &outcome);
        } else if (r < 0)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        else if (check_totals(m, &settings, &outcome.failure) < 0)
                verb_answer(verb, &outcome);
        else
                commit(verb, m, &settings);
}

void mgmtdev_update_run(Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        Mgmtdev *m = inventory_find_mgmtdev(l->inventory, verb->handle);
        const Precondition *p = &verb->precondition;

        if (!m)
                verb_fail(verb, ERROR_MGMTDEV_NOT_FOUND, ENOENT, "There is no management device %s", verb->handle);
        else if (l->is_updating_mgmtdev)
                STAILQ_INSERT_TAIL(&l->mgmtdev_updates, verb, entry);
        else if (p->has_revision && p->revision != m->revision)
                verb_fail(verb, ERROR_PRECONDITION_FAILED, ESTALE, "%s has revision %llu; nothing was done",
                          verb->handle, (unsigned long long) m->revision);
        else if (verb_may_operate(verb))
                decode_and_commit(verb, m);
}
