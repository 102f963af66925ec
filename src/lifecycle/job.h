/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Something that the backend's worker does. */

#include "backend/backend.h"
#include "util/workqueue.h"

typedef struct Job Job;

/* Embed it first. run() is called on the worker's thread, and touches nothing but what the job has; work.done()
 * is called on the loop afterwards. */
struct Job {
        Work work;
        const char *what;   /* it does, for who wants to know what hangs: "delete"; static, or NULL */
        const char *device; /* that it does it to, the job's own; NULL: none */
        void (*run)(Job *job, Backend *backend);
        /* Called in the same way, some time before run(), if what is done until then is nothing but other jobs that
         * have this: for what may be begun early. NULL: nothing is. */
        void (*prepare)(Job *job, Backend *backend);
};

/* Jobs that are prepared beside the one that runs. */
#define JOBS_AHEAD 3

/* Starts a worker of a backend (named name, see workqueue_new()). Returns 0, or a negative errno. */
int job_queue_new(sd_event *event, const char *name, Backend *backend, size_t max_queued, Workqueue **ret);

/* To a worker without a bound. Never refused: whoever takes requests on bounds them. */
void job_submit(Workqueue *worker, Job *job);
