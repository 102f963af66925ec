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
        void (*run)(Job *job, Backend *backend);
};

/* Starts the worker of a backend. Returns 0, or a negative errno. */
int job_queue_new(sd_event *event, Backend *backend, Workqueue **ret);

/* Never refused: whoever takes requests on bounds them. */
void job_submit(Workqueue *worker, Job *job);
