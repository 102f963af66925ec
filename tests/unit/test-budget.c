/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What management devices have of each resource, and who holds it: numbers, shared spaces, overrides, and what
 * happens when there is less than before. */
#include "inventory/budget.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/capacity.h"
#include "inventory/idlist.h"
#include "unit.h"
#include "util/clock.h"

#define QUARANTINE (10 * USEC_PER_SEC)
#define A          "pci/0000:01:00.0"
#define B          "pci/0000:01:00.1"

static Inventory inv;
static MgmtdevInfo infos[2];
static uint64_t now = USEC_PER_SEC;

static void set_total(unsigned i, Resource resource, uint32_t total) {
        infos[i].capacity[resource].is_known = true;
        infos[i].capacity[resource].total = total;
        infos[i].capacity[resource].source = SOURCE_PCI;
}

static void list(size_t n) {
        ck_assert_int_eq(inventory_update_mgmtdevs(&inv, infos, n, now), 0);
}

/* Two functions of one card that share its PASIDs. */
static void set_up(void) {
        memset(infos, 0, sizeof infos);
        inventory_init(&inv, 10000);
        inventory_configure(&inv, QUARANTINE, NULL, 0);
        strcpy(infos[0].handle, A);
        strcpy(infos[1].handle, B);
        for (unsigned i = 0; i < 2; i++) {
                infos[i].classes = 1 << CLASS_NET | 1 << CLASS_BLOCK;
                infos[i].numa_node = infos[i].vf_index = -1;
                infos[i].asid_kind = ASID_PASID;
                strcpy(infos[i].pci_function, "0000:01:00.0");
                set_total(i, RESOURCE_ASIDS, 100);
                strcpy(infos[i].capacity[RESOURCE_ASIDS].reserved_ids, "0");
                set_total(i, RESOURCE_MSIS, 20);
        }
        list(2);
}

static void tear_down(void) {
        inventory_done(&inv);
}

static Mgmtdev *mgmtdev(const char *handle) {
        Mgmtdev *m = inventory_find_mgmtdev(&inv, handle);

        ck_assert_ptr_nonnull(m);
        return m;
}

static Device *add_device(const char *name, const char *handle, unsigned class) {
        DeviceSpec spec;
        Device *device;

        device_spec_init(&spec);
        spec.class = class;
        ck_assert_int_eq(device_new(name, &spec, 0, &device), 0);
        ck_assert_int_eq(inventory_add_device(&inv, device, mgmtdev(handle)), 0);
        return device;
}

static int acquire(Device *device, Failure *f) {
        Needs needs = needs_of(&device->spec, 0);

        return device_acquire(device, &needs, now, f);
}

static Device *make(const char *name, const char *handle, unsigned class) {
        Device *device = add_device(name, handle, class);
        Failure f = FAILURE_INIT;

        ck_assert_msg(acquire(device, &f) == 0, "%s", f.detail);
        return device;
}

static void assert_budget(const char *handle, Resource resource, uint32_t total, uint32_t reserved, uint32_t used,
                          uint32_t quarantined) {
        Budget b = mgmtdev_budget(mgmtdev(handle), resource, now);

        ck_assert_uint_eq(b.total, b.reserved + b.used + b.quarantined + b.free);
        ck_assert_uint_eq(b.total, total);
        ck_assert_uint_eq(b.reserved, reserved);
        ck_assert_uint_eq(b.used, used);
        ck_assert_uint_eq(b.quarantined, quarantined);
}

START_TEST(test_takes_what_it_needs) {
        Device *a = make("a", A, CLASS_NET);
        _cleanup_free_ char *asids = idlist_format(device_resources_asids(&a->resources), 2);
        _cleanup_free_ char *msis = idlist_format(device_resources_msis(&a->resources), 4);

        ck_assert_str_eq(asids, "1-2");
        ck_assert_str_eq(msis, "0-3");
        assert_budget(A, RESOURCE_ASIDS, 100, 1, 2, 0);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 4, 0);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_VQS, now).used, 3);
        ck_assert(!mgmtdev_budget(mgmtdev(A), RESOURCE_VQS, now).is_known);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_DEVICES, now).used, 1);
}
END_TEST

