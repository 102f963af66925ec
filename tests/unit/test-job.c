/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a worker does ahead: just what follows without a gap, each once, and in order. */
#include "lifecycle/job.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define N_JOBS 16

typedef struct Step {
        Job job;
        char letter;
} Step;

static Step steps[N_JOBS];
static char told[256];

static void tell(const char *what, const Job *job) {
        size_t n = strlen(told);

        (void) snprintf(told + n, sizeof told - n, "%s%c", what, CONTAINER_OF(job, Step, job)->letter);
}

static void on_run(Job *job, Backend *backend) {
        tell(" ", job);
}

static void on_prepare(Job *job, Backend *backend) {
        tell(" +", job);
}

static void on_done(Work *work) {
}

/* letters: a job each, in order; capitals can be prepared. */
static void check(const char *letters, const char *expected) {
        Workqueue *worker;
        sd_event *event;

        told[0] = '\0';
        ck_assert_int_eq(sd_event_new(&event), 0);
        ck_assert_int_eq(job_queue_new(event, "unit", NULL, N_JOBS, &worker), 0);
        for (size_t i = 0; letters[i]; i++) {
                bool is_capital = letters[i] >= 'A' && letters[i] <= 'Z';

                steps[i] = (Step){
                        .job = { .work.done = on_done, .run = on_run, .prepare = is_capital ? on_prepare : NULL },
                        .letter = letters[i],
                };
                job_submit(worker, &steps[i].job);
        }
        ck_assert(workqueue_drain(worker, 10 * USEC_PER_SEC));
        workqueue_free(worker);
        sd_event_unref(event);
        ck_assert_str_eq(told, expected);
}

START_TEST(test_ahead) {
        check("A", " A");
        check("ab", " a b");
        check("AB", " +B A B");
        check("ABCDEF", " +B +C +D A +E B +F C D E F");
}
END_TEST

START_TEST(test_gaps) {
        check("aBC", " a +C B C");
        check("ABcDE", " +B A B c +E D E");
        check("AbC", " A b C");
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, test_ahead);
        tcase_add_test(tcase, test_gaps);
}

int main(void) {
        return unit_main("job", add_tests);
}
