/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/job.h"

#include <assert.h>
#include <stdint.h>

static void process(Workqueue *worker, WorkList *batch, void *userdata) {
        Backend *backend = userdata;

        while (!STAILQ_EMPTY(batch)) {
                Job *job = CONTAINER_OF(STAILQ_FIRST(batch), Job, work);

                STAILQ_REMOVE_HEAD(batch, entry);
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
