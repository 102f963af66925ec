/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/workqueue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "util/clock.h"

#define N_ITEMS 1000u

typedef struct Item {
        Work work;
        unsigned number;
        unsigned n_processed, n_done;
} Item;

/* What the two threads share: only the gate, and the counts of batches, which are read when all is done. */
static struct {
        pthread_mutex_t lock;
        pthread_cond_t opened;
        bool closed;
        unsigned n_batches, largest_batch;
        bool reports_all;
        char thread_name[16];
        sigset_t blocked;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER };

static sd_event *event;
static Workqueue *queue;
static Item items[N_ITEMS];
static unsigned done_order[2 * N_ITEMS], n_done;

static void gate_set(bool closed) {
        pthread_mutex_lock(&gate.lock);
        gate.closed = closed;
        pthread_cond_broadcast(&gate.opened);
        pthread_mutex_unlock(&gate.lock);
}

/* Each batch waits at the gate first. */
static void process(Workqueue *q, WorkList *batch, void *userdata) {
        WorkList done = STAILQ_HEAD_INITIALIZER(done);
        unsigned n = 0;
        Work *work;

        ck_assert_ptr_eq(userdata, &gate);
        pthread_mutex_lock(&gate.lock);
        while (gate.closed)
                pthread_cond_wait(&gate.opened, &gate.lock);
        pthread_mutex_unlock(&gate.lock);

        (void) pthread_getname_np(pthread_self(), gate.thread_name, sizeof gate.thread_name);
        (void) pthread_sigmask(SIG_SETMASK, NULL, &gate.blocked);
        while ((work = STAILQ_FIRST(batch))) {
                STAILQ_REMOVE_HEAD(batch, entry);
                CONTAINER_OF(work, Item, work)->n_processed++;
                n++;
                if (gate.reports_all)
                        STAILQ_INSERT_TAIL(&done, work, entry);
                else
                        workqueue_report(q, work);
        }
        if (gate.reports_all)
                workqueue_report_all(q, &done);
        ck_assert(STAILQ_EMPTY(&done));
        gate.n_batches++;
        if (n > gate.largest_batch)
                gate.largest_batch = n;
}

static void on_done(Work *work) {
        Item *item = CONTAINER_OF(work, Item, work);

        item->n_done++;
        done_order[n_done++] = item->number;
}

static void open_queue(size_t max_queued) {
        ck_assert_int_eq(sd_event_new(&event), 0);
        ck_assert_int_eq(workqueue_new(event, "unit", max_queued, process, &gate, &queue), 0);
}

static void close_queue(void) {
        ck_assert_ptr_null(workqueue_free(queue));
        ck_assert_ptr_null(sd_event_unref(event));
}

static int submit(unsigned number) {
        items[number].number = number;
        items[number].work.done = on_done;
        return workqueue_submit(queue, &items[number].work);
}

static bool is_empty(void *userdata) {
        return workqueue_length(queue) == 0;
}

/* Through the loop, as the daemon does it; one result after the other, or those of a batch together. */
START_TEST(test_order) {
        gate.reports_all = _i == 1;
        open_queue(N_ITEMS);
        for (unsigned i = 0; i < N_ITEMS; i++) {
                ck_assert_int_eq(submit(i), 0);
                if (unit_random(10) == 0)
                        ck_assert_int_ge(sd_event_run(event, 0), 0);
        }
        unit_run_until(event, is_empty, NULL);
        ck_assert_uint_eq(n_done, N_ITEMS);
        for (unsigned i = 0; i < N_ITEMS; i++) {
                ck_assert_uint_eq(done_order[i], i);
                ck_assert_uint_eq(items[i].n_processed, 1);
                ck_assert_uint_eq(items[i].n_done, 1);
        }
        close_queue();
}
END_TEST

/* What comes while the thread is busy is one batch: between what it has begun with, and the end of the last turn.
 */
START_TEST(test_batch) {
        open_queue(N_ITEMS);
        gate_set(true);
        for (unsigned i = 0; i < N_ITEMS; i++)
                ck_assert_int_eq(submit(i), 0);
        gate_set(false);
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        close_queue();
        ck_assert_uint_eq(n_done, N_ITEMS);
        ck_assert_uint_le(gate.n_batches, 3);
        ck_assert_uint_ge(gate.largest_batch, N_ITEMS / 3);
}
END_TEST

static int on_submit(sd_event_source *s, void *userdata) {
        unsigned first = *(unsigned *) userdata;

        for (unsigned i = first; i < first + 10; i++)
                ck_assert_int_eq(submit(i), 0);
        return 0;
}

static bool are_all_done(void *userdata) {
        return n_done == 30;
}

