/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/batch.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "util/clock.h"
#include "util/log.h"

/* Items begun in one turn of the loop: what they record is one transaction, and others are served in between. */
#define STEP 256u

/* What a batch of so many needed for a moment is worth to be given back to the system, when there was none for so
 * long. */
#define TRIM_ITEMS 1000u
#define TRIM_USEC  (1 * USEC_PER_SEC)

#define HOLDER_PREFIX "batch "

typedef struct Slot {
        Batch *batch; /* weak */
        char name[DEVICE_NAME_MAX];
        char uid[UID_TEXT_MAX]; /* of a device of an atomic batch */
        bool is_made;           /* not only confirmed */
        bool is_held;           /* ... and new: the batch holds it */
        bool is_told;
} Slot;

struct Batch {
        LIST_ENTRY(Batch) entry;
        Lifecycle *lifecycle; /* weak */
        BatchKind kind;
        BatchCalls calls;
        BatchItem *items; /* owned */
        Slot *slots;      /* owned, as many */
        size_t n, n_started, n_ended;
        bool has_failed; /* an atomic one: it makes nothing any more */
        bool is_ending;
        char holder[HOLDER_MAX];
        char request_id[LOG_REQUEST_ID_MAX];
        sd_event_source *turn; /* goes on at the loop's next turn */
};

BatchItem *batch_items_free(BatchItem *items, size_t n) {
        for (size_t i = 0; i < n; i++)
                device_spec_done(&items[i].spec);
        free(items);
        return NULL;
}

static Batch *batch_free(Batch *batch) {
        sd_event_source_disable_unref(batch->turn);
        batch_items_free(batch->items, batch->items ? batch->n : 0);
        free(batch->slots);
        free(batch);
        return NULL;
}

static int on_turn(sd_event_source *source, void *userdata);

/* At the loop's next turn, and behind what this one has handed to other threads: they are at it while the next
 * items are begun. So it takes a new source; one that is only turned on again keeps the place that it once had. */
static void go_on(Batch *batch) {
        sd_event_source *turn;

        if (sd_event_source_get_enabled(batch->turn, NULL) > 0)
                return;
        if (sd_event_add_defer(batch->lifecycle->event, &turn, on_turn, batch) < 0) {
                (void) sd_event_source_set_enabled(batch->turn, SD_EVENT_ONESHOT);
                return;
        }
        sd_event_source_unref(batch->turn);
        batch->turn = turn;
}

static void tell(Slot *slot, const Outcome *outcome) {
        Batch *batch = slot->batch;

        slot->is_told = true;
        batch->calls.on_item(batch->calls.userdata, (size_t) (slot - batch->slots), slot->name, outcome);
}

static void on_outcome(void *userdata, const Outcome *outcome) {
        Slot *slot = userdata;
        Batch *batch = slot->batch;

        batch->n_ended++;
        if (outcome->device)
                strcpy(slot->name, outcome->device->name);
        tell(slot, outcome);
        go_on(batch);
}

/* Of an atomic batch: what became of the item is told when it is known of all. What is wrong with it, and the
 * candidates that do not fit, are told at once: they are not kept. */
static void on_atomic_outcome(void *userdata, const Outcome *outcome) {
        Slot *slot = userdata;
        Batch *batch = slot->batch;

        batch->n_ended++;
        if (outcome->failure.code == ERROR_NONE) {
                strcpy(slot->name, outcome->device->name);
                strcpy(slot->uid, outcome->device->uid);
                slot->is_made = outcome->created;
                slot->is_held = outcome->device->holder;
        } else {
                batch->has_failed = true;
                tell(slot, outcome);
        }
        go_on(batch);
}

