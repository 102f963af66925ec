/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ring of changes: what is found in it, and what is not any more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/journal.h"
#include "unit.h"

#define CAPACITY 8u

static Inventory inventory;
static Journal journal;
static unsigned n_entries;

static void on_entry(void *userdata) {
        n_entries++;
}

static void set_up(void) {
        inventory_init(&inventory, 100);
        inventory.revision = inventory.first_revision = 1000;
        n_entries = 0;
        ck_assert_int_eq(journal_init(&journal, &inventory, CAPACITY, on_entry, NULL), 0);
}

static void tear_down(void) {
        journal_done(&journal);
        journal_done(&journal);
        inventory_done(&inventory);
}

static Device *add_device(const char *name) {
        Mgmtdev *mgmtdev;
        DeviceSpec spec;
        Device *device;

        device_spec_init(&spec);
        spec.class = 1;
        ck_assert_int_eq(inventory_ensure_mgmtdev(&inventory, "sim0", &mgmtdev), 0);
        ck_assert_int_eq(device_new(name, &spec, 0, &device), 0);
        ck_assert_int_eq(inventory_add_device(&inventory, device, mgmtdev), 0);
        return device;
}

static uint64_t find(uint64_t revision) {
        uint64_t position;

        ck_assert_int_eq(journal_find(&journal, revision, &position), 0);
        return position;
}

START_TEST(test_life) {
        Device *device = add_device("a");
        uint64_t begin = find(1000);
        char uid[UID_TEXT_MAX];

        strcpy(uid, device->uid);
        inventory_touch_device(&inventory, device);
        inventory_remove_device(&inventory, device);
        ck_assert_uint_eq(n_entries, 3);
        ck_assert_uint_eq(journal.next - begin, 3);
        ck_assert_int_eq(journal_get(&journal, begin)->change, DEVICE_ADDED);
        ck_assert_int_eq(journal_get(&journal, begin + 1)->change, DEVICE_CHANGED);
        ck_assert_int_eq(journal_get(&journal, begin + 2)->change, DEVICE_REMOVED);
        for (uint64_t p = begin; p < journal.next; p++) {
                ck_assert_str_eq(journal_get(&journal, p)->name, "a");
                ck_assert_str_eq(journal_get(&journal, p)->uid, uid);
                ck_assert_uint_eq(find(journal_get(&journal, p)->revision), p + 1);
        }
}
END_TEST

START_TEST(test_nothing_yet) {
        ck_assert_uint_eq(find(1000), journal.next);
}
END_TEST

/* Of a former start, of no start, and overwritten. */
START_TEST(test_stale) {
        uint64_t position;
        Device *device;

        ck_assert_int_eq(journal_find(&journal, 999, &position), -ESTALE);
        ck_assert_int_eq(journal_find(&journal, 1001, &position), -ESTALE);

        device = add_device("a");
        for (unsigned i = 0; i < CAPACITY; i++) {
                journal_get(&journal, journal.next - 1)->text = strdup("text");
                inventory_touch_device(&inventory, device);
        }
        ck_assert_int_eq(journal_find(&journal, 1000, &position), -ESTALE);
        ck_assert_ptr_null(journal_get(&journal, 0));
        ck_assert_ptr_null(journal_get(&journal, journal.next - CAPACITY - 1));
        ck_assert_ptr_nonnull(journal_get(&journal, journal.next - CAPACITY));
        ck_assert_ptr_null(journal_get(&journal, journal.next - 1)->text);
        ck_assert_uint_eq(find(journal.from_revision), journal.first);
        ck_assert_uint_eq(find(inventory.revision), journal.next);
}
END_TEST

/* Against a plain list of all changes. */
START_TEST(test_twin) {
        uint64_t revisions[3000];
        unsigned n = 0;
        Device *device = add_device("a");

        revisions[n++] = inventory.revision;
        while (n < ELEMENTSOF(revisions)) {
                inventory.revision += unit_random(3);
                inventory_touch_device(&inventory, device);
                revisions[n++] = inventory.revision;
                for (unsigned i = n > CAPACITY ? n - CAPACITY : 0; i < n; i++) {
                        uint64_t position = find(revisions[i] - 1);

                        ck_assert_uint_eq(journal_get(&journal, position)->revision, revisions[i]);
                        ck_assert_uint_eq(position, i);
                }
        }
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_life);
        tcase_add_test(tcase, test_nothing_yet);
        tcase_add_test(tcase, test_stale);
        tcase_add_test(tcase, test_twin);
}

int main(void) {
        return unit_main("journal", add);
}
