/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/inventory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

START_TEST(test_empty) {
        ck_assert_ptr_null(inventory_find_device(&inv, "a"));
        ck_assert_ptr_null(inventory_next_device(&inv, ""));
        ck_assert_ptr_null(inventory_find_mgmtdev(&inv, "a"));
        ck_assert_ptr_null(inventory_first_mgmtdev(&inv));
        ck_assert_uint_eq(inv.revision, 0);
        ck_assert_uint_eq(inv.n_devices, 0);
}
END_TEST

START_TEST(test_add) {
        Mgmtdev *m = ensure("m");
        uint64_t before = inv.revision;
        Device *device = add_device("a", m);

        ck_assert_ptr_eq(inventory_find_device(&inv, "a"), device);
        ck_assert_ptr_eq(device->mgmtdev, m);
        ck_assert_uint_eq(device->revision, before + 1);
        ck_assert_uint_eq(device->created_revision, before + 1);
        ck_assert_uint_eq(m->revision, before + 1);
        ck_assert_uint_eq(m->n_devices, 1);
        ck_assert_uint_eq(m->n_records, 1);
        ck_assert_uint_eq(inv.n_devices, 1);
        ck_assert_uint_eq(inv.n_states[DEVICE_RESERVED], 1);
}
END_TEST

/* A device that comes from the store knows when it was created. */
START_TEST(test_add_again_later) {
        Device *device = new_device("a");

        device->created_revision = 77;
        ck_assert_int_eq(inventory_add_device(&inv, device, ensure("m")), 0);
        ck_assert_uint_eq(device->created_revision, 77);
}
END_TEST

START_TEST(test_add_refused) {
        Mgmtdev *m = ensure("m");
        _cleanup_(device_freep) Device *same = new_device("a"), *fifth = new_device("e");
        uint64_t revision;

        add_device("a", m);
        revision = inv.revision;
        ck_assert_int_eq(inventory_add_device(&inv, same, m), -EEXIST);
        ck_assert_uint_eq(inv.revision, revision);
        add_device("b", m);
        add_device("c", m);
        add_device("d", m);
        revision = inv.revision;
        ck_assert_int_eq(inventory_add_device(&inv, fifth, m), -ENOSPC);
        ck_assert_int_eq(inventory_add_device(&inv, same, m), -EEXIST);
        ck_assert_uint_eq(inv.revision, revision);
        ck_assert_uint_eq(m->n_records, 4);

        /* There is room again when one has gone. */
        inventory_remove_device(&inv, inventory_find_device(&inv, "b"));
        ck_assert_int_eq(inventory_add_device(&inv, TAKE_PTR(fifth), m), 0);
}
END_TEST