static void start(Batch *batch, Slot *slot) {
        BatchItem *item = &batch->items[slot - batch->slots];
        const char *name = item->name[0] ? item->name : NULL;
        Lifecycle *l = batch->lifecycle;

        switch (batch->kind) {
        case BATCH_CREATE:
                lifecycle_create_device(l, name, &item->spec, &item->precondition, on_outcome, slot);
                return;
        case BATCH_CREATE_ATOMIC:
                lifecycle_create_batched_device(l, name, &item->spec, batch->holder, on_atomic_outcome, slot);
                return;
        case BATCH_DELETE:
                lifecycle_delete_device(l, name, &item->precondition, on_outcome, slot);
                return;
        }
}

/* Half of the operations stay for other requests. */
static bool has_room(const Lifecycle *l) {
        return l->n_operations < (l->max_operations + 1) / 2;
}

static void start_some(Batch *batch) {
        Lifecycle *l = batch->lifecycle;

        for (unsigned k = 0; k < STEP && batch->n_started < batch->n && !batch->has_failed && has_room(l); k++) {
                log_set_context(NULL, NULL, batch->request_id);
                start(batch, &batch->slots[batch->n_started++]);
        }
        log_clear_context();
}

/* Little of it was at the end of the heap, where it would go back by itself. */
static int on_quiet(sd_event_source *s, uint64_t usec, void *userdata) {
        (void) malloc_trim(0);
        return 0;
}

/* Later: the answer is still to be sent, and the next batch would only ask for the memory again. */
static void trim_later(Lifecycle *l) {
        if (!l->trim_timer)
                (void) sd_event_add_time_relative(l->event, &l->trim_timer, CLOCK_MONOTONIC, TRIM_USEC, 0, on_quiet,
                                                  NULL);
        else if (sd_event_source_set_time_relative(l->trim_timer, TRIM_USEC) >= 0)
                (void) sd_event_source_set_enabled(l->trim_timer, SD_EVENT_ONESHOT);
}

static void end(Batch *batch) {
        Lifecycle *l = batch->lifecycle;

        if (batch->n >= TRIM_ITEMS)
                trim_later(l);
        batch->calls.on_end(batch->calls.userdata);
        LIST_REMOVE(batch, entry);
        l->n_batches--;
        batch_free(batch);
}

/* The device that the item has made or confirmed, if it is still that one. */
static Device *find_device(const Slot *slot) {
        Device *device = inventory_find_device(slot->batch->lifecycle->inventory, slot->name);

        return device && strcmp(device->uid, slot->uid) == 0 ? device : NULL;
}

static void tell_made(Slot *slot) {
        Outcome outcome = { .device = find_device(slot), .created = slot->is_made };

        if (!outcome.device)
                (void) failure_set(&outcome.failure, ERROR_DEVICE_NOT_FOUND, ENOENT,
                                   "It was deleted by another request before the batch was through");
        tell(slot, &outcome);
}

static void undo(Batch *batch, const Failure *failure) {
        lifecycle_release_holder(batch->lifecycle, batch->holder);
        for (size_t i = 0; i < batch->n; i++)
                if (!batch->slots[i].is_told)
                        tell(&batch->slots[i], &(Outcome){ .failure = *failure });
        end(batch);
}

/* What the batch has made is its own again. */
static void hold_again(Batch *batch) {
        for (size_t i = 0; i < batch->n; i++) {
                Device *device = batch->slots[i].is_held ? find_device(&batch->slots[i]) : NULL;

                if (device && inventory_hold_device(batch->lifecycle->inventory, device, batch->holder) < 0)
                        log_device(LOG_ERR, ENOMEM, device->name, "stays, though its batch has failed: %m");
        }
}

static void on_let_go(void *userdata, const Failure *failure) {
        Batch *batch = userdata;

        if (failure) {
                hold_again(batch);
                undo(batch, failure);
                return;
        }

        for (size_t i = 0; i < batch->n; i++)
                tell_made(&batch->slots[i]);
        end(batch);
}