/* What comes while the loop goes through what has happened is one batch, though the thread has nothing to do. */
START_TEST(test_turn) {
        static unsigned firsts[3];

        open_queue(N_ITEMS);
        for (unsigned i = 0; i < ELEMENTSOF(firsts); i++) {
                firsts[i] = 10 * i;
                ck_assert_int_eq(sd_event_add_defer(event, NULL, on_submit, &firsts[i]), 0);
        }
        unit_run_until(event, are_all_done, NULL);
        close_queue();
        ck_assert_uint_eq(gate.n_batches, 1);
}
END_TEST

/* A turn that submits very many keeps the thread waiting for the first of them only. */
START_TEST(test_long_turn) {
        uint64_t end = clock_monotonic_usec() + 60 * USEC_PER_SEC;

        open_queue(N_ITEMS);
        for (unsigned i = 0; i < 100; i++)
                ck_assert_int_eq(submit(i), 0);
        while (!workqueue_has_reported(queue))
                ck_assert_uint_lt(clock_monotonic_usec(), end);
        ck_assert_uint_eq(n_done, 0);
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        ck_assert_uint_eq(n_done, 100);
        for (unsigned i = 0; i < 100; i++)
                ck_assert_uint_eq(done_order[i], i);
        close_queue();
}
END_TEST

static int submit_patiently(unsigned number) {
        items[number].number = number;
        items[number].work.done = on_done;
        return workqueue_submit_patiently(queue, &items[number].work);
}

/* What nobody waits for keeps its place, and goes with the next that someone waits for. */
START_TEST(test_patient_goes_along) {
        open_queue(N_ITEMS);
        for (unsigned i = 0; i < 9; i++)
                ck_assert_int_eq(submit_patiently(i), 0);
        ck_assert_int_eq(submit(9), 0);
        unit_run_until(event, is_empty, NULL);
        close_queue();
        ck_assert_uint_eq(n_done, 10);
        ck_assert_uint_eq(gate.n_batches, 1);
        for (unsigned i = 0; i < 10; i++)
                ck_assert_uint_eq(done_order[i], i);
}
END_TEST

/* ... or by itself, from the first on, however many come after it. */
START_TEST(test_patient_goes_alone) {
        uint64_t before = clock_monotonic_usec();

        open_queue(N_ITEMS);
        ck_assert_int_eq(submit_patiently(0), 0);
        while (n_done == 0 && items[N_ITEMS - 1].n_done == 0) {
                ck_assert_int_ge(sd_event_run(event, USEC_PER_MSEC), 0);
                if (n_done == 0 && workqueue_length(queue) < N_ITEMS)
                        ck_assert_int_eq(submit_patiently((unsigned) workqueue_length(queue)), 0);
        }
        ck_assert_uint_ge(clock_monotonic_usec() - before, WORK_PATIENCE_USEC);
        unit_run_until(event, is_empty, NULL);
        ck_assert_int_eq(submit_patiently(0), 0);
        unit_run_until(event, is_empty, NULL);
        ck_assert_uint_eq(items[0].n_done, 2);
        close_queue();
}
END_TEST

static void on_done_submit_patiently(Work *work) {
        Item *item = CONTAINER_OF(work, Item, work);

        on_done(work);
        if (item->number == 0)
                ck_assert_int_eq(submit_patiently(1), 0);
}

/* Nothing is left behind by who waits for all of it, not even what comes meanwhile. */
START_TEST(test_patient_in_drain) {
        open_queue(N_ITEMS);
        items[0].work.done = on_done_submit_patiently;
        ck_assert_int_eq(workqueue_submit_patiently(queue, &items[0].work), 0);
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        ck_assert_uint_eq(n_done, 2);
        close_queue();
}
END_TEST

/* The thread goes by its name, and leaves the signals to the loop. */
START_TEST(test_thread) {
        open_queue(1);
        gate_set(true);
        ck_assert_int_eq(submit(0), 0);
        gate_set(false);
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        close_queue();
        ck_assert_str_eq(gate.thread_name, "unit");
        ck_assert(sigismember(&gate.blocked, SIGTERM));
        ck_assert(sigismember(&gate.blocked, SIGCHLD));
}
END_TEST

/* An item counts until its done() was called, and not only until the thread has it. */
START_TEST(test_bound) {
        open_queue(2);
        ck_assert_int_eq(submit(0), 0);
        ck_assert_int_eq(submit(1), 0);
        ck_assert_uint_eq(workqueue_length(queue), 2);
        for (int i = 0; i < 20; i++) {
                ck_assert_int_eq(submit(2), -EAGAIN);
                usleep(1000);
        }
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        ck_assert_int_eq(submit(2), 0);
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        ck_assert_uint_eq(n_done, 3);
        close_queue();
}
END_TEST