START_TEST(test_shared_space) {
        Device *a = make("a", A, CLASS_BLOCK), *b = make("b", B, CLASS_BLOCK);

        ck_assert_uint_eq(device_resources_asids(&a->resources)[0], 1);
        ck_assert_uint_eq(device_resources_asids(&b->resources)[0], 2);
        ck_assert_uint_eq(device_resources_msis(&a->resources)[0], device_resources_msis(&b->resources)[0]);
        assert_budget(A, RESOURCE_ASIDS, 100, 1, 2, 0);
        assert_budget(B, RESOURCE_ASIDS, 100, 1, 2, 0);
        assert_budget(B, RESOURCE_MSIS, 20, 0, 2, 0);
        ck_assert_str_eq(mgmtdev(B)->space->key, "pasid/0000:01:00.0");
}
END_TEST

START_TEST(test_quarantine) {
        Device *a = make("a", A, CLASS_NET);

        device_release(a, now);
        ck_assert(!device_holds(a));
        assert_budget(A, RESOURCE_ASIDS, 100, 1, 0, 2);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 0, 4);
        now += QUARANTINE;
        assert_budget(A, RESOURCE_MSIS, 20, 0, 0, 0);
        ck_assert_uint_eq(device_resources_asids(&make("b", A, CLASS_BLOCK)->resources)[0], 3);
}
END_TEST

START_TEST(test_removal_puts_back) {
        inventory_remove_device(&inv, make("a", A, CLASS_NET));
        assert_budget(A, RESOURCE_ASIDS, 100, 1, 0, 0);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 0, 0);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_VQS, now).used, 0);
}
END_TEST

START_TEST(test_shortage) {
        Needs needs = { .n_vqs = 18, .n_asids = 1, .n_msis = 19 };
        Shortage shortages[_RESOURCE_MAX];
        Failure f = FAILURE_INIT;
        Device *last;

        device_release(make("a", A, CLASS_NET), now);
        for (unsigned i = 0; i < 8; i++) {
                char name[] = { 'b', (char) ('0' + i), '\0' };

                (void) make(name, A, CLASS_BLOCK);
        }
        last = add_device("c", A, CLASS_BLOCK);
        ck_assert_int_eq(acquire(last, &f), -ENOSPC);
        ck_assert_int_eq(f.code, ERROR_NO_CAPACITY);
        ck_assert_str_eq(f.detail, A " has no room: msis: need 2, free 0 of 20 (4 in quarantine)");
        ck_assert(!device_holds(last));
        assert_budget(A, RESOURCE_ASIDS, 100, 1, 8, 2);

        ck_assert_uint_eq(mgmtdev_check_needs(mgmtdev(B), &needs, now, shortages), 0);
        ck_assert_uint_eq(mgmtdev_check_needs(mgmtdev(A), &needs, now, shortages), 1);
        ck_assert_int_eq(shortages[0].resource, RESOURCE_MSIS);
        needs = (Needs){ .n_vqs = 20, .n_asids = 100, .n_msis = 21 };
        ck_assert_uint_eq(mgmtdev_check_needs(mgmtdev(B), &needs, now, shortages), 2);
        ck_assert_int_eq(shortages[0].code, ERROR_UNSATISFIABLE);
        ck_assert_str_eq(shortages[0].detail, "asids: need 100, free 89 of 100 (1 reserved)");
        ck_assert_str_eq(shortages[1].detail, "msis: need 21, free 20 of 20");
        needs = (Needs){ .n_vqs = 1025, .n_asids = 1, .n_msis = 2 };
        ck_assert_uint_eq(mgmtdev_check_needs(mgmtdev(B), &needs, now, shortages), 1);
        ck_assert_str_eq(shortages[0].detail, "vqs: need 1025, and a device has 1024 at the most");
}
END_TEST