START_TEST(test_next) {
        Mgmtdev *m = ensure("m");
        char name[DEVICE_NAME_MAX + 8];

        memset(name, 'm', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        add_device("b", m);
        add_device("a.b", m);
        add_device("a", m);
        add_device("x", m);
        ck_assert_str_eq(inventory_next_device(&inv, "")->name, "a");
        ck_assert_str_eq(inventory_next_device(&inv, "a")->name, "a.b");
        ck_assert_str_eq(inventory_next_device(&inv, "a.b")->name, "b");
        ck_assert_str_eq(inventory_next_device(&inv, "aa")->name, "b");
        ck_assert_str_eq(inventory_next_device(&inv, "b")->name, "x");
        ck_assert_ptr_null(inventory_next_device(&inv, "x"));
        ck_assert_ptr_null(inventory_next_device(&inv, "z"));
        ck_assert_str_eq(inventory_next_device(&inv, name)->name, "x");
        ck_assert_ptr_null(inventory_find_device(&inv, name));
}
END_TEST

/* What a name that is too long to be one is cut to may be one. */
START_TEST(test_next_after_long_name) {
        char name[DEVICE_NAME_MAX + 1];

        memset(name, 'a', sizeof name - 1);
        name[DEVICE_NAME_MAX] = '\0';
        name[DEVICE_NAME_MAX - 1] = '\0';
        add_device(name, ensure("m"));
        ck_assert_str_eq(inventory_next_device(&inv, "a")->name, name);
        name[DEVICE_NAME_MAX - 1] = 'a';
        ck_assert_ptr_null(inventory_next_device(&inv, name));
        ck_assert_ptr_null(inventory_find_device(&inv, name));
}
END_TEST

START_TEST(test_set_state) {
        Failure f = { .code = ERROR_BACKEND_FAILED, .error = EIO, .detail = "why" };
        Mgmtdev *m = ensure("m");
        Device *device = add_device("a", m);
        uint64_t revision = inv.revision;

        inventory_set_state(&inv, device, DEVICE_FAILED, &f);
        ck_assert_int_eq(device->state, DEVICE_FAILED);
        ck_assert_str_eq(device->reason->detail, "why");
        ck_assert_uint_gt(device->revision, revision);
        ck_assert_uint_eq(device->revision, inv.revision);
        ck_assert_uint_eq(m->revision, inv.revision);
        ck_assert_uint_eq(inv.n_states[DEVICE_RESERVED], 0);
        ck_assert_uint_eq(inv.n_states[DEVICE_FAILED], 1);

        /* It holds nothing, but is there. */
        ck_assert_uint_eq(m->n_devices, 0);
        ck_assert_uint_eq(m->n_records, 1);
        ck_assert_uint_eq(inv.n_devices, 1);

        inventory_set_state(&inv, device, DEVICE_READY, NULL);
        ck_assert_ptr_null(device->reason);
        ck_assert_uint_eq(m->n_devices, 1);
        ck_assert_uint_eq(m->n_records, 1);
}
END_TEST

START_TEST(test_touch) {
        Device *device = add_device("a", ensure("m"));
        uint64_t revision = inv.revision;

        inventory_touch_device(&inv, device);
        ck_assert_uint_eq(device->revision, revision + 1);
        ck_assert_uint_eq(inv.revision, revision + 1);
}
END_TEST

/* A management device that the host does not have stays for as long as devices are recorded on it. */
START_TEST(test_remove) {
        Mgmtdev *m = ensure("m");
        Device *a = add_device("a", m), *b = add_device("b", m);
        uint64_t revision = inv.revision;

        ck_assert_ptr_null(inventory_remove_device(&inv, a));
        ck_assert_uint_eq(inv.revision, revision + 1);
        ck_assert_uint_eq(m->revision, revision + 1);
        ck_assert_uint_eq(m->n_records, 1);
        ck_assert_ptr_eq(inventory_find_mgmtdev(&inv, "m"), m);
        inventory_remove_device(&inv, b);
        ck_assert_ptr_null(inventory_find_mgmtdev(&inv, "m"));
        ck_assert_uint_eq(inv.n_devices, 0);
}
END_TEST

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

        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 3), 0);
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
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 3), 0);
        ck_assert_uint_eq(inv.revision, revision);

        infos[1].max_vqs = 7;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 3), 0);
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

        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 2), 0);
        a = inventory_find_mgmtdev(&inv, "a");
        add_device("x", a);
        revision = inv.revision;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, NULL, 0), 0);
        ck_assert_ptr_eq(inventory_find_mgmtdev(&inv, "a"), a);
        ck_assert(!a->present);
        ck_assert_uint_gt(a->revision, revision);
        ck_assert_ptr_null(inventory_find_mgmtdev(&inv, "b"));

        revision = inv.revision;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, 2), 0);
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
        tcase_add_test(tcase, test_empty);
        tcase_add_test(tcase, test_add);
        tcase_add_test(tcase, test_add_again_later);
        tcase_add_test(tcase, test_add_refused);
        tcase_add_test(tcase, test_next);
        tcase_add_test(tcase, test_next_after_long_name);
        tcase_add_test(tcase, test_set_state);
        tcase_add_test(tcase, test_touch);
        tcase_add_test(tcase, test_remove);
        tcase_add_test(tcase, test_ensure);
        tcase_add_test(tcase, test_update_mgmtdevs);
        tcase_add_test(tcase, test_mgmtdev_goes_and_comes);
        tcase_add_test(tcase, test_has_class);
}

int main(void) {
        return unit_main("inventory", add);
}
