/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The end: what is under way is finished, the rest refused, and a backend that does not come back does not keep the
 * daemon. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "lifecycle/context.h"
#include "rig.h"
#include "unit.h"
#include "util/clock.h"

static void set_up(void) {
        rig_set_up();
        rig_start();
}

static int on_time(sd_event_source *s, uint64_t usec, void *userdata) {
        for (FakeCall call = 0; call < _FAKE_CALL_MAX; call++)
                fake_let_go(rig.backend, call);
        return 0;
}

/* While the stop already waits. */
static void let_go_soon(void) {
        ck_assert_int_ge(
                sd_event_add_time_relative(rig.event, NULL, CLOCK_MONOTONIC, 50 * USEC_PER_MSEC, 1, on_time, NULL),
                0);
}

START_TEST(test_idle) {
        Answer a;

        ck_assert(lifecycle_is_ready(rig.lifecycle));
        ck_assert(lifecycle_stop(rig.lifecycle, 60 * USEC_PER_SEC));
        ck_assert(!lifecycle_is_ready(rig.lifecycle));
        rig_begin_create("a", RIG_NET, &a);
        rig_assert_code(a, ERROR_SHUTTING_DOWN);
        rig_begin_delete("a", &a);
        rig_assert_code(a, ERROR_SHUTTING_DOWN);
}
END_TEST

START_TEST(test_under_way) {
        Answer create, delete, waiting;

        rig_create_good("d", RIG_NET);
        fake_hold(rig.backend, FAKE_CREATE);
        rig_begin_create("a", RIG_NET, &create);
        rig_begin_create("a", RIG_NET, &waiting);
        rig_begin_delete("d", &delete);
        rig_wait_held(FAKE_CREATE);
        let_go_soon();
        rig_stop();
        rig_assert_code(create, ERROR_NONE);
        rig_assert_code(delete, ERROR_NONE);
        rig_assert_code(waiting, ERROR_SHUTTING_DOWN);
        ck_assert_str_eq(rig_recorded("a"), "ready");
        ck_assert_str_eq(rig_recorded("d"), "");
}
END_TEST

/* Before even the intent is on the disk. */
START_TEST(test_just_begun) {
        Answer answers[20];

        for (unsigned i = 0; i < ELEMENTSOF(answers); i++) {
                char name[16];

                (void) snprintf(name, sizeof name, "d%u", i);
                rig_begin_create(name, RIG_NET, &answers[i]);
        }
        rig_stop();
        for (unsigned i = 0; i < ELEMENTSOF(answers); i++)
                rig_assert_code(answers[i], ERROR_NONE);
        ck_assert_str_eq(rig_recorded("d19"), "ready");
}
END_TEST

/* A failure is undone to the end, too. */
START_TEST(test_undo_under_way) {
        Answer a;

        fake_hold(rig.backend, FAKE_DESTROY);
        fake_fail(rig.backend, FAKE_BIND, 1, ERROR_BACKEND_FAILED, EIO);
        rig_begin_create("a", RIG_NET, &a);
        rig_wait_held(FAKE_DESTROY);
        let_go_soon();
        rig_stop();
        rig_assert_code(a, ERROR_BACKEND_FAILED);
        ck_assert_str_eq(rig_recorded("a"), "");
}
END_TEST

START_TEST(test_while_looking) {
        Answer waiting, next;

        fake_hold(rig.backend, FAKE_LIST_DEVICES);
        rig_begin_create("a", "{\"class\":\"net\",\"mgmtdev\":\"not/there\"}", &waiting);
        rig_wait_held(FAKE_LIST_DEVICES);
        rig_begin_create("b", "{\"class\":\"net\",\"mgmtdev\":\"not/there\"}", &next);
        let_go_soon();
        rig_stop();
        rig_assert_code(waiting, ERROR_SHUTTING_DOWN);
        rig_assert_code(next, ERROR_SHUTTING_DOWN);
}
END_TEST

/* What was not compared with the host yet is so at the next start. */
START_TEST(test_while_recovering) {
        rig_create_good("a", RIG_NET);
        rig_create_good("b", RIG_NET);
        rig_stop();
        fake_hold(rig.backend, FAKE_OBSERVE);
        rig_begin_start();
        rig_wait_held(FAKE_OBSERVE);
        let_go_soon();
        rig_stop();
        ck_assert(!rig.started);
        rig_start();
        ck_assert_uint_eq(rig.inventory.n_states[DEVICE_READY], 2);
}
END_TEST

/* In a process of its own, which has to be left as the daemon would be: with a thread in the kernel. */
START_TEST(test_stuck) {
        pid_t child;
        int status;

        rig_stop();
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                uint64_t before = clock_monotonic_usec();
                Answer a;

                rig_begin_start();
                fake_hold(rig.backend, FAKE_CREATE);
                while (!lifecycle_is_ready(rig.lifecycle))
                        (void) sd_event_run(rig.event, USEC_PER_SEC);
                rig_begin_create("a", RIG_NET, &a);
                if (lifecycle_stop(rig.lifecycle, 200 * USEC_PER_MSEC))
                        _exit(2);
                _exit(clock_monotonic_usec() - before < 200 * USEC_PER_MSEC ? 3 : a.n ? 4 : 0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);

        /* The intent is there, and the next start makes it good. */
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

/* No look at the host comes after the end. */
START_TEST(test_no_timer) {
        ck_assert(lifecycle_stop(rig.lifecycle, 60 * USEC_PER_SEC));
        ck_assert_ptr_null(rig.lifecycle->scanner.timer);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_idle);
        tcase_add_test(tcase, test_under_way);
        tcase_add_test(tcase, test_just_begun);
        tcase_add_test(tcase, test_undo_under_way);
        tcase_add_test(tcase, test_while_looking);
        tcase_add_test(tcase, test_while_recovering);
        tcase_add_test(tcase, test_stuck);
        tcase_add_test(tcase, test_no_timer);
}

int main(void) {
        return unit_main("lifecycle-stop", add);
}
