/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inventory beside a twin that is as plain as can be, an array with a place for every name: after each of many
 * random changes, both must say the same. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/inventory.h"
#include "unit.h"

#define N_NAMES    200u
#define N_MGMTDEVS 5u
#define MAX_THERE  120u

typedef struct Twin {
        bool there;
        DeviceState state;
        unsigned mgmtdev;
        uint64_t revision;
} Twin;

static Inventory inv;
static Twin twins[N_NAMES];
static uint64_t last_revision;

/* In the order of their numbers, too. */
static const char *name_of(unsigned number) {
        static char name[16];

        (void) snprintf(name, sizeof name, "d%03u", number);
        return name;
}

static const char *handle_of(unsigned number) {
        static const char *const handles[N_MGMTDEVS] = { "auxiliary/a.sf.4", "pci/0000:01:00.0", "pci/0000:01:00.1",
                                                         "vdpasim_blk", "vdpasim_net" };

        return handles[number];
}

static unsigned count_twins(void) {
        unsigned n = 0;

        for (unsigned i = 0; i < N_NAMES; i++)
                n += twins[i].there;
        return n;
}

/* Everything but this device must have kept its revision, and the inventory's must have grown. */
static void note_change(unsigned number) {
        ck_assert_uint_gt(inv.revision, last_revision);
        last_revision = inv.revision;
        if (twins[number].there)
                twins[number].revision = inv.revision;
}

static void add_one(unsigned number) {
        Mgmtdev *mgmtdev = NULL;
        DeviceSpec spec;
        Device *device;
        int r, expected = 0;

        device_spec_init(&spec);
        ck_assert_int_eq(device_new(name_of(number), &spec, 0, &device), 0);
        if (twins[number].there)
                expected = -EEXIST;
        else if (count_twins() >= MAX_THERE)
                expected = -ENOSPC;

        ck_assert_int_eq(inventory_ensure_mgmtdev(&inv, handle_of(number % N_MGMTDEVS), &mgmtdev), 0);
        last_revision = inv.revision;
        r = inventory_add_device(&inv, device, mgmtdev);
        ck_assert_int_eq(r, expected);
        if (r < 0) {
                device_free(device);
                ck_assert_uint_eq(inv.revision, last_revision);
                return;
        }
        twins[number] = (Twin){ .there = true, .state = DEVICE_RESERVED, .mgmtdev = number % N_MGMTDEVS };
        note_change(number);
}

static void change_one(unsigned number) {
        Device *device = inventory_find_device(&inv, name_of(number));

        ck_assert_int_eq(device != NULL, twins[number].there);
        if (!device)
                return;

        switch (unit_random(5)) {
        case 0:
        case 1:
                inventory_remove_device(&inv, device);
                twins[number].there = false;
                break;
        case 2:
                inventory_touch_device(&inv, device);
                break;
        default:
                twins[number].state = (DeviceState) unit_random(_DEVICE_STATE_MAX);
                inventory_set_state(&inv, device, twins[number].state, NULL);
        }
        note_change(number);
}

static void check_next(unsigned number) {
        Device *next = inventory_next_device(&inv, name_of(number));
        unsigned i = number + 1;

        while (i < N_NAMES && !twins[i].there)
                i++;
        if (i == N_NAMES)
                ck_assert_ptr_null(next);
        else
                ck_assert_str_eq(next->name, name_of(i));
}

static void check_mgmtdevs(void) {
        for (unsigned m = 0; m < N_MGMTDEVS; m++) {
                Mgmtdev *mgmtdev = inventory_find_mgmtdev(&inv, handle_of(m));
                unsigned n_devices = 0, n_records = 0;

                for (unsigned i = 0; i < N_NAMES; i++) {
                        if (!twins[i].there || twins[i].mgmtdev != m)
                                continue;
                        n_records++;
                        n_devices += twins[i].state != DEVICE_FAILED;
                }
                if (n_records > 0)
                        ck_assert_ptr_nonnull(mgmtdev);
                if (!mgmtdev)
                        continue;
                ck_assert_uint_eq(mgmtdev->n_devices, n_devices);
                ck_assert_uint_eq(mgmtdev->n_records, n_records);
        }
}

static void check_all(void) {
        size_t n_states[_DEVICE_STATE_MAX] = {};
        const char *last = "";
        Device *device;
        size_t n = 0;

        for (unsigned i = 0; i < N_NAMES; i++)
                if (twins[i].there) {
                        device = inventory_next_device(&inv, last);
                        ck_assert_ptr_nonnull(device);
                        ck_assert_str_eq(device->name, name_of(i));
                        ck_assert_int_eq(device->state, twins[i].state);
                        ck_assert_uint_eq(device->revision, twins[i].revision);
                        last = device->name;
                        n_states[twins[i].state]++;
                        n++;
                }
        ck_assert_ptr_null(inventory_next_device(&inv, last));
        ck_assert_uint_eq(inv.n_devices, n);
        for (DeviceState s = 0; s < _DEVICE_STATE_MAX; s++)
                ck_assert_uint_eq(inv.n_states[s], n_states[s]);
        check_mgmtdevs();
}

START_TEST(test_twin) {
        unsigned n = unit_is_slow() ? 5000 : 100000;

        inventory_init(&inv, MAX_THERE);
        for (unsigned i = 0; i < n; i++) {
                unsigned number = unit_random(N_NAMES);

                if (unit_random(2))
                        add_one(number);
                else
                        change_one(number);
                check_next(unit_random(N_NAMES));
                if (i % 100 == 0)
                        check_all();
        }
        check_all();
        inventory_done(&inv);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_twin);
}

int main(void) {
        return unit_main("inventory-twin", add);
}
