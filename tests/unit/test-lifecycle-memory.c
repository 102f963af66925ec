/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Verbs without memory: whichever allocation fails, there is one answer, and what is in the inventory, on the host
 * and on the disk agrees. The linker leads the allocations of the daemon's objects here (see local.mk). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "rig.h"
#include "unit.h"
#include "util/clock.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *s);

/* While armed, n_good allocations of this thread work, and then one fails. The test and Check, which are linked
 * like the daemon, need theirs. */
static _Thread_local bool armed;
static int n_good;

static bool fails(void) {
        return armed && n_good-- == 0;
}

void *__wrap_malloc(size_t size) {
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

static void set_up(void) {
        json_set_alloc_funcs(__wrap_malloc, free);
        rig_set_up();
        rig_start();
}

#define FULL_SPEC "{\"class\":\"net\",\"owner\":\"o\",\"labels\":{\"a\":\"b\"},\"features\":[\"MAC\"]}"

/* Each begins a verb on the device 'a'. */
static void begin_create(Answer *a) {
        DeviceSpec spec = rig_spec(FULL_SPEC);

        armed = true;
        lifecycle_create_device(rig.lifecycle, "a", &spec, NULL, rig_on_answer, a);
}

static void begin_delete(Answer *a) {
        armed = true;
        lifecycle_delete_device(rig.lifecycle, "a", NULL, rig_on_answer, a);
}

/* Each time the request is a new one. */
static Precondition fresh_key(void) {
        static unsigned counter;
        Precondition p = {};

        (void) snprintf(p.key.text, sizeof p.key.text, "key-%u", counter++);
        memset(p.key.request, 'a', sizeof p.key.request - 1);
        return p;
}

static void begin_keyed_create(Answer *a) {
        DeviceSpec spec = rig_spec(FULL_SPEC);
        Precondition p = fresh_key();

        armed = true;
        lifecycle_create_device(rig.lifecycle, "a", &spec, &p, rig_on_answer, a);
}

static void begin_keyed_delete(Answer *a) {
        Precondition p = fresh_key();

        armed = true;
        lifecycle_delete_device(rig.lifecycle, "a", &p, rig_on_answer, a);
}

static void begin_mac(Answer *a) {
        armed = true;
        lifecycle_update_device(rig.lifecycle, "a", NULL, &(DevicePatch){ .has_mac = true, .mac = { 2, 1 } },
                                rig_on_answer, a);
}

static void begin_labels(Answer *a) {
        static char owner[] = "someone else";
        static json_t *labels;

        if (!labels)
                labels = json_pack("{s:s, s:n}", "c", "d", "a");
        armed = true;
        lifecycle_update_device(
                rig.lifecycle, "a", NULL,
                &(DevicePatch){ .has_owner = true, .owner = owner, .has_labels = true, .labels = labels },
                rig_on_answer, a);
}

static void begin_stats(Answer *a) {
        armed = true;
        lifecycle_get_stats(rig.lifecycle, "a", rig_on_answer, a);
}

static const struct {
        void (*begin)(Answer *a);
        bool exists;      /* before it */
        FakeCall failing; /* get_host: none */
} verbs[] = {
        { begin_create, false, FAKE_GET_HOST },      { begin_create, false, FAKE_BIND },
        { begin_create, true, FAKE_GET_HOST },       { begin_delete, true, FAKE_GET_HOST },
        { begin_delete, true, FAKE_DESTROY },        { begin_mac, true, FAKE_GET_HOST },
        { begin_mac, true, FAKE_SET_MAC },           { begin_labels, true, FAKE_GET_HOST },
        { begin_stats, true, FAKE_GET_HOST },        { begin_keyed_create, false, FAKE_GET_HOST },
        { begin_keyed_create, false, FAKE_BIND },    { begin_keyed_create, true, FAKE_GET_HOST },
        { begin_keyed_delete, true, FAKE_GET_HOST }, { begin_keyed_delete, true, FAKE_DESTROY },
};

/* What nobody had the memory to look at counts as lost, until the next look. */
static void check_agreement(void) {
        Device *device = inventory_find_device(&rig.inventory, "a");

        ck_assert_uint_eq(lifecycle_n_operations(rig.lifecycle), 0);
        if (!device) {
                ck_assert(!fake_has_device(rig.backend, "a"));
                return;
        }
        ck_assert_ptr_null(device->operation);
        if (device->state == DEVICE_LOST)
                rig_look();
        if (device->state != DEVICE_READY)
                ck_assert_int_eq(device->state, DEVICE_FAILED);
        else
                ck_assert(fake_has_device(rig.backend, "a"));
}

/* Runs the verb with the nth allocation failing. Returns false if there are not that many. */
static bool run(int verb, int n) {
        Answer a = {};

        if (verbs[verb].failing != FAKE_GET_HOST)
                fake_fail(rig.backend, verbs[verb].failing, 1, ERROR_BACKEND_FAILED, EIO);
        n_good = n;
        verbs[verb].begin(&a);
        armed = false;
        while (a.n == 0 || lifecycle_n_operations(rig.lifecycle) > 0) {
                int r;

                armed = true;
                r = sd_event_run(rig.event, 10 * USEC_PER_MSEC);
                armed = false;
                ck_assert_int_ge(r, 0);
        }
        fake_fail(rig.backend, verbs[verb].failing, 0, ERROR_NONE, 0);

        ck_assert_uint_eq(a.n, 1);
        ck_assert_msg(a.failure.code == ERROR_NONE || a.failure.code == ERROR_OUT_OF_MEMORY ||
                              a.failure.code == ERROR_BACKEND_FAILED || a.failure.code == ERROR_STORE_FAILED,
                      "allocation %d: %s", n, a.failure.detail);
        check_agreement();
        return n_good < 0;
}

START_TEST(test_verb) {
        bool more = true;

        for (int n = 0; more; n++) {
                if (verbs[_i].exists)
                        (void) rig_create_good("a", FULL_SPEC);
                more = run(_i, n);
                if (inventory_find_device(&rig.inventory, "a")) {
                        Answer gone = rig_delete("a");

                        rig_assert_code(gone, ERROR_NONE);
                }
                ck_assert(!fake_has_device(rig.backend, "a"));
                ck_assert_int_lt(n, 500);
        }

        /* All of that came to the disk, or will at the next start. */
        rig_stop();
        rig_start();
        ck_assert_uint_eq(rig.inventory.n_devices, 0);
}
END_TEST

/* --- Pools ----------------------------------------------------------------------------------------------- */

static void begin_set_pool(Answer *a) {
        PoolSpec spec = { .device = rig_spec(RIG_NET), .low = 1, .high = 2 };

        armed = true;
        lifecycle_set_pool(rig.lifecycle, "p", &spec, rig_on_answer, a);
}

static void begin_remove_pool(Answer *a) {
        armed = true;
        lifecycle_remove_pool(rig.lifecycle, "p", rig_on_answer, a);
}

static void begin_claim(Answer *a) {
        static char owner[] = "o";
        Precondition p = fresh_key();

        armed = true;
        lifecycle_claim_device(rig.lifecycle, "p", &p, &(DevicePatch){ .has_owner = true, .owner = owner },
                               rig_on_answer, a);
}

static void begin_claim_with_mac(Answer *a) {
        armed = true;
        lifecycle_claim_device(rig.lifecycle, "p", NULL, &(DevicePatch){ .has_mac = true, .mac = { 2, 1 } },
                               rig_on_answer, a);
}

/* Of the device that was claimed before. */
static void begin_return(Answer *a) {
        Device *device = inventory_next_device(&rig.inventory, "");
        Precondition p = fresh_key();

        while (device->holder)
                device = inventory_next_device(&rig.inventory, device->name);
        armed = true;
        lifecycle_return_device(rig.lifecycle, "p", device->name, &p, rig_on_answer, a);
}

static const struct {
        void (*begin)(Answer *a);
        bool has_pool, has_claimed; /* before it */
} pool_verbs[] = {
        { begin_set_pool, false, false },      { begin_remove_pool, true, false }, { begin_claim, true, false },
        { begin_claim_with_mac, true, false }, { begin_return, true, true },
};

/* Until nothing more comes of it; a pool goes on by itself. */
static void run_armed(const Answer *a) {
        while (a->n == 0 || lifecycle_n_operations(rig.lifecycle) > 0) {
                int r;

                armed = true;
                r = sd_event_run(rig.event, 10 * USEC_PER_MSEC);
                armed = false;
                ck_assert_int_ge(r, 0);
        }
}

static void do_without_fault(void (*begin)(Answer *a)) {
        Answer a = {};

        n_good = INT_MAX;
        begin(&a);
        run_armed(&a);
        rig_assert_code(a, ERROR_NONE);
}

/* Each device is free, or somebody's; all that is on the host is in the inventory, and the reverse. */
static void check_devices(void) {
        Device *d = inventory_next_device(&rig.inventory, "");

        for (; d; d = inventory_next_device(&rig.inventory, d->name)) {
                ck_assert_ptr_null(d->operation);
                if (d->state == DEVICE_READY)
                        ck_assert(fake_has_device(rig.backend, d->name));
        }
        ck_assert_uint_eq(rig.lifecycle->pools.n_making, 0);
}

static void delete_all(void) {
        Device *d;

        if (pool_find(&rig.inventory, "p"))
                do_without_fault(begin_remove_pool);
        rig_look();
        while ((d = inventory_next_device(&rig.inventory, ""))) {
                Answer gone = rig_delete(d->name);

                ck_assert(gone.failure.code == ERROR_NONE || gone.failure.code == ERROR_DEVICE_NOT_FOUND);
        }
        rig_wait_idle();
}

START_TEST(test_pool_verb) {
        for (int n = 0, more = 1; more; n++) {
                Answer a = {};

                if (pool_verbs[_i].has_pool)
                        rig_make_pool(1, 2, POOL_SCRUB);
                if (pool_verbs[_i].has_claimed)
                        do_without_fault(begin_claim_with_mac);
                n_good = n;
                pool_verbs[_i].begin(&a);
                armed = false;
                run_armed(&a);
                more = n_good < 0;
                ck_assert_uint_eq(a.n, 1);
                ck_assert_msg(a.failure.code == ERROR_NONE || a.failure.code == ERROR_OUT_OF_MEMORY ||
                                      a.failure.code == ERROR_STORE_FAILED,
                              "allocation %d: %s", n, a.failure.detail);
                n_good = INT_MAX;
                check_devices();
                delete_all();
                ck_assert_int_lt(n, 1000);
        }

        rig_stop();
        rig_start();
        ck_assert_uint_eq(rig.inventory.n_devices, 0);
        ck_assert_uint_eq(rig.inventory.n_pools, 0);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_loop_test(tcase, test_verb, 0, (int) ELEMENTSOF(verbs));
        tcase_add_loop_test(tcase, test_pool_verb, 0, (int) ELEMENTSOF(pool_verbs));
}

int main(void) {
        return unit_main("lifecycle-memory", add);
}
