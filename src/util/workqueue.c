/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/workqueue.h"

#include <assert.h>
#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

#include "util/clock.h"

/* The thread begins with so many while the loop is still at its turn: half of what 64 clients ask for at a time. */
#define HELD_MAX 32u

struct Workqueue {
        workqueue_process_t process;
        void *userdata;
        size_t max_queued;
        size_t length; /* loop's thread only, as the next ones */
        WorkList held; /* not yet passed on to the thread */
        size_t n_held; /* of those, what somebody waits for */

        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wakeup;
        WorkList queued;   /* under lock */
        WorkList finished; /* under lock */
        bool stop;         /* under lock */

        bool is_busy; /* under lock, as those below: the thread has a batch */
        bool has_reported;
        const char *note; /* what it is at; NULL: nothing that was noted */
        char note_object[WORK_OBJECT_MAX];
        uint64_t step_usec; /* when it took its batch, or last reported (monotonic) */

        int event_fd;
        sd_event *event; /* weak: it is there as long as the sources are */
        sd_event_source *source;
        sd_event_source *turn;     /* while work is held that somebody waits for; else NULL */
        sd_event_source *patience; /* on while other work is held */
};

static void *workqueue_thread(void *userdata) {
        Workqueue *q = userdata;

        for (;;) {
                WorkList batch = STAILQ_HEAD_INITIALIZER(batch);

                pthread_mutex_lock(&q->lock);
                q->is_busy = false;
                while (STAILQ_EMPTY(&q->queued) && !q->stop)
                        pthread_cond_wait(&q->wakeup, &q->lock);
                STAILQ_CONCAT(&batch, &q->queued);
                q->is_busy = true;
                q->step_usec = clock_monotonic_usec();
                pthread_mutex_unlock(&q->lock);

                if (STAILQ_EMPTY(&batch))
                        return NULL;
                q->process(q, &batch, q->userdata);
        }
}

void workqueue_report_all(Workqueue *q, WorkList *works) {
        bool first;

        pthread_mutex_lock(&q->lock);
        first = STAILQ_EMPTY(&q->finished);
        STAILQ_CONCAT(&q->finished, works);
        q->has_reported = true;
        q->note = NULL;
        q->step_usec = clock_monotonic_usec();
        pthread_mutex_unlock(&q->lock);

        /* The loop takes the whole list each time it wakes up, so only the first item needs a wake-up. */
        if (first)
                (void) eventfd_write(q->event_fd, 1);
}

void workqueue_report(Workqueue *q, Work *work) {
        WorkList works = STAILQ_HEAD_INITIALIZER(works);

        STAILQ_INSERT_TAIL(&works, work, entry);
        workqueue_report_all(q, &works);
}

static void workqueue_dispatch(Workqueue *q) {
        WorkList finished = STAILQ_HEAD_INITIALIZER(finished);
        Work *work;

        pthread_mutex_lock(&q->lock);
        STAILQ_CONCAT(&finished, &q->finished);
        pthread_mutex_unlock(&q->lock);

        while ((work = STAILQ_FIRST(&finished))) {
                STAILQ_REMOVE_HEAD(&finished, entry);
                q->length--;
                work->done(work);
        }
}

static int on_finished(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        eventfd_t n;

        (void) eventfd_read(fd, &n);
        workqueue_dispatch(userdata);
        return 0;
}

/* Signals are the loop's: the thread is born with all of them blocked. */
static int workqueue_start_thread(Workqueue *q, const char *name) {
        sigset_t all, saved;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &saved);
        r = pthread_create(&q->thread, NULL, workqueue_thread, q);
        pthread_sigmask(SIG_SETMASK, &saved, NULL);
        if (r != 0)
                return -r;

        (void) pthread_setname_np(q->thread, name);
        return 0;
}

/* Gives the thread what was gathered. */
static void pass_on(Workqueue *q) {
        q->turn = sd_event_source_disable_unref(q->turn);
        (void) sd_event_source_set_enabled(q->patience, SD_EVENT_OFF);
        pthread_mutex_lock(&q->lock);
        STAILQ_CONCAT(&q->queued, &q->held);
        pthread_mutex_unlock(&q->lock);
        q->n_held = 0;
        pthread_cond_signal(&q->wakeup);
}

static int on_turn(sd_event_source *s, void *userdata) {
        pass_on(userdata);
        return 0;
}

static int on_patience(sd_event_source *s, uint64_t usec, void *userdata) {
        pass_on(userdata);
        return 0;
}

static int add_sources(Workqueue *q, sd_event *event) {
        int r;

        r = sd_event_add_io(event, &q->source, q->event_fd, POLLIN, on_finished, q);
        if (r >= 0)
                r = sd_event_add_time(event, &q->patience, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_patience, q);
        if (r >= 0)
                r = sd_event_source_set_enabled(q->patience, SD_EVENT_OFF);
        return r;
}