START_TEST(test_shared_msis) {
        Device *a = add_device("a", A, CLASS_BLOCK);
        Failure f;

        a->spec.share_msis = true;
        a->spec.n_vqs = 64;
        ck_assert_int_eq(acquire(a, &f), 0);
        ck_assert_uint_eq(a->resources.n_msis, 20);
        ck_assert_uint_eq(a->resources.n_vqs, 64);
        ck_assert_uint_eq(device_resources_msi(&a->resources, 64), 19);
        ck_assert_uint_eq(device_resources_msi(&a->resources, 19), 0);

        a = add_device("b", A, CLASS_BLOCK);
        a->spec.share_msis = true;
        ck_assert_int_eq(acquire(a, &f), -ENOSPC);
        ck_assert_str_eq(f.detail, A " has no room: msis: need 1, free 0 of 20");
}
END_TEST

START_TEST(test_more_virtqueues) {
        Device *a = make("a", A, CLASS_BLOCK), *b = make("b", A, CLASS_BLOCK);
        _cleanup_free_ char *msis = NULL;
        Failure f;

        ck_assert_int_eq(device_acquire_more(a, 5, now, &f), 0);
        msis = idlist_format(device_resources_msis(&a->resources), a->resources.n_msis);
        ck_assert_str_eq(msis, "0-1,4-7");
        ck_assert_uint_eq(a->resources.n_vqs, 5);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 8, 0);
        ck_assert_uint_eq(mgmtdev(A)->n_vqs, 6);

        ck_assert_int_eq(device_acquire_more(b, 20, now, &f), -ENOSPC);
        ck_assert_str_eq(f.detail, A " has no room: msis: need 19, free 12 of 20");
        ck_assert_uint_eq(b->resources.n_vqs, 1);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 8, 0);
}
END_TEST

START_TEST(test_foreign_devices) {
        set_total(0, RESOURCE_DEVICES, 4);
        infos[0].capacity[RESOURCE_DEVICES].n_reserved = 2;
        list(2);
        mgmtdev(A)->n_foreign = 1;
        assert_budget(A, RESOURCE_DEVICES, 4, 2, 1, 0);
        mgmtdev(A)->n_foreign = 3;
        assert_budget(A, RESOURCE_DEVICES, 4, 1, 3, 0);
        mgmtdev(A)->n_foreign = 5;
        assert_budget(A, RESOURCE_DEVICES, 5, 0, 5, 0);
}
END_TEST

/* What foreign devices hold is used, and goes through quarantine when they are gone. */
static void see_foreign(const char *handle, const uint32_t *ids, size_t n_asids, size_t n_msis) {
        ck_assert_int_eq(foreign_add(&mgmtdev(handle)->counted, ids, n_asids, n_msis, (uint32_t) n_msis - 1), 0);
}

START_TEST(test_foreign_ids) {
        static const uint32_t first[] = { 5, 1, 7, 0, 0, 3 }, second[] = { 2, 4, 5 };
        uint64_t revision;
        Device *a;

        set_total(0, RESOURCE_MSIS, 20);
        list(2);
        see_foreign(A, first, 2, 4);
        see_foreign(A, second, 1, 2);
        mgmtdev_take_foreign(&inv, mgmtdev(A), now);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 5, 0);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_MSIS, now).foreign, 5);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_ASIDS, now).foreign, 3);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_VQS, now).foreign, 4);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_DEVICES, now).foreign, 2);

        /* Nobody else gets them. */
        a = make("a", A, CLASS_BLOCK);
        ck_assert_uint_eq(device_resources_asids(&a->resources)[0], 3);
        ck_assert_uint_eq(device_resources_msis(&a->resources)[0], 1);
        ck_assert_uint_eq(device_resources_msis(&a->resources)[1], 2);

        /* The same again is no news; and what one of ours holds is not theirs. */
        revision = inv.revision;
        see_foreign(A, first, 2, 4);
        see_foreign(A, second, 1, 2);
        mgmtdev_take_foreign(&inv, mgmtdev(A), now);
        ck_assert_uint_eq(inv.revision, revision);
        ck_assert(!mgmtdev(A)->has_foreign_conflict);
        see_foreign(A, (const uint32_t[]){ 3, 1, 2, 19 }, 1, 3);
        mgmtdev_take_foreign(&inv, mgmtdev(A), now);
        ck_assert(mgmtdev(A)->has_foreign_conflict);
        ck_assert_uint_gt(mgmtdev(A)->revision, revision);
        ck_assert_uint_eq(mgmtdev_budget(mgmtdev(A), RESOURCE_ASIDS, now).foreign, 0);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 3, 5);

        mgmtdev_take_foreign(&inv, mgmtdev(A), now);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 2, 6);
        ck_assert(!mgmtdev(A)->has_foreign_conflict);
}
END_TEST

