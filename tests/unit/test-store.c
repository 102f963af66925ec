/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/mgmtdev.h"
#include "store-rig.h"
#include "unit.h"

static StoreRecord loaded;

static int keep_record(void *userdata, const StoreRecord *r) {
        Device *device = userdata;

        ck_assert_str_eq(r->name, device->name);
        ck_assert_str_eq(r->uid, device->uid);
        ck_assert_str_eq(r->mgmtdev, device->mgmtdev->info.handle);
        ck_assert_str_eq(r->reason_code, device->reason ? "backend-failed" : "");
        ck_assert_str_eq(r->reason, device->reason ? device->reason->detail : "");
        ck_assert_str_eq(r->spec.owner, "O'Neill \"\xc3\xa4\"");
        ck_assert_str_eq(r->spec.mac, "");
        ck_assert_str_eq(r->spec.labels, "{\"k\":\"\xc3\xb6\"}");
        ck_assert_str_eq(r->spec.common, "{\"class\":\"fs\",\"driver\":\"vhost_vdpa\","
                                         "\"persistent\":true,\"lease_seconds\":0,"
                                         "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}");
        loaded = *r;
        return 0;
}

/* All of a record comes back as it was, to the last bit. */
START_TEST(test_record) {
        Failure f = { .code = ERROR_BACKEND_FAILED, .error = EIO, .detail = "it's \"so\"; DROP TABLE device" };
        Mgmtdev mgmtdev = { .info.handle = "pci/0000:01:00.0" };
        _cleanup_(device_freep) Device *device = NULL;
        Failure unused = FAILURE_INIT;
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = 26;
        spec.owner = strdup("O'Neill \"\xc3\xa4\"");
        spec.labels = json_pack("{s:s}", "k", "\xc3\xb6");
        ck_assert_int_eq(device_new("a", &spec, UINT64_C(1795344691123456), &device), 0);
        device->mgmtdev = &mgmtdev;
        device->revision = INT64_MAX;
        device->created_revision = UINT64_C(1) << 53;
        device->generation = UINT32_MAX;
        device->state = DEVICE_FAILED;
        device_set_reason(device, &f);

        disk_open();
        ck_assert_int_eq(store_put_device(disk.store, device, NULL, NULL), 0);
        disk_drain();
        ck_assert_int_eq(store_load(disk.store, &(StoreLoader){ .device = keep_record }, device, &unused), 0);
        ck_assert_uint_eq(loaded.revision, INT64_MAX);
        ck_assert_uint_eq(loaded.created_revision, UINT64_C(1) << 53);
        ck_assert_uint_eq(loaded.created_usec, UINT64_C(1795344691123456));
        ck_assert_uint_eq(loaded.generation, UINT32_MAX);
        ck_assert_int_eq(loaded.state, DEVICE_FAILED);
        disk_close();
}
END_TEST

START_TEST(test_reopen) {
        Done done = {};

        disk_open();
        ck_assert_int_eq(disk_put("b", 1, DEVICE_READY, &done), 0);
        ck_assert_int_eq(disk_put("a", 2, DEVICE_FAILED, &done), 0);
        ck_assert_int_eq(disk_put("a.b", 3, DEVICE_LOST, &done), 0);
        disk_close();
        ck_assert_uint_eq(done.n, 3);
        ck_assert(!done.failed);
        disk_open();
        ck_assert_str_eq(disk_names(), "a:failed a.b:lost b:ready");
        disk_close();
}
END_TEST

START_TEST(test_every_state) {
        disk_open();
        for (DeviceState s = 0; s < _DEVICE_STATE_MAX; s++) {
                char name[2] = { (char) ('a' + (int) s), '\0' };

                ck_assert_int_eq(disk_put(name, 1, s, NULL), 0);
        }
        disk_close();
        disk_open();
        ck_assert_str_eq(disk_names(), "a:reserved b:creating c:ready d:deleting e:failed f:lost");
        disk_close();
}
END_TEST

/* What was queued later comes later, in one batch as in many. */
START_TEST(test_order) {
        disk_open();
        ck_assert_int_eq(disk_put("a", 1, DEVICE_RESERVED, NULL), 0);
        ck_assert_int_eq(store_remove_device(disk.store, disk_put_device("a", 0, DEVICE_DELETING), 2, NULL, NULL,
                                             NULL, NULL),
                         0);
        ck_assert_int_eq(disk_put("a", 3, DEVICE_READY, NULL), 0);
        ck_assert_int_eq(disk_put("b", 4, DEVICE_READY, NULL), 0);
        ck_assert_int_eq(store_remove_device(disk.store, disk_put_device("b", 0, DEVICE_DELETING), 5, NULL, NULL,
                                             NULL, NULL),
                         0);
        ck_assert_int_eq(disk_put("c", 6, DEVICE_RESERVED, NULL), 0);
        ck_assert_int_eq(disk_put("c", 7, DEVICE_READY, NULL), 0);
        ck_assert_int_eq(disk_put("c", 8, DEVICE_LOST, NULL), 0);
        disk_drain();
        ck_assert_str_eq(disk_names(), "a:ready c:lost");
        disk_close();
}
END_TEST

