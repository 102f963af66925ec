/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/idempotency.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/create.h"
#include "lifecycle/delete.h"
#include "lifecycle/mgmtdev-update.h"
#include "lifecycle/return.h"
#include "util/log.h"

/* A refusal that says nothing about the request, or of which the client must learn that it was never understood. */
static bool is_passing(ErrorCode code) {
        unsigned status = error_info(code)->http_status;

        return status == 400 || status == 500 || status == 503;
}

static bool removes(const Verb *verb) {
        return verb->run == delete_run || verb->run == return_run;
}

/* The device that the receipt is about, if it is there. */
static Device *find_device(const Verb *verb) {
        Device *device = inventory_find_device(verb->lifecycle->inventory, verb->receipt->name);

        return device && strcmp(device->uid, verb->receipt->uid) == 0 ? device : NULL;
}

static void set_gone(const Verb *verb, Failure *f) {
        (void) failure_set(f, ERROR_DEVICE_GONE, ENODEV,
                           "The request was carried out; device '%s' (uid %s) was deleted since",
                           verb->receipt->name, verb->receipt->uid);
}

/* The outcome that the receipt tells of, as things are now. */
static void recall(Verb *verb, Outcome *ret) {
        const Receipt *receipt = verb->receipt;

        *ret = (Outcome){};
        if (receipt->outcome == RECEIPT_FAILED)
                (void) failure_set(&ret->failure, receipt->code, 0, "%s", receipt->detail);
        else if (verb->run == mgmtdev_update_run) {
                ret->mgmtdev = inventory_find_mgmtdev(verb->lifecycle->inventory, receipt->name);
                if (!ret->mgmtdev)
                        (void) failure_set(&ret->failure, ERROR_MGMTDEV_NOT_FOUND, ENOENT, "%s is gone by now",
                                           receipt->name);
        } else if (!removes(verb)) {
                ret->device = find_device(verb);
                ret->created = receipt->outcome == RECEIPT_CREATED;
                if (!ret->device)
                        set_gone(verb, &ret->failure);
        }
}

static void on_recorded(void *userdata, const Failure *failure) {
        Verb *verb = userdata;
        Outcome outcome = {};

        log_set_context(NULL, verb->spec.owner, verb->request_id);
        if (failure) {
                verb->receipt->is_forgotten = true;
                outcome.failure = *failure;
                failure_append(&outcome.failure, "; nothing was done");
        } else
                recall(verb, &outcome);
        outcome.replayed = verb->is_replayed;
        verb_finish(verb, &outcome);
        log_clear_context();
}

/* Answers what the receipt says when that is on the disk. Returns 0, or -ENOMEM with nothing done. */
static int record_and_answer(Verb *verb) {
        StoreReceipt row;
        const StoreNotes notes = { .receipt = idempotency_receipt(verb, &row) };

        assert(verb);
        return store_put_notes(verb->lifecycle->store, &notes, on_recorded, verb);
}

static void forget(Verb *verb) {
        StoreReceipt row;

        verb->receipt->is_forgotten = true;
        if (verb->receipt->is_recorded) {
                const StoreNotes notes = { .receipt = idempotency_receipt(verb, &row) };

                (void) store_put_notes(verb->lifecycle->store, &notes, NULL, NULL);
        }
}

void idempotency_note(Verb *verb, const Outcome *outcome) {
        Receipt *receipt = verb ? verb->receipt : NULL;

        if (!receipt)
                return;
        if (outcome->failure.code != ERROR_NONE) {
                receipt->is_forgotten = is_passing(outcome->failure.code);
                receipt_settle(receipt, RECEIPT_FAILED, &outcome->failure);
        } else
                receipt_settle(receipt, outcome->created ? RECEIPT_CREATED : RECEIPT_DONE, NULL);
}

const StoreReceipt *idempotency_receipt(const Verb *verb, StoreReceipt *ret) {
        if (!verb || !verb->receipt)
                return NULL;

        receipt_encode(&verb->lifecycle->receipts, verb->receipt, ret);
        verb->receipt->is_recorded = true;
        return ret;
}

static int set_subject(Verb *verb, const Outcome *outcome) {
        if (outcome->device)
                return receipt_set_subject(verb->receipt, outcome->device->name, outcome->device->uid);
        if (outcome->mgmtdev)
                return receipt_set_subject(verb->receipt, outcome->mgmtdev->info.handle, "");
        return 0;
}

bool idempotency_defer(Verb *verb, const Outcome *outcome) {
        Receipt *receipt = verb->receipt;

        if (!receipt || receipt->is_forgotten)
                return false;
        if (outcome->failure.code != ERROR_NONE && is_passing(outcome->failure.code)) {
                forget(verb);
                return false;
        }
        if (receipt->is_settled)
                return false;

        if (set_subject(verb, outcome) == 0) {
                idempotency_note(verb, outcome);
                if (record_and_answer(verb) == 0)
                        return true;
        }
        forget(verb);
        return false;
}

void idempotency_end(Lifecycle *l, Receipt *receipt) {
        VerbList waiting = STAILQ_HEAD_INITIALIZER(waiting);

        if (!receipt)
                return;
        receipt->is_running = false;
        STAILQ_CONCAT(&waiting, &receipt->waiting);
        if (receipt->is_forgotten)
                receipts_remove(&l->receipts, receipt);
        verb_start_all(&waiting);
}

/* Begins anew what the daemon before has begun: the intent was recorded, and the start has gone on with it. True:
 * the verb is to run. */
static bool resume(Verb *verb) {
        Device *device = find_device(verb);
        Outcome outcome = { .device = device, .created = verb->run == create_run };

        verb->is_replayed = true;
        if (device && removes(verb)) {
                strcpy(verb->precondition.uid, device->uid);
                return true;
        }
        if (device && verb->run == create_run && device->state != DEVICE_READY) {
                strcpy(verb->name, device->name);
                return true;
        }

        if (!device && !removes(verb))
                set_gone(verb, &outcome.failure);
        verb_answer(verb, &outcome);
        return false;
}

static bool begin_again(Verb *verb, Receipt *receipt) {
        Outcome outcome;

        if (strcmp(receipt->request, verb->precondition.key.request) != 0) {
                verb_fail(verb, ERROR_KEY_REUSED, EINVAL,
                          "Another request had this idempotency key; nothing was done");
                return false;
        }
        if (receipt->is_running) {
                STAILQ_INSERT_TAIL(&receipt->waiting, verb, entry);
                return false;
        }

        verb->receipt = receipt;
        receipt->is_running = true;
        if (!receipt->is_settled)
                return resume(verb);
        recall(verb, &outcome);
        outcome.replayed = true;
        verb_answer(verb, &outcome);
        return false;
}

bool idempotency_begin(Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        const IdempotencyKey *key = &verb->precondition.key;
        uint64_t now = durable_clock_now(store_clock(l->store));
        Receipt *receipt = receipts_find(&l->receipts, key->text, now);
        int r;

        if (receipt)
                return begin_again(verb, receipt);

        r = receipts_add(&l->receipts, key, now, &receipt);
        if (r == -EBUSY)
                verb_fail(verb, ERROR_OVERLOADED, EAGAIN,
                          "Too many requests with an idempotency key are under way; nothing was done");
        else if (r < 0)
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        if (r < 0)
                return false;

        receipt->is_running = true;
        verb->receipt = receipt;
        return true;
}
