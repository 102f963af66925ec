/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A thread that waits so that the event loop need not.
 *
 * The loop submits items; the thread takes everything that is queued, in order, hands it to process(), and
 * process() reports each item when it is through; the loop then calls the item's done(). What the loop submits
 * while it goes once through what has happened is passed on together, at the end: the thread is woken up once, and
 * finds all of it as one batch. An item belongs to the queue from workqueue_submit() until its done() is called,
 * which happens exactly once. Nothing but the items is shared between the two threads.
 *
 * The store's writer uses a whole batch as one transaction; a backend worker reports item by item. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "util/clock.h"
#include "util/macro.h"

typedef struct Work Work;
typedef struct Workqueue Workqueue;

STAILQ_HEAD(WorkList, Work);
typedef struct WorkList WorkList;

/* Embed it; CONTAINER_OF() leads back. */
struct Work {
        STAILQ_ENTRY(Work) entry;
        void (*done)(Work *work); /* on the loop's thread; owns the item from then on */
};

/* On the queue's thread. Takes every item off the batch and passes each to workqueue_report(). */
typedef void (*workqueue_process_t)(Workqueue *queue, WorkList *batch, void *userdata);

/* Makes the queue and starts its thread (named name, at most 15 bytes). max_queued bounds the items that are
 * submitted and not yet done. event is referenced. Returns 0, or a negative errno. */
int workqueue_new(sd_event *event, const char *name, size_t max_queued, workqueue_process_t process, void *userdata,
                  Workqueue **ret);

/* Hands over work: what one turn of the loop submits goes along together, but for long turns, of which the thread
 * gets some dozens at a time. Returns 0, or -EAGAIN when max_queued items are under way (the caller keeps the
 * item).
 */
int workqueue_submit(Workqueue *queue, Work *work);

/* The same for work that nobody waits for: it goes along with what is submitted next, or alone after
 * WORK_PATIENCE_USEC. Order stays as it is. */
#define WORK_PATIENCE_USEC (50 * USEC_PER_MSEC)
int workqueue_submit_patiently(Workqueue *queue, Work *work);

/* Items submitted and not yet done. */
size_t workqueue_length(const Workqueue *queue);

/* On the queue's thread: work is through, its done() may be called. */
void workqueue_report(Workqueue *queue, Work *work);
/* The same for several at once, which costs one wake-up. The list is empty then. */
void workqueue_report_all(Workqueue *queue, WorkList *works);

/* On the queue's thread: what it is at from now on, until it reports something. what: static; object: "" or what it
 * is done to, of which WORK_OBJECT_MAX - 1 bytes are kept. */
#define WORK_OBJECT_MAX 64
void workqueue_note(Workqueue *queue, const char *what, const char *object);

/* What was noted last, if the thread is at it: true, with both; object has room for WORK_OBJECT_MAX bytes. */
bool workqueue_get_note(Workqueue *queue, const char **ret_what, char *ret_object);

/* How long the thread has been at it since it last took or reported something; 0: it has nothing to do. For who
 * has to know a thread that hangs from one that is busy. */
uint64_t workqueue_busy_usec(Workqueue *queue);

/* Whether the thread has ever reported anything. */
bool workqueue_has_reported(Workqueue *queue);

/* Waits at most timeout_usec until everything that was submitted is done, calling the done() functions.
 * Returns true if the queue is empty then. */
bool workqueue_drain(Workqueue *queue, uint64_t timeout_usec);

/* Ends the thread and frees the queue, which must be empty. If the thread is stuck (a drain has failed) do not
 * call this: leave the process instead. */
Workqueue *workqueue_free(Workqueue *queue);
DEFINE_CLEANUP(Workqueue *, workqueue_free)