/* A device is what was intended when that is settled; what was left behind by another goes at the next load. */
START_TEST(test_intent) {
        static const StoreNotes intended = { .intended_revision = 5 }, settled = { .settled_revision = 5 };

        disk_open();
        disk_execute("INSERT INTO intent (revision) VALUES (3)");
        ck_assert_int_eq(
                store_put_noted(disk.store, disk_put_device("a", 4, DEVICE_RESERVED), NULL, &intended, NULL, NULL),
                0);
        ck_assert_int_eq(disk_put("b", 6, DEVICE_READY, NULL), 0);
        disk_drain();
        ck_assert_str_eq(disk_names(), "a:reserved b:ready");
        ck_assert_int_eq(disk_query("SELECT count(*) FROM intent WHERE revision <> 5"), 0);
        ck_assert_int_eq(store_put_notes(disk.store, &settled, NULL, NULL), 0);
        disk_drain();
        ck_assert_str_eq(disk_names(), "a:ready b:ready");
        ck_assert_int_eq(disk_query("SELECT revision FROM device WHERE name = 'a'"), 5);
        ck_assert_int_eq(disk_query("SELECT count(*) FROM intent"), 0);
        disk_close();
}
END_TEST

START_TEST(test_remove_nothing) {
        Done done = {};

        disk_open();
        ck_assert_int_eq(store_remove_device(disk.store, disk_put_device("a", 0, DEVICE_DELETING), 1, NULL, NULL,
                                             disk_on_done, &done),
                         0);
        disk_close();
        ck_assert_uint_eq(done.n, 1);
        ck_assert(!done.failed);
}
END_TEST

static unsigned answered[100], n_answered;

static void on_numbered(void *userdata, const Failure *failure) {
        ck_assert_ptr_null(failure);
        answered[n_answered++] = (unsigned) (uintptr_t) userdata;
}

static bool all_answered(void *userdata) {
        return n_answered == ELEMENTSOF(answered);
}

/* Answers come through the loop, each once, in order. */
START_TEST(test_answers) {
        disk_open();
        for (unsigned i = 0; i < ELEMENTSOF(answered); i++)
                ck_assert_int_eq(store_remove_device(disk.store, disk_put_device("a", 0, DEVICE_DELETING), i, NULL,
                                                     NULL, on_numbered, (void *) (uintptr_t) i),
                                 0);
        ck_assert_uint_eq(n_answered, 0);
        unit_run_until(disk.event, all_answered, NULL);
        for (unsigned i = 0; i < ELEMENTSOF(answered); i++)
                ck_assert_uint_eq(answered[i], i);
        disk_close();
}
END_TEST

typedef struct Loaded {
        unsigned n_devices, n_released;
        char asids[32], msis[32];
        uint64_t released_usec;
} Loaded;

static int load_device(void *userdata, const StoreRecord *r) {
        Loaded *l = userdata;

        l->n_devices++;
        (void) snprintf(l->asids, sizeof l->asids, "%s", r->asids);
        (void) snprintf(l->msis, sizeof l->msis, "%s", r->msis);
        ck_assert_str_eq(r->asid_space, r->asids[0] ? "device-mmu/bus/m" : "");
        ck_assert_uint_eq(r->n_vqs, r->asids[0] ? 1 : 0);
        return 0;
}

static int load_quarantine(void *userdata, const StoreQuarantine *q) {
        Loaded *l = userdata;

        l->n_released++;
        (void) snprintf(l->asids, sizeof l->asids, "%s", q->asids);
        (void) snprintf(l->msis, sizeof l->msis, "%s", q->msis);
        ck_assert_str_eq(q->mgmtdev, "bus/m");
        ck_assert_str_eq(q->asid_space, "device-mmu/bus/m");
        ck_assert_uint_ge(q->released_usec, l->released_usec);
        l->released_usec = q->released_usec;
        return 0;
}

static Loaded load(void) {
        static const StoreLoader loader = { .device = load_device, .quarantine = load_quarantine };
        Failure f = FAILURE_INIT;
        Loaded l = {};

        disk_drain();
        ck_assert_int_eq(store_load(disk.store, &loader, &l, &f), 0);
        return l;
}

/* What is held, what is released by a device that stays and by one that goes, and what is too long ago to matter.
 */