/* What changes by itself is a change, when it is looked at. */
START_TEST(test_numbers_change_by_themselves) {
        Device *a = make("a", A, CLASS_NET);
        Mgmtdev *m = mgmtdev(A);
        uint64_t revision;

        device_release(a, now);
        mgmtdev_note_numbers(&inv, m, now);
        revision = m->revision;
        mgmtdev_note_numbers(&inv, m, now + 1);
        ck_assert_uint_eq(m->revision, revision);
        mgmtdev_note_numbers(&inv, m, now + 2 * inv.quarantine_usec);
        ck_assert_uint_gt(m->revision, revision);
        ck_assert_uint_eq(m->revision, inv.revision);
        revision = m->revision;
        m->info.counts.n_dma++;
        mgmtdev_note_numbers(&inv, m, now + 2 * inv.quarantine_usec);
        ck_assert_uint_gt(m->revision, revision);
}
END_TEST

static DeviceResources held_resources(uint32_t asid, uint32_t msi) {
        DeviceResources resources;

        ck_assert_int_eq(device_resources_allocate(&resources, 1, 1, 2), 0);
        memcpy(device_resources_ids(&resources), (uint32_t[]){ asid, msi, msi + 1 }, 3 * sizeof(uint32_t));
        return resources;
}

/* Before the host is listed, nobody knows how many there are, or who shares them. */
START_TEST(test_load) {
        static const char *const key = "pasid/0000:01:00.0";
        DeviceResources r;
        char text[400];
        Device *d;

        inventory_done(&inv);
        inventory_init(&inv, 100);
        for (unsigned i = 0; i < 2; i++) {
                Mgmtdev *m;

                ck_assert_int_eq(inventory_ensure_mgmtdev(&inv, infos[i].handle, &m), 0);
                ck_assert_int_eq(mgmtdev_set_space(&inv, m, key), 0);
        }
        d = add_device("a", A, CLASS_BLOCK);
        r = held_resources(500, 30);
        ck_assert_int_eq(device_acquire_again(d, &r), 0);
        d = add_device("b", B, CLASS_BLOCK);
        r = held_resources(500, 0);
        ck_assert_int_eq(device_acquire_again(d, &r), -EEXIST);
        device_resources_ids(&r)[0] = 7;
        ck_assert_int_eq(device_acquire_again(d, &r), 0);

        /* There are fewer than before. */
        list(2);
        assert_budget(A, RESOURCE_ASIDS, 501, 401, 2, 0);
        assert_budget(A, RESOURCE_MSIS, 32, 10, 2, 0);
        assert_budget(B, RESOURCE_MSIS, 20, 0, 2, 0);
        ck_assert(mgmtdev_describe_conflict(mgmtdev(A), text, sizeof text));
        ck_assert_str_eq(text,
                         "there are fewer than before, and 1 ASIDs and 2 MSI entries past the end are held; they "
                         "stay with their holders");
}
END_TEST

