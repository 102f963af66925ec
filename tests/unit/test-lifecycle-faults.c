/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The verbs on a disk that fails at the n-th operation, for every n: each is answered, with the reason if the disk
 * was it; reads go on; and the host and the inventory come together again when the disk works. */
#include <stdio.h>
#include <string.h>

#include "fault-vfs.h"
#include "rig.h"
#include "store-rig.h"
#include "unit.h"
#include "util/clock.h"
#include "util/log.h"

static Answer set_mac(const char *name, uint8_t last) {
        DevicePatch patch = { .has_mac = true, .mac = { 2, 0, 0, 0, 0, last } };
        Answer a = {};

        lifecycle_update_device(rig.lifecycle, name, NULL, &patch, rig_on_answer, &a);
        rig_wait(&a);
        return a;
}

static void expect(Answer a, FaultKind kind, uint64_t n) {
        ck_assert_uint_eq(a.n, 1);
        if (a.failure.code == ERROR_NONE || a.failure.code == ERROR_DEVICE_NOT_FOUND ||
            a.failure.code == ERROR_ALREADY_EXISTS)
                return;
        ck_assert_msg(a.failure.code == ERROR_STORE_FAILED && strstr(a.failure.detail, fault_words(kind)),
                      "operation %u: %s", (unsigned) n, a.failure.detail);
}

/* Returns how many were not refused. */
static unsigned use(FaultKind kind, uint64_t n) {
        Answer answers[] = {
                rig_create("a", RIG_NET), rig_create("b", RIG_NET), set_mac("a", 1),          rig_delete("a"),
                rig_create("c", RIG_NET), rig_delete("b"),          rig_create("a", RIG_NET), set_mac("c", 2),
        };
        unsigned n_good = 0;

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                expect(answers[i], kind, n);
                n_good += answers[i].failure.code == ERROR_NONE;
        }
        return n_good;
}

static bool is_over(void *userdata) {
        return !lifecycle_trouble(rig.lifecycle) && lifecycle_n_operations(rig.lifecycle) == 0;
}

/* What the inventory has as ready is on the host, and nothing else is. */
static void expect_agreement(uint64_t n) {
        static const char *const names[] = { "a", "b", "c" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const Device *device = inventory_find_device(&rig.inventory, names[i]);

                ck_assert_msg((device && device->state == DEVICE_READY) == fake_has_device(rig.backend, names[i]),
                              "operation %u: %s is %s", (unsigned) n, names[i],
                              device ? device_state_name(device->state) : "not there");
        }
}

static void run(FaultKind kind, uint64_t n, bool is_lasting) {
        rig_set_up();
        fault_vfs_reset();
        rig_start();
        fault_vfs_fail(n, kind, is_lasting);
        (void) use(kind, n);
        fault_vfs_heal();
        if (lifecycle_trouble(rig.lifecycle))
                rig_assert_code(rig_create("after", RIG_NET), ERROR_NONE);
        unit_run_until(rig.event, is_over, NULL);
        expect_agreement(n);
        rig_stop();
        ck_assert_int_eq(disk_query("SELECT count(*) FROM device JOIN intent USING (revision)"), 0);
        rig_start();
        expect_agreement(n);
        rig_tear_down();
        (void) remove(unit_path("inventory.db"));
}

/* A run without faults. */
static uint64_t count_operations(void) {
        uint64_t before;

        fault_vfs_install();
        rig_set_up();
        rig_start();
        before = fault_vfs_count();
        ck_assert_uint_eq(use(FAULT_FULL, 0), 8);
        before = fault_vfs_count() - before;
        rig_tear_down();
        (void) remove(unit_path("inventory.db"));
        return before;
}

START_TEST(test_once) {
        uint64_t n_operations = count_operations();

        for (uint64_t n = 1; n <= n_operations; n += unit_is_slow() ? 19 : 1)
                run((FaultKind) _i, n, false);
}
END_TEST

START_TEST(test_from_then_on) {
        uint64_t n_operations = count_operations();

        for (uint64_t n = 1; n <= n_operations; n += unit_is_slow() ? 19 : 1)
                run((FaultKind) _i, n, true);
}
END_TEST

/* All is refused, for as long as it lasts; what is there can be seen; it is told once, with its end. */
START_TEST(test_trouble) {
        _cleanup_free_ char *log = NULL;
        const StoreTrouble *trouble;
        const char *first;

        fault_vfs_install();
        rig_set_up();
        rig_start();
        rig_create_good("a", RIG_NET);
        rig_wait_idle();
        ck_assert(store_drain(rig.store, 60 * USEC_PER_SEC));
        fault_vfs_fail(1, (FaultKind) _i, true);
        log_open(LOG_INFO);
        unit_capture_begin();
        for (unsigned i = 0; i < 20; i++)
                rig_assert_code(rig_create("b", RIG_NET), ERROR_STORE_FAILED);
        rig_assert_code(rig_delete("a"), ERROR_STORE_FAILED);
        ck_assert_ptr_nonnull(lifecycle_trouble(rig.lifecycle));
        trouble = lifecycle_trouble(rig.lifecycle);
        ck_assert_msg(strstr(trouble->failure.detail, fault_words((FaultKind) _i)), "%s", trouble->failure.detail);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        fault_vfs_heal();
        unit_run_until(rig.event, is_over, NULL);
        log = unit_capture_end();
        log_open(LOG_EMERG);
        first = strstr(log, "Changes are refused until");
        ck_assert_msg(first && !strstr(first + 1, "Changes are refused until"), "%s", log);
        first = strstr(log, "The inventory can be written");
        ck_assert_msg(first && !strstr(first + 1, "The inventory can be written"), "%s", log);
        ck_assert_msg(!strstr(log, "not created"), "%s", log);
        rig_create_good("b", RIG_NET);
        rig_tear_down();
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_once, 0, _FAULT_KIND_MAX);
        tcase_add_loop_test(tcase, test_from_then_on, 0, _FAULT_KIND_MAX);
        tcase_add_loop_test(tcase, test_trouble, 0, _FAULT_KIND_MAX);
}

int main(void) {
        /* Where nothing waits for a disk. */
        if (access("/dev/shm", W_OK) == 0)
                (void) setenv("TMPDIR", "/dev/shm", 0);
        return unit_main("lifecycle-faults", add);
}