int workqueue_new(sd_event *event, const char *name, size_t max_queued, workqueue_process_t process, void *userdata,
                  Workqueue **ret) {
        Workqueue *q;
        int r;

        q = calloc(1, sizeof *q);
        if (!q)
                return -ENOMEM;

        q->event = event;
        q->process = process;
        q->userdata = userdata;
        q->max_queued = max_queued;
        STAILQ_INIT(&q->held);
        STAILQ_INIT(&q->queued);
        STAILQ_INIT(&q->finished);
        pthread_mutex_init(&q->lock, NULL);
        pthread_cond_init(&q->wakeup, NULL);

        q->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (q->event_fd < 0) {
                r = -errno;
                goto fail;
        }

        r = add_sources(q, event);
        if (r < 0)
                goto fail;

        r = workqueue_start_thread(q, name);
        if (r < 0)
                goto fail;

        *ret = q;
        return 0;

fail:
        sd_event_source_disable_unref(q->patience);
        sd_event_source_unref(q->source);
        if (q->event_fd >= 0)
                close(q->event_fd);
        free(q);
        return r;
}

static int hold(Workqueue *q, Work *work) {
        if (q->length >= q->max_queued)
                return -EAGAIN;

        q->length++;
        STAILQ_INSERT_TAIL(&q->held, work, entry);
        return 0;
}

int workqueue_submit(Workqueue *q, Work *work) {
        int r = hold(q, work);

        if (r < 0)
                return r;
        /* A new one each time: it comes after all that has happened by now, and before what happens later. One that
         * is only turned on again keeps the place that it once had, which is the first. */
        if (++q->n_held >= HELD_MAX || (!q->turn && sd_event_add_defer(q->event, &q->turn, on_turn, q) < 0))
                pass_on(q);
        return 0;
}

int workqueue_submit_patiently(Workqueue *q, Work *work) {
        bool is_first = STAILQ_EMPTY(&q->held);
        int r = hold(q, work);

        if (r < 0 || !is_first)
                return r;
        if (sd_event_source_set_time(q->patience, clock_monotonic_usec() + WORK_PATIENCE_USEC) < 0 ||
            sd_event_source_set_enabled(q->patience, SD_EVENT_ONESHOT) < 0)
                pass_on(q);
        return 0;
}

size_t workqueue_length(const Workqueue *q) {
        return q->length;
}

void workqueue_note(Workqueue *q, const char *what, const char *object) {
        pthread_mutex_lock(&q->lock);
        q->note = what;
        (void) strlcpy(q->note_object, object, sizeof q->note_object);
        pthread_mutex_unlock(&q->lock);
}

bool workqueue_get_note(Workqueue *q, const char **ret_what, char *ret_object) {
        bool has_note;

        pthread_mutex_lock(&q->lock);
        has_note = q->is_busy && q->note;
        if (has_note) {
                *ret_what = q->note;
                strcpy(ret_object, q->note_object);
        }
        pthread_mutex_unlock(&q->lock);
        return has_note;
}

uint64_t workqueue_busy_usec(Workqueue *q) {
        uint64_t since;
        bool is_busy;

        pthread_mutex_lock(&q->lock);
        is_busy = q->is_busy;
        since = q->step_usec;
        pthread_mutex_unlock(&q->lock);

        return is_busy ? clock_monotonic_usec() - since : 0;
}

bool workqueue_has_reported(Workqueue *q) {
        bool has_reported;

        pthread_mutex_lock(&q->lock);
        has_reported = q->has_reported;
        pthread_mutex_unlock(&q->lock);

        return has_reported;
}

bool workqueue_drain(Workqueue *q, uint64_t timeout_usec) {
        uint64_t now = clock_monotonic_usec(), end = now + timeout_usec;

        for (; q->length > 0 && now < end; now = clock_monotonic_usec()) {
                struct pollfd p = { .fd = q->event_fd, .events = POLLIN };
                eventfd_t n;

                if (!STAILQ_EMPTY(&q->held))
                        pass_on(q);
                (void) poll(&p, 1, (int) ((end - now) / USEC_PER_MSEC) + 1);
                (void) eventfd_read(q->event_fd, &n);
                workqueue_dispatch(q);
        }

        return q->length == 0;
}

Workqueue *workqueue_free(Workqueue *q) {
        if (!q)
                return NULL;

        assert(q->length == 0);
        pthread_mutex_lock(&q->lock);
        q->stop = true;
        pthread_cond_signal(&q->wakeup);
        pthread_mutex_unlock(&q->lock);
        pthread_join(q->thread, NULL);

        sd_event_source_disable_unref(q->patience);
        sd_event_source_disable_unref(q->turn);
        sd_event_source_unref(q->source);
        close(q->event_fd);
        pthread_cond_destroy(&q->wakeup);
        pthread_mutex_destroy(&q->lock);
        free(q);
        return NULL;
}