START_TEST(test_drain_timeout) {
        uint64_t before = clock_monotonic_usec();

        open_queue(2);
        gate_set(true);
        ck_assert_int_eq(submit(0), 0);
        ck_assert(!workqueue_drain(queue, 50 * USEC_PER_MSEC));
        ck_assert_uint_ge(clock_monotonic_usec() - before, 50 * USEC_PER_MSEC);
        ck_assert(!workqueue_drain(queue, 0));
        ck_assert_uint_eq(workqueue_length(queue), 1);
        gate_set(false);
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        ck_assert_uint_eq(items[0].n_done, 1);
        close_queue();
}
END_TEST

static bool is_hanging(void *userdata) {
        return workqueue_busy_usec(queue) >= 20 * USEC_PER_MSEC;
}

/* A thread that hangs is told from one that has nothing to do, and from one that comes forward. */
START_TEST(test_busy) {
        open_queue(2);
        ck_assert_uint_eq(workqueue_busy_usec(queue), 0);
        ck_assert(!workqueue_has_reported(queue));
        gate_set(true);
        ck_assert_int_eq(submit(0), 0);
        unit_run_until(event, is_hanging, NULL);
        ck_assert(!workqueue_has_reported(queue));
        gate_set(false);
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        ck_assert(workqueue_has_reported(queue));
        while (workqueue_busy_usec(queue) > 0)
                usleep(1000);
        close_queue();
}
END_TEST

START_TEST(test_drain_empty) {
        open_queue(1);
        ck_assert(workqueue_drain(queue, 0));
        close_queue();
}
END_TEST

static void on_done_submit_next(Work *work) {
        Item *item = CONTAINER_OF(work, Item, work);

        on_done(work);
        if (item->number + 1 < N_ITEMS) {
                Item *next = item + 1;

                next->number = item->number + 1;
                next->work.done = on_done_submit_next;
                ck_assert_int_eq(workqueue_submit(queue, &next->work), 0);
        }
}

static void submit_chain(void) {
        items[0].work.done = on_done_submit_next;
        ck_assert_int_eq(workqueue_submit(queue, &items[0].work), 0);
}

/* Its own place is free again when an item's done() runs. */
START_TEST(test_submit_from_done) {
        open_queue(1);
        submit_chain();
        unit_run_until(event, is_empty, NULL);
        ck_assert_uint_eq(n_done, N_ITEMS);
        close_queue();
}
END_TEST

START_TEST(test_submit_from_done_in_drain) {
        open_queue(1);
        submit_chain();
        ck_assert(workqueue_drain(queue, 60 * USEC_PER_SEC));
        ck_assert_uint_eq(n_done, N_ITEMS);
        close_queue();
}
END_TEST

static void on_done_submit_again(Work *work) {
        on_done(work);
        if (n_done < 2 * N_ITEMS)
                ck_assert_int_eq(workqueue_submit(queue, work), 0);
}

/* An item is its owner's from done() on, so it can go in again at once. */
START_TEST(test_same_item_again) {
        open_queue(1);
        items[0].work.done = on_done_submit_again;
        ck_assert_int_eq(workqueue_submit(queue, &items[0].work), 0);
        unit_run_until(event, is_empty, NULL);
        ck_assert_uint_eq(items[0].n_done, 2 * N_ITEMS);
        ck_assert_uint_eq(items[0].n_processed, 2 * N_ITEMS);
        close_queue();
}
END_TEST

START_TEST(test_free) {
        ck_assert_ptr_null(workqueue_free(NULL));
        for (unsigned i = 0; i < 100; i++) {
                open_queue(1);
                close_queue();
        }
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_order, 0, 2);
        tcase_add_test(tcase, test_batch);
        tcase_add_test(tcase, test_turn);
        tcase_add_test(tcase, test_long_turn);
        tcase_add_test(tcase, test_patient_goes_along);
        tcase_add_test(tcase, test_patient_goes_alone);
        tcase_add_test(tcase, test_patient_in_drain);
        tcase_add_test(tcase, test_thread);
        tcase_add_test(tcase, test_bound);
        tcase_add_test(tcase, test_drain_timeout);
        tcase_add_test(tcase, test_busy);
        tcase_add_test(tcase, test_drain_empty);
        tcase_add_test(tcase, test_submit_from_done);
        tcase_add_test(tcase, test_submit_from_done_in_drain);
        tcase_add_test(tcase, test_same_item_again);
        tcase_add_test(tcase, test_free);
}

int main(void) {
        return unit_main("workqueue", add);
}