/* What is recorded of the space may be out of date. */
START_TEST(test_other_space) {
        DeviceResources r = held_resources(5, 0);
        Device *d;
        Mgmtdev *m;

        inventory_done(&inv);
        inventory_init(&inv, 100);
        ck_assert_int_eq(inventory_ensure_mgmtdev(&inv, A, &m), 0);
        d = add_device("a", A, CLASS_BLOCK);
        ck_assert_int_eq(device_acquire_again(d, &r), 0);
        ck_assert_str_eq(m->space->key, "device-mmu/" A);
        list(2);
        ck_assert_str_eq(m->space->key, "pasid/0000:01:00.0");
        ck_assert_ptr_eq(m->space, mgmtdev(B)->space);
        assert_budget(B, RESOURCE_ASIDS, 100, 1, 1, 0);

        /* Now the other way round, with one of both held there. */
        d = add_device("b", B, CLASS_BLOCK);
        r = held_resources(6, 0);
        ck_assert_int_eq(device_acquire_again(d, &r), 0);
        infos[0].asid_kind = infos[1].asid_kind = ASID_DEVICE_MMU;
        list(2);
        ck_assert_ptr_ne(m->space, mgmtdev(B)->space);
        assert_budget(B, RESOURCE_ASIDS, 100, 1, 1, 0);
        ck_assert(!m->is_in_other_space);
}
END_TEST

START_TEST(test_stays_in_other_space) {
        Device *a = make("a", A, CLASS_BLOCK), *b;
        char text[400];

        infos[1].asid_kind = ASID_DEVICE_MMU;
        list(2);
        b = make("b", B, CLASS_BLOCK);
        ck_assert_uint_eq(device_resources_asids(&a->resources)[0], device_resources_asids(&b->resources)[0]);
        infos[1].asid_kind = ASID_PASID;
        list(2);
        ck_assert(mgmtdev(B)->is_in_other_space);
        ck_assert(mgmtdev_describe_conflict(mgmtdev(B), text, sizeof text));
        ck_assert(strstr(text, "they stay in device-mmu/" B));
        ck_assert_str_eq(mgmtdev(B)->space->key, "device-mmu/" B);
        device_release(b, now);
        list(2);
        ck_assert(!mgmtdev(B)->is_in_other_space);
        ck_assert_ptr_eq(mgmtdev(A)->space, mgmtdev(B)->space);
}
END_TEST

START_TEST(test_settings) {
        MgmtdevSettings settings = { .budgets[RESOURCE_MSIS] = { .has_total = true, .total = 10 } };
        char text[400];

        ck_assert_int_eq(budget_settings_reserve_ids(&settings.budgets[RESOURCE_MSIS], "2-3"), 0);
        ck_assert_int_eq(budget_settings_reserve_ids(&settings.budgets[RESOURCE_ASIDS], "50-59"), 0);
        settings.budgets[RESOURCE_VQS] = (BudgetSettings){ .has_total = true, .total = 7 };
        ck_assert_int_eq(inventory_set_mgmtdev(&inv, mgmtdev(B), &settings, now), 0);
        assert_budget(B, RESOURCE_MSIS, 10, 2, 0, 0);
        assert_budget(A, RESOURCE_ASIDS, 100, 11, 0, 0);
        assert_budget(B, RESOURCE_VQS, 7, 0, 0, 0);
        ck_assert_int_eq(mgmtdev(B)->capacity[RESOURCE_MSIS].source, SOURCE_CONFIG);
        ck_assert_str_eq(mgmtdev(B)->capacity[RESOURCE_ASIDS].reserved_ids, "0,50-59");

        /* Nobody can promise more than the hardware has. */
        settings.budgets[RESOURCE_MSIS] = (BudgetSettings){ .has_total = true, .total = 21 };
        ck_assert_int_eq(inventory_set_mgmtdev(&inv, mgmtdev(B), &settings, now), 0);
        assert_budget(B, RESOURCE_MSIS, 20, 0, 0, 0);
        ck_assert_int_eq(mgmtdev(B)->capacity[RESOURCE_MSIS].source, SOURCE_PCI);
        ck_assert(mgmtdev_describe_conflict(mgmtdev(B), text, sizeof text));
        ck_assert_str_eq(text, "the total of msis that is set is more than the 20 that there are, and is not used");
        assert_budget(A, RESOURCE_ASIDS, 100, 1, 0, 0);

        /* It stays known while something is set of it. */
        settings.has_cordoned = settings.cordoned = true;
        ck_assert_int_eq(inventory_set_mgmtdev(&inv, mgmtdev(B), &settings, now), 0);
        list(1);
        ck_assert(mgmtdev_is_cordoned(mgmtdev(B)));
        ck_assert_int_eq(inventory_set_mgmtdev(&inv, mgmtdev(B), &settings, now), 0);
        list(1);
        ck_assert_ptr_null(inventory_find_mgmtdev(&inv, B));
}
END_TEST

