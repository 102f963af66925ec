/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Management devices in the inventory: they come and go with the host's listings. */
#include "inventory/mgmtdev.h"

#include <stdio.h>
#include <string.h>

#include "inventory/inventory.h"
#include "unit.h"

static Inventory inv;

static void set_up(void) {
        inventory_init(&inv, 4);
}

static void tear_down(void) {
        inventory_done(&inv);
}

static Device *new_device(const char *name) {
        DeviceSpec spec;
        Device *device;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        ck_assert_int_eq(device_new(name, &spec, 1, &device), 0);
        return device;
}

static Mgmtdev *ensure(const char *handle) {
        Mgmtdev *mgmtdev;

        ck_assert_int_eq(inventory_ensure_mgmtdev(&inv, handle, &mgmtdev), 0);
        return mgmtdev;
}

static Device *add_device(const char *name, Mgmtdev *mgmtdev) {
        Device *device = new_device(name);

        ck_assert_int_eq(inventory_add_device(&inv, device, mgmtdev), 0);
        return device;
}

static MgmtdevInfo info_of(const char *handle) {
        MgmtdevInfo info = { .numa_node = -1, .classes = 2 };

        (void) snprintf(info.handle, sizeof info.handle, "%s", handle);
        return info;
}

START_TEST(test_ensure) {
        char handle[HANDLE_MAX + 1];
        Mgmtdev *m = ensure("pci/0000:01:00.0"), *none = NULL;

        ck_assert(!m->present);
        ck_assert_int_eq(m->info.numa_node, -1);
        ck_assert_uint_eq(m->revision, inv.revision);
        ck_assert_ptr_eq(ensure("pci/0000:01:00.0"), m);
        memset(handle, 'a', HANDLE_MAX);
        handle[HANDLE_MAX] = '\0';
        ck_assert_int_lt(inventory_ensure_mgmtdev(&inv, handle, &none), 0);
        ck_assert_ptr_null(none);
        ck_assert_ptr_null(inventory_find_mgmtdev(&inv, handle));
        handle[HANDLE_MAX - 1] = '\0';
        ck_assert_ptr_eq(inventory_find_mgmtdev(&inv, handle), NULL);
        ck_assert_ptr_eq(ensure(handle), inventory_find_mgmtdev(&inv, handle));
}
END_TEST

START_TEST(test_update_mgmtdevs) {
        MgmtdevInfo infos[] = { info_of("c"), info_of("a"), info_of("b") };
        uint64_t revision;
        Mgmtdev *m;

        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 3, 0), 0);
        m = inventory_first_mgmtdev(&inv);
        ck_assert_str_eq(m->info.handle, "a");
        ck_assert(m->present);
        m = inventory_next_mgmtdev(m);
        ck_assert_str_eq(m->info.handle, "b");
        m = inventory_next_mgmtdev(m);
        ck_assert_str_eq(m->info.handle, "c");
        ck_assert_ptr_null(inventory_next_mgmtdev(m));

        /* The same again changes nothing. */
        revision = inv.revision;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 3, 0), 0);
        ck_assert_uint_eq(inv.revision, revision);

        infos[1].max_vqs = 7;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 3, 0), 0);
        m = inventory_find_mgmtdev(&inv, "a");
        ck_assert_uint_eq(m->info.max_vqs, 7);
        ck_assert_uint_eq(m->revision, inv.revision);
        ck_assert_uint_lt(inventory_find_mgmtdev(&inv, "b")->revision, m->revision);
}
END_TEST

START_TEST(test_mgmtdev_goes_and_comes) {
        MgmtdevInfo infos[] = { info_of("a"), info_of("b") };
        Mgmtdev *a;
        uint64_t revision;

        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 2, 0), 0);
        a = inventory_find_mgmtdev(&inv, "a");
        add_device("x", a);
        revision = inv.revision;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, NULL, 0, 0), 0);
        ck_assert_ptr_eq(inventory_find_mgmtdev(&inv, "a"), a);
        ck_assert(!a->present);
        ck_assert_uint_gt(a->revision, revision);
        ck_assert_ptr_null(inventory_find_mgmtdev(&inv, "b"));

        revision = inv.revision;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 2, 0), 0);
        ck_assert(a->present);
        ck_assert_uint_gt(a->revision, revision);

        /* It is the host's, so it stays without a device too. */
        inventory_remove_device(&inv, inventory_find_device(&inv, "x"));
        ck_assert_ptr_eq(inventory_find_mgmtdev(&inv, "a"), a);
}
END_TEST

START_TEST(test_has_class) {
        Mgmtdev m = { .info = { .classes = UINT64_C(1) << 63 | 2, .features = { [1] = 5, [63] = 9 } } };
        uint64_t features = 0;

        ck_assert(mgmtdev_has_class(&m, 1, &features));
        ck_assert_uint_eq(features, 5);
        ck_assert(mgmtdev_has_class(&m, 63, &features));
        ck_assert_uint_eq(features, 9);
        ck_assert(mgmtdev_has_class(&m, 63, NULL));
        ck_assert(!mgmtdev_has_class(&m, 0, &features));
        ck_assert(!mgmtdev_has_class(&m, 2, &features));
        ck_assert(!mgmtdev_has_class(&m, 64, &features));
        ck_assert(!mgmtdev_has_class(&m, UINT32_MAX, &features));
        ck_assert_uint_eq(features, 9);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_ensure);
        tcase_add_test(tcase, test_update_mgmtdevs);
        tcase_add_test(tcase, test_mgmtdev_goes_and_comes);
        tcase_add_test(tcase, test_has_class);
}

int main(void) {
        return unit_main("mgmtdev", add);
}
