/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/detached.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/crash.h"

/* For a thread that makes a few system calls. */
#define STACK_SIZE (256 * 1024)

/* Shared by the thread and the one who waits for it; whoever lets go of it last frees it. */
struct DetachedJob {
        unsigned n_refs; /* atomic */
        pthread_mutex_t mutex;
        pthread_cond_t done_cond;
        bool done;
        bool abandoned;
        int result; /* of an opening: the descriptor, closed with the job unless it is taken */

        /* Constant from here on. */
        bool opens; /* steps[0].path; else the steps are written */
        int open_flags;
        char device[DEVICE_NAME_MAX];
        uint64_t since_usec;
        size_t n_steps;
        WriteStep steps[DETACHED_STEPS_MAX];
};

static DetachedJob *job_unref(DetachedJob *job) {
        if (__atomic_sub_fetch(&job->n_refs, 1, __ATOMIC_ACQ_REL) > 0)
                return NULL;

        if (job->opens && job->result >= 0)
                close(job->result);
        pthread_cond_destroy(&job->done_cond);
        pthread_mutex_destroy(&job->mutex);
        free(job);
        return NULL;
}
DEFINE_CLEANUP(DetachedJob *, job_unref)

static int job_new(const char *device, const WriteStep *steps, size_t n, DetachedJob **ret) {
        pthread_condattr_t attr;
        DetachedJob *job;

        if (n > DETACHED_STEPS_MAX || strlen(device) >= sizeof job->device)
                return -EINVAL;
        job = calloc(1, sizeof *job);
        if (!job)
                return -ENOMEM;

        /* With glibc none of these can fail. */
        pthread_mutex_init(&job->mutex, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&job->done_cond, &attr);
        pthread_condattr_destroy(&attr);

        job->n_refs = 1;
        job->result = -EINPROGRESS;
        strcpy(job->device, device);
        job->since_usec = clock_realtime_usec();
        job->n_steps = n;
        memcpy(job->steps, steps, n * sizeof *steps);
        *ret = job;
        return 0;
}

int write_steps(const WriteStep *steps, size_t n) {
        int r;

        for (size_t i = 0; i < n; i++) {
                r = sysfs_write(steps[i].path, steps[i].text);
                CRASH_POINT(KERNEL_DRIVER_WRITTEN);
                if (r < 0 && !(r == -ENODEV && steps[i].maybe_absent))
                        return r;
        }

        return 0;
}

/* The thread that unbinds waits, deaf to every signal, for the endpoint to be closed. If the process is killed
 * meanwhile, the descriptors that its threads share are closed when the last of them has ended: this one would keep
 * open what it waits for, and neither could ever end. So it has descriptors of its own, and none of those. */
static int write_alone(const WriteStep *steps, size_t n) {
        if (unshare(CLONE_FILES) < 0 || close_range(STDERR_FILENO + 1, UINT_MAX, 0) < 0)
                return -errno;

        return write_steps(steps, n);
}

static int open_node(const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

        return fd < 0 ? -errno : fd;
}

static void *job_main(void *userdata) {
        DetachedJob *job = userdata;
        int r;

        r = job->opens ? open_node(job->steps[0].path, job->open_flags) : write_alone(job->steps, job->n_steps);

        pthread_mutex_lock(&job->mutex);
        /* Nobody will take it, and as long as it is open nobody else can have the device. */
        if (job->abandoned && job->opens && r >= 0) {
                close(r);
                r = -ECANCELED;
        }
        job->result = r;
        job->done = true;
        pthread_cond_signal(&job->done_cond);
        pthread_mutex_unlock(&job->mutex);
        job_unref(job);
        return NULL;
}

