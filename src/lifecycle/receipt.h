/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Receipts: what requests with an idempotency key have come to, so that the same request again gets the same answer
 * and does nothing. They are forgotten in the order in which they were made: when they are too old, or when there
 * are too many. Pure; time is that of the store's clock. */

#include "inventory/error.h"
#include "lifecycle/verb.h"

typedef enum ReceiptOutcome {
        RECEIPT_PENDING, /* its effect may be recorded, its end is not */
        RECEIPT_CREATED,
        RECEIPT_DONE,
        RECEIPT_FAILED,
        _RECEIPT_OUTCOME_MAX,
} ReceiptOutcome;

typedef struct Receipt {
        RB_ENTRY(Receipt) by_key;
        TAILQ_ENTRY(Receipt) by_age;
        uint64_t id;
        uint64_t made_usec;
        char *key;
        char request[DIGEST_MAX];

        char *name;             /* of the device, or the handle of the management device; "" while none is known */
        char uid[UID_TEXT_MAX]; /* of the device; "" */
        ReceiptOutcome outcome;
        ErrorCode code; /* of a failure, as is the next */
        char *detail;   /* "" */

        bool is_running;   /* a verb is on its way to the end */
        bool is_recorded;  /* something of it was given to the store */
        bool is_settled;   /* ... and that was the end, or is to be with what is recorded next */
        bool is_forgotten; /* it is to leave no trace: the same request again is a new one */
        VerbList waiting;  /* the same request, again */
} Receipt;

RB_HEAD(ReceiptTree, Receipt);
TAILQ_HEAD(ReceiptList, Receipt);

typedef struct Receipts {
        struct ReceiptTree by_key;
        struct ReceiptList by_age; /* the oldest first, which is in order of ID */
        size_t n, max;
        uint64_t retention_usec;
        uint64_t last_id;
} Receipts;

void receipts_init(Receipts *receipts, size_t max, uint64_t retention_usec);
void receipts_done(Receipts *receipts);

/* NULL: there is none, or it is too old. */
Receipt *receipts_find(Receipts *receipts, const char *key, uint64_t now);

/* Adds one for a key that has none; the oldest make room for it. Returns 0, -ENOMEM, or -EBUSY: there are too many,
 * and the oldest is running. */
int receipts_add(Receipts *receipts, const IdempotencyKey *key, uint64_t now, Receipt **ret);

/* Adds what was recorded. Returns 0, -EINVAL if that can be none, or -ENOMEM. */
int receipts_load(Receipts *receipts, const StoreReceipt *row);

void receipts_remove(Receipts *receipts, Receipt *receipt);

/* Sets what it is about; uid may be "". Out of memory changes nothing and returns -ENOMEM. */
int receipt_set_subject(Receipt *receipt, const char *name, const char *uid);

/* Sets how it ended. Out of memory leaves a failure without its detail. */
void receipt_settle(Receipt *receipt, ReceiptOutcome outcome, const Failure *failure);

/* What the store shall record of it; strings are borrowed. */
void receipt_encode(const Receipts *receipts, const Receipt *receipt, StoreReceipt *ret);