START_TEST(test_configured) {
        ConfiguredMgmtdev configured = { .handle = B, .settings = { .has_cordoned = true, .cordoned = true } };
        MgmtdevSettings settings = { .has_cordoned = true };

        configured.settings.budgets[RESOURCE_MSIS] = (BudgetSettings){ .has_total = true, .total = 5 };
        tear_down();
        inventory_init(&inv, 100);
        inventory_configure(&inv, QUARANTINE, &configured, 1);
        list(2);
        ck_assert(mgmtdev_is_cordoned(mgmtdev(B)) && !mgmtdev_is_cordoned(mgmtdev(A)));
        assert_budget(B, RESOURCE_MSIS, 5, 0, 0, 0);
        assert_budget(A, RESOURCE_MSIS, 20, 0, 0, 0);
        settings.budgets[RESOURCE_MSIS] = (BudgetSettings){ .has_total = true, .total = 6 };
        ck_assert_int_eq(inventory_set_mgmtdev(&inv, mgmtdev(B), &settings, now), 0);
        ck_assert(!mgmtdev_is_cordoned(mgmtdev(B)));
        assert_budget(B, RESOURCE_MSIS, 6, 0, 0, 0);
}
END_TEST

static const struct {
        const char *a, *b, *merged;
} merges[] = {
        { "", "", "" },
        { "0", "", "0" },
        { "0", "0-15", "0-15" },
        { "5-9", "0-3,10,12", "0-3,5-10,12" },
        { "100", "7,6,5", "5-7,100" },
        { "1,3,5,7,9,11,13", "100,2000", "1-13,100,2000" }, /* 23 characters at the most */
};

START_TEST(test_merged_ranges) {
        char text[24];

        idlist_merge(merges[_i].a, merges[_i].b, text, sizeof text);
        ck_assert_str_eq(text, merges[_i].merged);
}
END_TEST

static void add(TCase *tc) {
        tcase_add_checked_fixture(tc, set_up, tear_down);
        tcase_add_test(tc, test_takes_what_it_needs);
        tcase_add_test(tc, test_shared_space);
        tcase_add_test(tc, test_quarantine);
        tcase_add_test(tc, test_removal_puts_back);
        tcase_add_test(tc, test_shortage);
        tcase_add_test(tc, test_shared_msis);
        tcase_add_test(tc, test_more_virtqueues);
        tcase_add_test(tc, test_foreign_devices);
        tcase_add_test(tc, test_foreign_ids);
        tcase_add_test(tc, test_numbers_change_by_themselves);
        tcase_add_test(tc, test_load);
        tcase_add_test(tc, test_other_space);
        tcase_add_test(tc, test_stays_in_other_space);
        tcase_add_test(tc, test_settings);
        tcase_add_test(tc, test_configured);
        tcase_add_loop_test(tc, test_merged_ranges, 0, ELEMENTSOF(merges));
}

int main(void) {
        return unit_main("budget", add);
}
