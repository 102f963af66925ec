/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the store has said is on the disk, is there after a kill; and a disk that takes no more loses nothing of it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store-rig.h"
#include "unit.h"

static void on_done_kill(void *userdata, const Failure *failure) {
        if (failure)
                _exit(1);
        (void) raise(SIGKILL);
}

/* Each round a process that dies the moment it knows. */
START_TEST(test_kill_when_done) {
        char expected[1024] = "";

        for (char c = 'a'; c < 'k'; c++) {
                char name[2] = { c, '\0' };
                pid_t child = fork();
                int status;

                if (child == 0) {
                        disk_open();
                        (void) store_put_device(disk.store, disk_put_device(name, (uint64_t) c, DEVICE_READY),
                                                on_done_kill, NULL);
                        (void) store_drain(disk.store, DRAIN_USEC);
                        _exit(2);
                }
                ck_assert_int_eq(waitpid(child, &status, 0), child);
                ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
                (void) sprintf(expected + strlen(expected), "%s%s:ready", *expected ? " " : "", name);
                disk_open();
                ck_assert_str_eq(disk_names(), expected);
                ck_assert_uint_gt(store_revision(disk.store), (uint64_t) c);
                disk_close();
        }
}
END_TEST

static int report_fd;

static void on_done_report(void *userdata, const Failure *failure) {
        uint32_t number = (uint32_t) (uintptr_t) userdata;

        if (failure || write(report_fd, &number, sizeof number) != sizeof number)
                _exit(1);
}

/* Puts device after device, and says of each when it is durable, until it is killed. */
static _Noreturn void write_for_ever(void) {
        disk_open();
        for (uint32_t i = 0;; i++) {
                char name[16];

                (void) snprintf(name, sizeof name, "d%u", i);
                if (store_put_device(disk.store, disk_put_device(name, i + 1, DEVICE_READY), on_done_report,
                                     (void *) (uintptr_t) i) < 0)
                        _exit(2);
                if (i % 7 == 0)
                        (void) sd_event_run(disk.event, 0);
                if (i % 100 == 0 && !store_drain(disk.store, DRAIN_USEC))
                        _exit(3);
        }
}

static bool *present;

static int note_present(void *userdata, const StoreRecord *r) {
        unsigned long number = strtoul(r->name + 1, NULL, 10);

        ck_assert_uint_lt(number, 1u << 20);
        present[number] = true;
        return 0;
}

/* Killed in the midst of it, at one time or another. */
START_TEST(test_kill_at_any_time) {
        Failure f = FAILURE_INIT;
        uint32_t number, n_acknowledged = 0;
        int fds[2], status;
        pid_t child;

        ck_assert_int_eq(pipe(fds), 0);
        child = fork();
        if (child == 0) {
                close(fds[0]);
                report_fd = fds[1];
                write_for_ever();
        }
        close(fds[1]);
        /* Until the first is done, the database may not be there yet. */
        ck_assert_int_eq(read(fds[0], &number, sizeof number), sizeof number);
        n_acknowledged++;
        usleep((useconds_t) (1000 + 7919 * _i));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        while (read(fds[0], &number, sizeof number) == sizeof number)
                n_acknowledged++;
        close(fds[0]);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status));

        present = calloc(1u << 20, sizeof *present);
        disk_open();
        ck_assert_int_eq(store_load(disk.store, &(StoreLoader){ .device = note_present }, NULL, &f), 0);
        for (uint32_t i = 0; i < n_acknowledged; i++)
                ck_assert_msg(present[i], "d%u of %u", i, n_acknowledged);
        ck_assert_uint_ge(store_revision(disk.store), n_acknowledged);
        disk_close();
        free(present);
}
END_TEST

/* Makes and removes devices until it is killed; each has a number of its own. Says of each removal when it is
 * durable.
 */
static _Noreturn void make_and_remove_for_ever(void) {
        disk_open();
        for (uint32_t i = 0;; i++) {
                const StoreRelease release = { .now_usec = i + 1, .quarantine_usec = 1u << 30 };
                char name[16];

                (void) snprintf(name, sizeof name, "d%u", i);
                if (store_put_device(disk.store, disk_put_holder(name, i + 1, DEVICE_READY, i), NULL, NULL) < 0 ||
                    (i % 3 > 0 &&
                     store_remove_device(disk.store, disk_put_holder(name, i + 1, DEVICE_DELETING, i), i + 1,
                                         &release, NULL, on_done_report, (void *) (uintptr_t) i) < 0))
                        _exit(2);
                if (i % 7 == 0)
                        (void) sd_event_run(disk.event, 0);
                if (i % 100 == 0 && !store_drain(disk.store, DRAIN_USEC))
                        _exit(3);
        }
}

