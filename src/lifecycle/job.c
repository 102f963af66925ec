/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/job.h"

#include <assert.h>
#include <stdint.h>

/* Returns how many of the batch are prepared then; n_prepared: how many are already. */
static size_t prepare(const WorkList *batch, size_t n_prepared, Backend *backend) {
        Work *work;
        size_t n = 0;

        STAILQ_FOREACH(work, batch, entry) {
                Job *job = CONTAINER_OF(work, Job, work);

                if (n == JOBS_AHEAD || !job->prepare)
                        break;
                if (++n > n_prepared)
                        job->prepare(job, backend);
        }

        return n;
}

static void process(Workqueue *worker, WorkList *batch, void *userdata) {
        Backend *backend = userdata;
        size_t n_prepared = 0;

        while (!STAILQ_EMPTY(batch)) {
                Job *job = CONTAINER_OF(STAILQ_FIRST(batch), Job, work);

                STAILQ_REMOVE_HEAD(batch, entry);
                if (job->prepare)
                        n_prepared = prepare(batch, n_prepared - (n_prepared > 0), backend);
                if (job->what)
                        workqueue_note(worker, job->what, job->device ?: "");
                job->run(job, backend);
                workqueue_report(worker, &job->work);
        }
}

int job_queue_new(sd_event *event, const char *name, Backend *backend, size_t max_queued, Workqueue **ret) {
        return workqueue_new(event, name, max_queued, process, backend, ret);
}

void job_submit(Workqueue *worker, Job *job) {
        int r = workqueue_submit(worker, &job->work);

        assert(r == 0);
        (void) r;
}
