/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Many devices in one call: each is created or deleted as by a verb of its own, but what is to be recorded goes to
 * the disk together, and a batch takes no more operations at a time than leaves room for others.
 *
 * An atomic batch makes all of its devices or none. Those that it makes are held by the batch until all are there;
 * then one change of the database lets go of them. If one cannot be made, or the daemon dies before that change is
 * on the disk, those that were made are deleted again. Devices that were there before with an equal spec are
 * confirmed, and stay in any case. */

#include "lifecycle/lifecycle.h"

/* Items of one batch; and batches under way at a time: more are refused. */
#define BATCH_ITEMS_MAX 10000u
#define BATCHES_MAX     16u

typedef struct Batch Batch;

LIST_HEAD(BatchList, Batch);

typedef enum BatchKind {
        BATCH_CREATE,
        BATCH_CREATE_ATOMIC,
        BATCH_DELETE,
} BatchKind;

typedef struct BatchItem {
        char name[DEVICE_NAME_MAX]; /* valid; "": a generated one, of a create */
        DeviceSpec spec;            /* of a create */
        Precondition precondition;  /* of a delete; its key of both */
} BatchItem;

/* What the caller gets to know, always from the loop and never before batch_run() has returned. on_item() is called
 * exactly once for each item, in any order, with its place and its outcome (name: the device's), then on_end(). */
typedef struct BatchCalls {
        void (*on_item)(void *userdata, size_t i, const char *name, const Outcome *outcome);
        void (*on_end)(void *userdata);
        void *userdata;
} BatchCalls;

/* Frees items whose specs are initialized. */
BatchItem *batch_items_free(BatchItem *items, size_t n);

/* Gives each item a key of its own out of that of the request, so that a batch that comes again does what was not
 * done yet, and tells what was. Not of an atomic one: what it has made may have been undone. Returns 0, or -EINVAL
 * with f set: another request had the key. */
int batch_set_key(Lifecycle *l, BatchItem *items, size_t n, const IdempotencyKey *key, Failure *f);

/* Starts the batch, and takes items over (allocated by malloc(), 1 to BATCH_ITEMS_MAX). Returns 0; or a negative
 * errno with nothing done, f set, and items still the caller's: ERROR_OVERLOADED, ERROR_OUT_OF_MEMORY. */
int batch_run(Lifecycle *l, BatchKind kind, BatchItem *items, size_t n, const BatchCalls *calls, Failure *f);

/* For the end of the lifecycle: none is under way. */
void batches_done(Lifecycle *l);

/* Room was made: batches that wait for some go on. */
void batch_continue(Lifecycle *l);

/* Deletes what atomic batches have left behind that did not come to their end. For the end of the start. */
void batch_release_unfinished(Lifecycle *l);
