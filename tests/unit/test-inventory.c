/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/inventory.h"

#include <errno.h>
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

/* Whatever stands before, it is the one of that name. */
START_TEST(test_find_near) {
        static const char *const names[] = { "a", "b", "c", "none" };
        Mgmtdev *m = ensure("m");

        for (unsigned i = 0; i < 3; i++)
                (void) add_device(names[i], m);
        for (unsigned i = 0; i < ELEMENTSOF(names); i++)
                for (unsigned k = 0; k < ELEMENTSOF(names); k++)
                        ck_assert_ptr_eq(
                                inventory_find_device_near(&inv, inventory_find_device(&inv, names[k]), names[i]),
                                inventory_find_device(&inv, names[i]));
        ck_assert_str_eq(inventory_find_device_near(&inv, NULL, "b")->name, "b");
        ck_assert_ptr_null(inventory_find_device_near(&inv, NULL, "none"));
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
static void set_endpoint(Device *device, const char *endpoint) {
        DeviceStatus status = {};

        strcpy(status.endpoint, endpoint);
        inventory_set_status(&inv, device, &status);
}

START_TEST(test_endpoint) {
        Mgmtdev *m = ensure("m");
        Device *a = add_device("a", m), *b = add_device("b", m);
        char long_one[2 * ENDPOINT_MAX];

        set_endpoint(a, "/dev/vhost-vdpa-1");
        ck_assert_ptr_null(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-1"));
        inventory_set_state(&inv, a, DEVICE_READY, NULL);
        ck_assert_ptr_eq(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-1"), a);
        ck_assert_ptr_null(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-"));
        ck_assert_ptr_null(inventory_find_endpoint(&inv, ""));
        memset(long_one, 'x', sizeof long_one - 1);
        long_one[sizeof long_one - 1] = '\0';
        ck_assert_ptr_null(inventory_find_endpoint(&inv, long_one));

        /* What a device had that is lost, another has now. */
        inventory_set_state(&inv, a, DEVICE_LOST, NULL);
        ck_assert_ptr_null(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-1"));
        set_endpoint(b, "/dev/vhost-vdpa-1");
        inventory_set_state(&inv, b, DEVICE_READY, NULL);
        ck_assert_ptr_eq(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-1"), b);

        set_endpoint(a, "/dev/vhost-vdpa-0");
        inventory_set_state(&inv, a, DEVICE_READY, NULL);
        ck_assert_ptr_eq(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-0"), a);
        inventory_remove_device(&inv, a);
        ck_assert_ptr_null(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-0"));
        set_endpoint(b, "");
        ck_assert_ptr_null(inventory_find_endpoint(&inv, "/dev/vhost-vdpa-1"));
}
END_TEST

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

/* Where it was may go with it. */
START_TEST(test_move) {
        Mgmtdev *m = ensure("m"), *n = ensure("n");
        Device *a = add_device("a", m), *b = add_device("b", m);
        uint64_t revision = inv.revision;

        inventory_set_state(&inv, b, DEVICE_FAILED, NULL);
        inventory_move_device(&inv, a, n);
        ck_assert_ptr_eq(a->mgmtdev, n);
        ck_assert_uint_gt(a->revision, revision);
        ck_assert_uint_eq(n->n_records, 1);
        ck_assert_uint_eq(n->n_devices, 1);
        ck_assert_uint_eq(m->n_records, 1);
        ck_assert_uint_eq(inv.n_devices, 2);
        inventory_move_device(&inv, b, n);
        ck_assert_ptr_null(inventory_find_mgmtdev(&inv, "m"));
        ck_assert_uint_eq(n->n_records, 2);
        ck_assert_uint_eq(n->n_devices, 1);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_empty);
        tcase_add_test(tcase, test_add);
        tcase_add_test(tcase, test_add_again_later);
        tcase_add_test(tcase, test_add_refused);
        tcase_add_test(tcase, test_next);
        tcase_add_test(tcase, test_find_near);
        tcase_add_test(tcase, test_next_after_long_name);
        tcase_add_test(tcase, test_set_state);
        tcase_add_test(tcase, test_touch);
        tcase_add_test(tcase, test_endpoint);
        tcase_add_test(tcase, test_remove);
        tcase_add_test(tcase, test_move);
}

int main(void) {
        return unit_main("inventory", add);
}