/* Finds a free place, after dropping the jobs that have come back in the meantime. */
static int find_slot(Detached *d, const char *device, DetachedJob ***ret) {
        DetachedJob **slot = NULL;

        for (size_t i = 0; i < DETACHED_MAX; i++) {
                if (d->jobs[i] && detached_is_done(d->jobs[i]))
                        d->jobs[i] = job_unref(d->jobs[i]);
                if (!d->jobs[i])
                        slot = &d->jobs[i];
                else if (strcmp(d->jobs[i]->device, device) == 0) {
                        d->hangs_since_usec = d->jobs[i]->since_usec;
                        return -EALREADY;
                }
        }

        *ret = slot;
        return slot ? 0 : -EAGAIN;
}

static int thread_start(DetachedJob *job) {
        sigset_t all, old;
        pthread_attr_t attr;
        pthread_t thread;
        int r;

        r = pthread_attr_init(&attr);
        if (r > 0)
                return -r;
        (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        (void) pthread_attr_setstacksize(&attr, STACK_SIZE);

        /* Signals are for the threads that expect them. */
        sigfillset(&all);
        (void) pthread_sigmask(SIG_BLOCK, &all, &old);
        r = pthread_create(&thread, &attr, job_main, job);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        (void) pthread_attr_destroy(&attr);
        return -r;
}

/* Hands job to a thread and into the list. */
static int start(Detached *d, DetachedJob *job) {
        DetachedJob **slot;
        int r;

        r = find_slot(d, job->device, &slot);
        if (r < 0)
                return r;

        job->n_refs++;
        r = thread_start(job);
        if (r < 0) {
                job->n_refs--;
                return r;
        }

        *slot = job;
        return 0;
}

int detached_start_writes(Detached *d, const char *device, const WriteStep *steps, size_t n, DetachedJob **ret) {
        _cleanup_(job_unrefp) DetachedJob *job = NULL;
        int r;

        r = job_new(device, steps, n, &job);
        if (r < 0)
                return r;
        r = start(d, job);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(job);
        return 0;
}

bool detached_is_done(DetachedJob *job) {
        bool done;

        pthread_mutex_lock(&job->mutex);
        done = job->done;
        pthread_mutex_unlock(&job->mutex);
        return done;
}

static void drop(Detached *d, DetachedJob *job) {
        for (size_t i = 0; i < DETACHED_MAX; i++)
                if (d->jobs[i] == job)
                        d->jobs[i] = NULL;
        job_unref(job);
}

int detached_finish(Detached *d, DetachedJob *job, uint64_t deadline_usec) {
        const struct timespec deadline = {
                .tv_sec = (time_t) (deadline_usec / USEC_PER_SEC),
                .tv_nsec = (long) (deadline_usec % USEC_PER_SEC) * 1000,
        };
        int r = 0;

        pthread_mutex_lock(&job->mutex);
        while (!job->done && r == 0)
                r = pthread_cond_timedwait(&job->done_cond, &job->mutex, &deadline);
        if (!job->done) {
                job->abandoned = true;
                pthread_mutex_unlock(&job->mutex);
                d->hangs_since_usec = job->since_usec;
                return -EINPROGRESS;
        }
        r = job->result;
        job->result = -EBADF;
        pthread_mutex_unlock(&job->mutex);

        drop(d, job);
        return r;
}

int detached_open(Detached *d, const char *device, const char *path, int flags, uint64_t deadline_usec) {
        _cleanup_(job_unrefp) DetachedJob *job = NULL;
        WriteStep step = {};
        int r;

        r = sysfs_path(step.path, "%s", path);
        if (r >= 0)
                r = job_new(device, &step, 1, &job);
        if (r < 0)
                return r;
        job->opens = true;
        job->open_flags = flags;
        r = start(d, job);
        if (r < 0)
                return r;

        return detached_finish(d, TAKE_PTR(job), deadline_usec);
}

void detached_done(Detached *d) {
        for (size_t i = 0; i < DETACHED_MAX; i++)
                if (d->jobs[i])
                        d->jobs[i] = job_unref(d->jobs[i]);
}