/* What is recorded of a device from here on comes later on the disk too, so it must have no holder any more. */
static void let_go(Batch *batch) {
        Lifecycle *l = batch->lifecycle;
        Failure f;

        inventory_end_holder(l->inventory, batch->holder);
        if (store_end_holder(l->store, batch->holder, on_let_go, batch) < 0) {
                (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing of the batch stays");
                on_let_go(batch, &f);
        }
}

static void end_atomic(Batch *batch) {
        Failure f;

        batch->is_ending = true;
        if (!batch->has_failed) {
                let_go(batch);
                return;
        }
        (void) failure_set(&f, ERROR_BATCH_FAILED, ECANCELED, "Another item failed, so nothing of the batch stays");
        undo(batch, &f);
}

static int on_turn(sd_event_source *source, void *userdata) {
        Batch *batch = userdata;

        if (batch->is_ending)
                return 0;

        start_some(batch);
        if (batch->n_ended < batch->n_started || (batch->n_started < batch->n && !batch->has_failed)) {
                if (batch->n_started < batch->n && !batch->has_failed && has_room(batch->lifecycle))
                        go_on(batch);
        } else if (batch->kind == BATCH_CREATE_ATOMIC)
                end_atomic(batch);
        else
                end(batch);
        return 0;
}

void batches_done(Lifecycle *l) {
        l->trim_timer = sd_event_source_disable_unref(l->trim_timer);
}

void batch_continue(Lifecycle *l) {
        Batch *batch;

        LIST_FOREACH(batch, &l->batches, entry)
                go_on(batch);
}

static int batch_new(Lifecycle *l, BatchKind kind, size_t n, Batch **ret) {
        char uid[UID_TEXT_MAX];
        Batch *batch;

        batch = calloc(1, sizeof *batch);
        if (!batch)
                return -ENOMEM;
        batch->lifecycle = l;
        batch->kind = kind;
        batch->n = n;
        batch->slots = calloc(n, sizeof *batch->slots);
        if (!batch->slots || sd_event_add_defer(l->event, &batch->turn, on_turn, batch) < 0) {
                batch_free(batch);
                return -ENOMEM;
        }

        uid_generate(clock_realtime_usec(), uid);
        (void) snprintf(batch->holder, sizeof batch->holder, HOLDER_PREFIX "%s", uid);
        strcpy(batch->request_id, log_request_id());
        *ret = batch;
        return 0;
}

int batch_set_key(Lifecycle *l, BatchItem *items, size_t n, const IdempotencyKey *key, Failure *f) {
        uint64_t now = durable_clock_now(store_clock(l->store));
        const Receipt *first;

        for (size_t i = 0; i < n; i++)
                idempotency_key_derive(key, i, &items[i].precondition.key);
        first = receipts_find(&l->receipts, items[0].precondition.key.text, now);
        if (!first || strcmp(first->request, key->request) == 0)
                return 0;
        return failure_set(f, ERROR_KEY_REUSED, EINVAL,
                           "Another request had this idempotency key; nothing was done");
}

int batch_run(Lifecycle *l, BatchKind kind, BatchItem *items, size_t n, const BatchCalls *calls, Failure *f) {
        Batch *batch;

        if (l->n_batches >= BATCHES_MAX)
                return failure_set(f, ERROR_OVERLOADED, EAGAIN,
                                   "%u batches are under way; nothing was done, try again later", l->n_batches);
        if (batch_new(l, kind, n, &batch) < 0)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");

        batch->items = items;
        batch->calls = *calls;
        for (size_t i = 0; i < n; i++) {
                batch->slots[i].batch = batch;
                strcpy(batch->slots[i].name, items[i].name);
        }
        LIST_INSERT_HEAD(&l->batches, batch, entry);
        l->n_batches++;
        return 0;
}

void batch_release_unfinished(Lifecycle *l) {
        struct HolderTree *holders = &l->inventory->holders;
        char name[HOLDER_MAX] = "";
        const Holder *holder;

        while ((holder = holder_next(holders, name))) {
                /* With its last device a holder is freed. */
                strcpy(name, holder->name);
                if (strncmp(name, HOLDER_PREFIX, strlen(HOLDER_PREFIX)) == 0)
                        lifecycle_release_holder(l, name);
        }
}