static bool *released;

static int note_holder(void *userdata, const StoreRecord *r) {
        ck_assert_str_eq(r->asids, r->name + 1);
        return note_present(userdata, r);
}

static int note_released(void *userdata, const StoreQuarantine *q) {
        unsigned long number = strtoul(q->asids, NULL, 10);

        if (number >= 1u << 20 || present[number] || released[number])
                ck_abort_msg("ASID %lu is held and released, or released twice", number);
        released[number] = true;
        return 0;
}

/* Each ID is held by one device, or released, or was never given out: never two of them. */
START_TEST(test_kill_while_releasing) {
        static const StoreLoader loader = { .device = note_holder, .quarantine = note_released };
        Failure f = FAILURE_INIT;
        uint32_t number, last = 0;
        int fds[2], status;
        pid_t child;

        ck_assert_int_eq(pipe(fds), 0);
        child = fork();
        if (child == 0) {
                close(fds[0]);
                report_fd = fds[1];
                make_and_remove_for_ever();
        }
        close(fds[1]);
        ck_assert_int_eq(read(fds[0], &number, sizeof number), sizeof number);
        usleep((useconds_t) (1000 + 7919 * _i));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        while (read(fds[0], &number, sizeof number) == sizeof number)
                last = number;
        close(fds[0]);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status));

        present = calloc(1u << 20, sizeof *present);
        released = calloc(1u << 20, sizeof *released);
        disk_open();
        ck_assert_int_eq(store_load(disk.store, &loader, NULL, &f), 0);
        for (uint32_t i = 0; i < last; i++)
                if (i % 3 > 0 ? !released[i] : !present[i])
                        ck_abort_msg("d%u of %u", i, last);
        disk_close();
        free(present);
        free(released);
}
END_TEST

static off_t size_of(const char *name) {
        struct stat st;

        return stat(unit_path(name), &st) < 0 ? 0 : st.st_size;
}

static void limit_file_size(rlim_t limit) {
        struct rlimit rl;

        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &rl), 0);
        rl.rlim_cur = limit < rl.rlim_max ? limit : rl.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

/* A limit on the size of files stands for a full disk: writes fail, and succeed again when there is room. */
START_TEST(test_no_room) {
        bool stored[400] = {};
        unsigned n_failed = 0;
        char name[16];
        Failure f = FAILURE_INIT;

        ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        disk_open();
        for (unsigned i = 0; i < ELEMENTSOF(stored); i++) {
                Done done = {};

                if (i == 100)
                        limit_file_size((rlim_t) size_of("inventory.db-wal") + 20000);
                if (i == 300)
                        limit_file_size(RLIM_INFINITY);
                (void) snprintf(name, sizeof name, "d%u", i);
                ck_assert_int_eq(disk_put(name, i + 1, DEVICE_READY, &done), 0);
                disk_drain();
                ck_assert_uint_eq(done.n, 1);
                stored[i] = !done.failed;
                n_failed += done.failed;
                if (done.failed) {
                        ck_assert_int_eq(done.failure.code, ERROR_STORE_FAILED);
                        ck_assert_msg(i >= 100 && i < 300, "%s", done.failure.detail);
                }
        }
        ck_assert_uint_gt(n_failed, 100);
        disk_close();

        present = calloc(1u << 20, sizeof *present);
        disk_open();
        ck_assert_int_eq(store_load(disk.store, &(StoreLoader){ .device = note_present }, NULL, &f), 0);
        for (unsigned i = 0; i < ELEMENTSOF(stored); i++)
                ck_assert_msg(present[i] == stored[i], "d%u", i);
        disk_close();
        free(present);
}
END_TEST

/* It cannot even be made. */
START_TEST(test_no_room_at_first) {
        Failure f;

        ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        limit_file_size(1000);
        ck_assert_int_lt(disk_try_open(&f), 0);
        ck_assert_ptr_null(disk.store);
        ck_assert_int_eq(f.code, ERROR_STORE_FAILED);
        limit_file_size(RLIM_INFINITY);
        disk_open();
        ck_assert_str_eq(disk_names(), "");
        disk_close();
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_kill_when_done);
        tcase_add_loop_test(tcase, test_kill_at_any_time, 0, 10);
        tcase_add_loop_test(tcase, test_kill_while_releasing, 0, 6);
        tcase_add_test(tcase, test_no_room);
        tcase_add_test(tcase, test_no_room_at_first);
}

int main(void) {
        return unit_main("store-crash", add);
}
