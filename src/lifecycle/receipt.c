/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/receipt.h"

#include <errno.h>
#include <string.h>

static int receipt_compare(const Receipt *a, const Receipt *b) {
        return strcmp(a->key, b->key);
}

RB_GENERATE_INTERNAL(ReceiptTree, Receipt, by_key, receipt_compare, _unused_ static)

static const char *const outcome_names[_RECEIPT_OUTCOME_MAX] = {
        [RECEIPT_PENDING] = "pending",
        [RECEIPT_CREATED] = "created",
        [RECEIPT_DONE] = "done",
};

void receipts_init(Receipts *receipts, size_t max, uint64_t retention_usec) {
        *receipts = (Receipts){ .max = max, .retention_usec = retention_usec };
        RB_INIT(&receipts->by_key);
        TAILQ_INIT(&receipts->by_age);
}

static Receipt *receipt_free(Receipt *receipt) {
        free(receipt->key);
        free(receipt->name);
        free(receipt->detail);
        free(receipt);
        return NULL;
}
DEFINE_CLEANUP(Receipt *, receipt_free)

void receipts_remove(Receipts *receipts, Receipt *receipt) {
        RB_REMOVE(ReceiptTree, &receipts->by_key, receipt);
        TAILQ_REMOVE(&receipts->by_age, receipt, by_age);
        receipts->n--;
        receipt_free(receipt);
}

void receipts_done(Receipts *receipts) {
        while (!TAILQ_EMPTY(&receipts->by_age))
                receipts_remove(receipts, TAILQ_FIRST(&receipts->by_age));
}

static bool is_too_old(const Receipts *receipts, const Receipt *receipt, uint64_t now) {
        return now > receipt->made_usec && now - receipt->made_usec > receipts->retention_usec;
}

Receipt *receipts_find(Receipts *receipts, const char *key, uint64_t now) {
        Receipt wanted = { .key = (char *) key }, *found;

        found = RB_FIND(ReceiptTree, &receipts->by_key, &wanted);
        if (found && !found->is_running && is_too_old(receipts, found, now)) {
                receipts_remove(receipts, found);
                return NULL;
        }

        return found;
}

static int receipt_new(const char *key, const char *request, Receipt **ret) {
        _cleanup_(receipt_freep) Receipt *receipt = calloc(1, sizeof *receipt);

        if (!receipt)
                return -ENOMEM;
        STAILQ_INIT(&receipt->waiting);
        strcpy(receipt->request, request);
        receipt->key = strdup(key);
        receipt->name = strdup("");
        receipt->detail = strdup("");
        if (!receipt->key || !receipt->name || !receipt->detail)
                return -ENOMEM;

        *ret = TAKE_PTR(receipt);
        return 0;
}

static void insert(Receipts *receipts, Receipt *receipt) {
        RB_INSERT(ReceiptTree, &receipts->by_key, receipt);
        TAILQ_INSERT_TAIL(&receipts->by_age, receipt, by_age);
        receipts->n++;
}

int receipts_add(Receipts *receipts, const IdempotencyKey *key, uint64_t now, Receipt **ret) {
        Receipt *receipt, *oldest;
        int r;

        while ((oldest = TAILQ_FIRST(&receipts->by_age)) && !oldest->is_running &&
               (receipts->n >= receipts->max || is_too_old(receipts, oldest, now)))
                receipts_remove(receipts, oldest);
        if (receipts->n >= receipts->max)
                return -EBUSY;

        r = receipt_new(key->text, key->request, &receipt);
        if (r < 0)
                return r;
        receipt->id = ++receipts->last_id;
        receipt->made_usec = now;
        insert(receipts, receipt);

        *ret = receipt;
        return 0;
}

static int parse_outcome(const StoreReceipt *row, Receipt *receipt) {
        for (ReceiptOutcome o = 0; o < _RECEIPT_OUTCOME_MAX; o++)
                if (outcome_names[o] && strcmp(outcome_names[o], row->outcome) == 0) {
                        receipt->outcome = o;
                        return 0;
                }

        receipt->outcome = RECEIPT_FAILED;
        return error_parse(row->outcome, &receipt->code);
}

int receipts_load(Receipts *receipts, const StoreReceipt *row) {
        _cleanup_(receipt_freep) Receipt *receipt = NULL;
        Receipt wanted = { .key = (char *) row->key };
        int r;

        if (!idempotency_key_is_valid(row->key) || strlen(row->request) != DIGEST_MAX - 1 ||
            row->id <= receipts->last_id || RB_FIND(ReceiptTree, &receipts->by_key, &wanted) ||
            (row->uid[0] && !uid_is_valid(row->uid)))
                return -EINVAL;

        r = receipt_new(row->key, row->request, &receipt);
        if (r < 0)
                return r;
        if (parse_outcome(row, receipt) < 0)
                return -EINVAL;
        r = receipt_set_subject(receipt, row->name, row->uid);
        if (r < 0)
                return r;
        free(receipt->detail);
        receipt->detail = strdup(row->detail);
        if (!receipt->detail)
                return -ENOMEM;

        receipts->last_id = receipt->id = row->id;
        receipt->made_usec = row->made_usec;
        receipt->is_recorded = true;
        receipt->is_settled = receipt->outcome != RECEIPT_PENDING;
        insert(receipts, TAKE_PTR(receipt));
        return 0;
}

int receipt_set_subject(Receipt *receipt, const char *name, const char *uid) {
        char *copy = strdup(name);

        if (!copy)
                return -ENOMEM;
        free(receipt->name);
        receipt->name = copy;
        strcpy(receipt->uid, uid);
        return 0;
}

void receipt_settle(Receipt *receipt, ReceiptOutcome outcome, const Failure *failure) {
        char *detail = failure ? strdup(failure->detail) : NULL;

        receipt->outcome = outcome;
        receipt->code = failure ? failure->code : ERROR_NONE;
        receipt->is_settled = true;
        if (detail) {
                free(receipt->detail);
                receipt->detail = detail;
        } else
                receipt->detail[0] = '\0';
}

void receipt_encode(const Receipts *receipts, const Receipt *receipt, StoreReceipt *ret) {
        *ret = (StoreReceipt){
                .id = receipt->id,
                .key = receipt->key,
                .request = receipt->request,
                .name = receipt->name,
                .uid = receipt->uid,
                .outcome = receipt->outcome == RECEIPT_FAILED ? error_info(receipt->code)->code
                                                              : outcome_names[receipt->outcome],
                .detail = receipt->detail,
                .made_usec = receipt->made_usec,
                .first_id = TAILQ_FIRST(&receipts->by_age)->id,
                .is_forgotten = receipt->is_forgotten,
        };
}