START_TEST(test_resources) {
        const StoreRelease first = { .now_usec = 100, .quarantine_usec = 50 };
        const StoreRelease second = { .now_usec = 150, .quarantine_usec = 50 };
        const StoreRelease third = { .now_usec = 151, .quarantine_usec = 50 };
        Loaded l;

        disk_open();
        ck_assert_int_eq(store_put_device(disk.store, disk_put_holder("a", 1, DEVICE_READY, 7), NULL, NULL), 0);
        l = load();
        ck_assert_str_eq(l.asids, "7");
        ck_assert_str_eq(l.msis, "14-15");
        ck_assert_uint_eq(l.n_released, 0);

        ck_assert_int_eq(
                store_put_noted(disk.store, disk_put_holder("a", 2, DEVICE_FAILED, 7), &first, NULL, NULL, NULL),
                0);
        l = load();
        ck_assert_uint_eq(l.n_devices, 1);
        ck_assert_uint_eq(l.n_released, 1);
        ck_assert_str_eq(l.asids, "7");

        /* One that holds nothing releases nothing. */
        ck_assert_int_eq(store_remove_device(disk.store, disk_put_device("a", 0, DEVICE_FAILED), 3, &second, NULL,
                                             NULL, NULL),
                         0);
        l = load();
        ck_assert_uint_eq(l.n_devices, 0);
        ck_assert_uint_eq(l.n_released, 1);

        ck_assert_int_eq(store_remove_device(disk.store, disk_put_holder("b", 0, DEVICE_READY, 8), 4, &second, NULL,
                                             NULL, NULL),
                         0);
        l = load();
        ck_assert_uint_eq(l.n_released, 2);
        ck_assert_str_eq(l.msis, "16-17");
        ck_assert_int_eq(store_remove_device(disk.store, disk_put_holder("b", 0, DEVICE_READY, 9), 5, &third, NULL,
                                             NULL, NULL),
                         0);
        ck_assert_uint_eq(load().n_released, 2);
        disk_close();
}
END_TEST

START_TEST(test_boot_id) {
        disk_open();
        ck_assert_str_eq(store_boot_id(disk.store), "");
        ck_assert_int_eq(store_put_boot_id(disk.store, "01234567-89ab-cdef-0123-456789abcdef", NULL, NULL), 0);
        disk_close();
        disk_open();
        ck_assert_str_eq(store_boot_id(disk.store), "01234567-89ab-cdef-0123-456789abcdef");
        ck_assert_int_eq(store_put_boot_id(disk.store, "x", NULL, NULL), 0);
        disk_close();
        disk_open();
        ck_assert_str_eq(store_boot_id(disk.store), "x");
        disk_close();
}
END_TEST

/* The next revision is above all that was given out, removals too. */
START_TEST(test_revision) {
        uint64_t revision;

        disk_open();
        revision = store_revision(disk.store);
        ck_assert_int_eq(disk_put("a", revision + 7, DEVICE_READY, NULL), 0);
        disk_close();
        disk_open();
        ck_assert_uint_gt(store_revision(disk.store), revision + 7);
        revision = store_revision(disk.store);
        ck_assert_int_eq(store_remove_device(disk.store, disk_put_device("a", 0, DEVICE_DELETING), revision + 9,
                                             NULL, NULL, NULL, NULL),
                         0);
        disk_close();
        disk_open();
        ck_assert_uint_gt(store_revision(disk.store), revision + 9);
        ck_assert_str_eq(disk_names(), "");
        disk_close();
}
END_TEST

/* Nor was everything that was given out recorded: each start has its own. */
START_TEST(test_revisions_are_reserved) {
        uint64_t revision;

        disk_open();
        revision = store_revision(disk.store);
        ck_assert_str_eq(disk_names(), "");
        disk_close();
        disk_open();
        ck_assert_uint_gt(store_revision(disk.store), revision + 1000000);
        disk_close();
}
END_TEST

static int refuse_second(void *userdata, const StoreRecord *r) {
        unsigned *n = userdata;

        return ++*n == 2 ? -E2BIG : 0;
}

START_TEST(test_load_stops) {
        Failure f = FAILURE_INIT;
        unsigned n = 0;

        disk_open();
        ck_assert_int_eq(disk_put("a", 1, DEVICE_READY, NULL), 0);
        ck_assert_int_eq(disk_put("b", 1, DEVICE_READY, NULL), 0);
        ck_assert_int_eq(disk_put("c", 1, DEVICE_READY, NULL), 0);
        disk_drain();
        ck_assert_int_eq(store_load(disk.store, &(StoreLoader){ .device = refuse_second }, &n, &f), -E2BIG);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(disk_names(), "a:ready b:ready c:ready");
        disk_close();
}
END_TEST

/* More than one transaction's worth. */
START_TEST(test_many) {
        unsigned n = unit_is_slow() ? 3000 : 20000;
        Done done = {};

        disk_open();
        for (unsigned i = 0; i < n; i++) {
                char name[16];

                (void) snprintf(name, sizeof name, "d%u", i % 50);
                ck_assert_int_eq(disk_put(name, i + 1, DEVICE_READY, &done), 0);
        }
        disk_drain();
        ck_assert_uint_eq(done.n, n);
        ck_assert(!done.failed);
        disk_close();
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_record);
        tcase_add_test(tcase, test_reopen);
        tcase_add_test(tcase, test_every_state);
        tcase_add_test(tcase, test_order);
        tcase_add_test(tcase, test_intent);
        tcase_add_test(tcase, test_remove_nothing);
        tcase_add_test(tcase, test_answers);
        tcase_add_test(tcase, test_resources);
        tcase_add_test(tcase, test_boot_id);
        tcase_add_test(tcase, test_revision);
        tcase_add_test(tcase, test_revisions_are_reserved);
        tcase_add_test(tcase, test_load_stops);
        tcase_add_test(tcase, test_many);
}

int main(void) {
        return unit_main("store", add);
}
