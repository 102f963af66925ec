/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rules of the modelled hardware, each broken on purpose: the command fails, changes nothing, and is counted.
 */
#include <errno.h>

#include "inventory/class.h"
#include "sim/model-command.h"
#include "sim/traffic.h"
#include "test-sim.h"

#define N_ASIDS 100u
#define N_MSIS  50u

/* Two management devices that each have a device MMU ("a", "b"), and two behind one function that share its PASIDs
 * ("p", "q").
 */
enum { A, B, P, Q, _MAX };

static Model *model;
static unsigned units[_MAX];

static MgmtdevInfo hardware(unsigned i) {
        MgmtdevInfo info = {
                .handle = { "abpq"[i] },
                .asid_kind = i < P ? ASID_DEVICE_MMU : ASID_PASID,
                .capacity[RESOURCE_ASIDS] = { .total = N_ASIDS, .reserved_ids = "0-3,77" },
                .capacity[RESOURCE_MSIS] = { .total = N_MSIS, .reserved_ids = "20" },
        };

        if (i >= P)
                (void) snprintf(info.pci_function, sizeof info.pci_function, "0000:01:00.0");
        return info;
}

static void open_model(void) {
        Failure f = FAILURE_INIT;

        ck_assert_msg(model_open(unit_directory(), &model, &f) == 0, "%s", f.detail);
        for (unsigned i = 0; i < _MAX; i++) {
                MgmtdevInfo info = hardware(i);

                ck_assert_int_eq(model_plug_mgmtdev(model, &info, &units[i]), 0);
        }
}

static void reopen_model(void) {
        model = model_close(model);
        open_model();
}

static void close_model(void) {
        model = model_close(model);
}

static ModelRef create(unsigned unit, const char *name, uint16_t n_groups, uint16_t n_vqs) {
        ModelDeviceSpec spec = {
                .mgmtdev = units[unit],
                .class = CLASS_BLOCK,
                .n_vq_groups = n_groups,
                .n_vqs = n_vqs,
        };
        ModelDevice *d;

        ck_assert_int_eq(model_create_device(model, name, &spec, &d), 0);
        return model_device_ref(model, d);
}

/* Enabled, with the ASIDs and MSI entries from these on. */
static ModelRef create_enabled(unsigned unit, const char *name, uint32_t asid, uint32_t msi) {
        ModelRef d = create(unit, name, 2, 2);

        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(model_set_address_space(model, d, i, asid + i, NULL), 0);
        for (unsigned i = 0; i <= 2; i++)
                ck_assert_int_eq(model_store_msi(model, d, i, msi + i, NULL), 0);
        ck_assert_int_eq(model_enable_device(model, d, BUS_DRIVER_VHOST_VDPA, NULL), 0);
        return d;
}

static uint64_t count_faults(unsigned unit) {
        return model_mgmtdev_counts(model, units[unit]).n_faults;
}

static unsigned n_expected;

/* The command was a fault on that management device, the only one there, that says so. */
#define expect_fault(unit, command, text)                                                                          \
        do {                                                                                                       \
                Failure f = FAILURE_INIT;                                                                          \
                ck_assert_int_eq(command, -EIO);                                                                   \
                ck_assert_int_eq(f.code, ERROR_BACKEND_FAILED);                                                    \
                ck_assert_msg(strstr(f.detail, text), "%s", f.detail);                                             \
                ck_assert_uint_eq(count_faults(unit), ++n_expected);                                               \
                ck_assert_msg(strstr(f.detail, model_mgmtdev_counts(model, units[unit]).last_fault), "%s",         \
                              f.detail);                                                                           \
        } while (0)

static void expect_asid(const char *name, unsigned group, int64_t asid) {
        const ModelDevice *d = model_find_device(model, name);
        uint32_t id;

        ck_assert_int_eq(model_device_asid(model, d, group, &id) ? (int64_t) id : -1, asid);
}

static void expect_msi(const char *name, unsigned vq, int64_t entry) {
        const ModelDevice *d = model_find_device(model, name);
        uint32_t id;

        ck_assert_int_eq(model_device_msi(model, d, vq, &id) ? (int64_t) id : -1, entry);
}

START_TEST(test_in_order) {
        ModelRef d = create(A, "d", 2, 3);

        for (int round = 0; round < 2; round++) { /* each step again */
                ck_assert_int_eq(model_set_address_space(model, d, 0, 4, NULL), 0);
                ck_assert_int_eq(model_set_address_space(model, d, 1, N_ASIDS - 1, NULL), 0);
                ck_assert_int_eq(model_store_msi(model, d, 0, 0, NULL), 0);
                ck_assert_int_eq(model_store_msi(model, d, 1, 2, NULL), 0);
                ck_assert_int_eq(model_store_msi(model, d, 2, 1, NULL), 0);
                ck_assert_int_eq(model_store_msi(model, d, 3, N_MSIS - 1, NULL), 0);
                ck_assert_int_eq(model_enable_device(model, d, BUS_DRIVER_VHOST_VDPA, NULL), 0);
                if (round == 0)
                        reopen_model();
        }
        expect_asid("d", 1, N_ASIDS - 1);
        expect_msi("d", 3, N_MSIS - 1);
        ck_assert_int_eq(model_send_dma(model, d, 4, NULL), 0);
        ck_assert_int_eq(model_raise_interrupt(model, d, N_MSIS - 1, NULL), 0);
        ck_assert_uint_eq(model_mgmtdev_counts(model, units[A]).n_dma, 1);
        ck_assert_uint_eq(model_mgmtdev_counts(model, units[A]).n_interrupts, 1);

        ck_assert_int_eq(test_destroy(model, model_find_device(model, "d")), 0);
        ck_assert_ptr_null(model_find_device(model, "d"));
        ck_assert_uint_eq(count_faults(A), 0);
        ck_assert_str_eq(model_mgmtdev_counts(model, units[A]).last_fault, "");

        /* All of it is there for the next one. */
        create_enabled(A, "e", 4, 0);
        ck_assert_uint_eq(count_faults(A), 0);
}
END_TEST

START_TEST(test_shared_entries) {
        ModelRef d = create(A, "d", 1, 4), e = create(A, "e", 1, 1);
        static const unsigned order[] = { 3, 0, 1, 4, 2 };

        ck_assert_int_eq(model_set_address_space(model, d, 0, 4, NULL), 0);
        for (unsigned i = 0; i < ELEMENTSOF(order); i++)
                ck_assert_int_eq(model_store_msi(model, d, order[i], order[i] < 4 ? 7 : 8, NULL), 0);
        reopen_model();
        ck_assert_int_eq(model_enable_device(model, d, BUS_DRIVER_VHOST_VDPA, NULL), 0);
        ck_assert_int_eq(model_raise_interrupt(model, d, 7, NULL), 0);
        expect_fault(A, model_store_msi(model, e, 0, 7, &f), "MSI entry 7 for virtqueue 0 of e is held by d");

        ck_assert_int_eq(model_disable_device(model, d, NULL), 0);
        ck_assert_int_eq(model_clear_msis(model, d, NULL), 0);
        ck_assert_int_eq(model_store_msi(model, e, 0, 7, NULL), 0);
}
END_TEST

START_TEST(test_ids_of_another) {
        ModelRef d;

        create_enabled(A, "holder", 10, 30);
        d = create(A, "d", 2, 2);
        expect_fault(A, model_set_address_space(model, d, 0, 11, &f), "ASID 11 for group 0 of d is held by holder");
        expect_fault(A, model_store_msi(model, d, 2, 30, &f),
                     "MSI entry 30 for virtqueue 2 of d is held by holder");
        expect_asid("d", 0, -1);
        expect_msi("d", 2, -1);

        /* Tables of another management device are others. */
        create_enabled(B, "other", 10, 30);
        ck_assert_uint_eq(count_faults(B), 0);
}
END_TEST

START_TEST(test_pasids_of_one_function) {
        ModelRef d;

        create_enabled(P, "holder", 10, 30);
        d = create(Q, "d", 2, 2);
        expect_fault(Q, model_set_address_space(model, d, 0, 11, &f), "ASID 11 for group 0 of d is held by holder");
        ck_assert_uint_eq(count_faults(P), 0);
        ck_assert_int_eq(model_set_address_space(model, d, 0, 12, NULL), 0);
        ck_assert_int_eq(model_store_msi(model, d, 0, 30, NULL), 0); /* entries are not shared */

        reopen_model();
        expect_fault(Q, model_set_address_space(model, d, 1, 11, &f), "held by holder");
        ck_assert_int_eq(test_destroy(model, model_find_device(model, "holder")), 0);
        ck_assert_int_eq(model_set_address_space(model, d, 1, 11, NULL), 0);
}
END_TEST

START_TEST(test_ids_that_are_not_there) {
        ModelRef d = create(A, "d", 2, 2);

        expect_fault(A, model_set_address_space(model, d, 0, N_ASIDS, &f),
                     "ASID 100 is out of range: there are 100");
        expect_fault(A, model_set_address_space(model, d, 0, UINT32_MAX, &f), "out of range");
        expect_fault(A, model_set_address_space(model, d, 0, 3, &f), "ASID 3 is reserved (0-3,77)");
        expect_fault(A, model_set_address_space(model, d, 0, 77, &f), "ASID 77 is reserved");
        expect_fault(A, model_store_msi(model, d, 0, N_MSIS, &f), "MSI entry 50 is out of range: there are 50");
        expect_fault(A, model_store_msi(model, d, 0, 20, &f), "MSI entry 20 is reserved");
        expect_fault(A, model_set_address_space(model, d, 2, 4, &f), "group 2 is out of range: d has 2");
        expect_fault(A, model_store_msi(model, d, 3, 4, &f), "virtqueue 3 is out of range: d has 3");
        expect_fault(A, model_store_msi(model, d, UINT32_MAX, 4, &f), "out of range");
        ck_assert_int_eq(model_destroy_device(model, d, NULL), 0); /* it holds nothing */
}
END_TEST

START_TEST(test_twice) {
        ModelRef d = create(A, "d", 2, 2);

        ck_assert_int_eq(model_set_address_space(model, d, 0, 4, NULL), 0);
        ck_assert_int_eq(model_store_msi(model, d, 0, 4, NULL), 0);
        expect_fault(A, model_set_address_space(model, d, 1, 4, &f), "ASID 4 for group 1 of d is that of group 0");
        expect_fault(A, model_set_address_space(model, d, 0, 5, &f), "ASID 5 for group 0 of d, which has 4");
        expect_fault(A, model_store_msi(model, d, 0, 5, &f), "MSI entry 5 for virtqueue 0 of d, which has 4");
        expect_asid("d", 0, 4);
        expect_asid("d", 1, -1);
        expect_msi("d", 0, 4);
}
END_TEST

START_TEST(test_out_of_order) {
        ModelRef d = create(A, "d", 1, 1);

        expect_fault(A, model_enable_device(model, d, BUS_DRIVER_VHOST_VDPA, &f),
                     "enabling d, whose group 0 has no ASID");
        ck_assert_int_eq(model_set_address_space(model, d, 0, 4, NULL), 0);
        ck_assert_int_eq(model_store_msi(model, d, 0, 4, NULL), 0);
        expect_fault(A, model_enable_device(model, d, BUS_DRIVER_VHOST_VDPA, &f),
                     "enabling d, whose virtqueue 1 has no MSI entry");
        ck_assert_int_eq(model_device_driver(model_find_device(model, "d")), BUS_DRIVER_NONE);
        expect_fault(A, model_send_dma(model, d, 4, &f), "ASID 4 is used by d, which is not enabled");
        expect_fault(A, model_raise_interrupt(model, d, 4, &f), "MSI entry 4 is used by d, which is not enabled");
        expect_fault(A, model_destroy_device(model, d, &f), "destroying d, whose group 0 has an ASID");
        ck_assert_int_eq(model_clear_address_spaces(model, d, NULL), 0);
        expect_fault(A, model_destroy_device(model, d, &f), "destroying d, whose virtqueue 0 has an MSI entry");
}
END_TEST

START_TEST(test_enabled) {
        ModelRef d = create_enabled(A, "d", 4, 4);

        expect_fault(A, model_clear_address_spaces(model, d, &f), "clearing each ASID of d, which is enabled");
        expect_fault(A, model_clear_msis(model, d, &f), "clearing each MSI entry of d, which is enabled");
        expect_fault(A, model_set_address_space(model, d, 0, 9, &f), "which has 4");
        expect_fault(A, model_destroy_device(model, d, &f), "destroying d, which is enabled");
        expect_asid("d", 0, 4);
        expect_msi("d", 0, 4);
        ck_assert_int_eq(model_device_driver(model_find_device(model, "d")), BUS_DRIVER_VHOST_VDPA);
}
END_TEST

START_TEST(test_traffic_through_what_is_not_its_own) {
        ModelRef d = create_enabled(A, "d", 10, 30);

        create_enabled(A, "e", 12, 40);
        create_enabled(B, "elsewhere", 14, 44);
        expect_fault(A, model_send_dma(model, d, 12, &f), "ASID 12 is used by d, and is held by e");
        expect_fault(A, model_raise_interrupt(model, d, 42, &f), "MSI entry 42 is used by d, and is held by e");
        expect_fault(A, model_send_dma(model, d, 14, &f), "ASID 14 is used by d, and is held by nobody");
        expect_fault(A, model_raise_interrupt(model, d, 44, &f), "held by nobody");
        expect_fault(A, model_send_dma(model, d, UINT32_MAX, &f), "held by nobody");
        expect_fault(A, model_raise_interrupt(model, d, N_MSIS, &f), "held by nobody");
        ck_assert_uint_eq(model_mgmtdev_counts(model, units[A]).n_dma, 0);
        ck_assert_uint_eq(model_mgmtdev_counts(model, units[A]).n_interrupts, 0);
}
END_TEST

/* A device that is gone, one that is another's, one that was never there; each by each command. */
START_TEST(test_devices_that_are_not_there) {
        ModelRef gone = create(A, "gone", 1, 1), refs[3];

        ck_assert_int_eq(model_destroy_device(model, gone, NULL), 0);
        refs[0] = gone;
        refs[1] = create_enabled(B, "b", 10, 10); /* in its slot */
        ck_assert_uint_eq(refs[1].slot, gone.slot);
        ck_assert_uint_ne(refs[1].generation, gone.generation);
        refs[1].mgmtdev = units[A];
        refs[2] = (ModelRef){ units[A], MODEL_DEVICES_MAX - 1, 0 };

        for (unsigned i = 0; i < ELEMENTSOF(refs); i++) {
                ModelRef d = refs[i];

                expect_fault(A, model_set_address_space(model, d, 0, 4, &f),
                             "set address space: there is no device");
                expect_fault(A, model_clear_address_spaces(model, d, &f), "there is no device");
                expect_fault(A, model_store_msi(model, d, 0, 4, &f), "store MSI entry: there is no device");
                expect_fault(A, model_clear_msis(model, d, &f), "there is no device");
                expect_fault(A, model_enable_device(model, d, BUS_DRIVER_VHOST_VDPA, &f), "enable: there is no");
                expect_fault(A, model_disable_device(model, d, &f), "disable: there is no device");
                expect_fault(A, model_destroy_device(model, d, &f), "destroy: there is no device");
                expect_fault(A, model_send_dma(model, d, 10, &f), "DMA: there is no device");
                expect_fault(A, model_raise_interrupt(model, d, 10, &f), "interrupt: there is no device");
        }
        expect_asid("b", 0, 10);
        ck_assert_uint_eq(count_faults(B), 0);
}
END_TEST

/* They are the hardware's, and outlive the daemon as it does. */
START_TEST(test_faults_stay) {
        ModelRef d = create(A, "d", 1, 1);
        MgmtdevInfo info = hardware(A);

        for (unsigned i = 0; i < 5; i++)
                expect_fault(A, model_set_address_space(model, d, 0, N_ASIDS + i, &f), "out of range");
        reopen_model();
        ck_assert_uint_eq(count_faults(A), 5);
        ck_assert_ptr_nonnull(strstr(model_mgmtdev_counts(model, units[A]).last_fault, "104"));

        model_unplug_mgmtdev(model, units[A]);
        ck_assert_int_eq(model_plug_mgmtdev(model, &info, &units[A]), 0);
        ck_assert_uint_eq(count_faults(A), 0);
}
END_TEST

/* Fewer than devices hold: they keep them, and nobody else gets one. */
START_TEST(test_fewer_ids) {
        MgmtdevInfo info = hardware(A);
        ModelRef d = create_enabled(A, "d", 50, 40), e;

        info.capacity[RESOURCE_ASIDS].total = 40;
        info.capacity[RESOURCE_MSIS].total = 20;
        model = model_close(model);
        ck_assert_int_eq(model_open(unit_directory(), &model, NULL), 0);
        ck_assert_int_eq(model_plug_mgmtdev(model, &info, &units[A]), 0);

        ck_assert_int_eq(model_send_dma(model, d, 50, NULL), 0);
        ck_assert_int_eq(model_raise_interrupt(model, d, 42, NULL), 0);
        e = create(A, "e", 1, 1);
        expect_fault(A, model_set_address_space(model, e, 0, 40, &f), "ASID 40 is out of range: there are 40");
        expect_fault(A, model_store_msi(model, e, 0, 39, &f), "MSI entry 39 is out of range: there are 20");
        ck_assert_int_eq(test_destroy(model, model_find_device(model, "d")), 0);
}
END_TEST

/* Address spaces from elsewhere are another piece of hardware. */
START_TEST(test_another_kind_of_space) {
        MgmtdevInfo info = hardware(A);

        create_enabled(A, "d", 50, 40);
        info.asid_kind = ASID_PASID;
        (void) snprintf(info.pci_function, sizeof info.pci_function, "0000:01:00.0");
        ck_assert_int_eq(model_plug_mgmtdev(model, &info, &units[A]), 0);
        ck_assert_ptr_null(model_find_device(model, "d"));

        create_enabled(A, "e", 60, 30);
        expect_fault(P, model_set_address_space(model, create(P, "f", 1, 1), 0, 61, &f), "held by e");
        model = model_close(model);
        ck_assert_int_eq(model_open(unit_directory(), &model, NULL), 0);
}
END_TEST

/* A device as large as can be, whose list is in blocks, between small ones. */
START_TEST(test_largest_device) {
        MgmtdevInfo info = test_hardware("big");
        ModelDevice *d[3];

        ck_assert_int_eq(model_plug_mgmtdev(model, &info, &units[A]), 0);
        for (int round = 0; round < 3; round++) {
                for (unsigned i = 0; i < ELEMENTSOF(d); i++) {
                        ModelDeviceSpec spec = {
                                .mgmtdev = units[A],
                                .class = CLASS_BLOCK,
                                .n_vq_groups = DEVICE_VQ_GROUPS_MAX,
                                .n_vqs = DEVICE_VQS_MAX,
                        };
                        char name[16];

                        (void) snprintf(name, sizeof name, "d%u", i);
                        ck_assert_int_eq(model_create_device(model, name, &spec, &d[i]), 0);
                        for (unsigned k = 0; k < DEVICE_VQ_GROUPS_MAX; k++)
                                ck_assert_int_eq(model_set_address_space(model, model_device_ref(model, d[i]), k,
                                                                         IDS_MAX - 1 - k * 3 - i, NULL),
                                                 0);
                        for (unsigned k = 0; k <= DEVICE_VQS_MAX; k++)
                                ck_assert_int_eq(model_store_msi(model, model_device_ref(model, d[i]), k,
                                                                 IDS_MAX - 1 - k * 3 - i, NULL),
                                                 0);
                }

                model = model_close(model);
                ck_assert_int_eq(model_open(unit_directory(), &model, NULL), 0);
                ck_assert_int_eq(model_plug_mgmtdev(model, &info, &units[A]), 0);
                for (unsigned k = 0; k <= DEVICE_VQS_MAX; k++)
                        expect_msi("d2", k, IDS_MAX - 1 - k * 3 - 2);
                for (unsigned i = 0; i < ELEMENTSOF(d); i++) {
                        char name[16];

                        (void) snprintf(name, sizeof name, "d%u", (i + (unsigned) round) % 3);
                        d[i] = model_find_device(model, name);
                        ck_assert_int_eq(model_enable_device(model, model_device_ref(model, d[i]),
                                                             BUS_DRIVER_VHOST_VDPA, NULL),
                                         0);
                        ck_assert_int_eq(test_destroy(model, d[i]), 0);
                }
        }
        ck_assert_uint_eq(count_faults(A), 0);
}
END_TEST

START_TEST(test_traffic) {
        uint64_t seed = 1;
        ModelCounts counts;

        traffic_run(model, units[A], 10, &seed); /* of nobody */
        create_enabled(A, "d", 10, 30);
        create_enabled(A, "e", 12, 33);
        create_enabled(B, "f", 12, 33);
        (void) create(A, "g", 1, 1); /* not enabled: it does nothing */
        traffic_run(model, units[A], 1000, &seed);
        counts = model_mgmtdev_counts(model, units[A]);
        ck_assert_uint_eq(counts.n_faults, 0);
        ck_assert_uint_eq(counts.n_dma, counts.n_interrupts);
        ck_assert_uint_gt(counts.n_dma, 500);
        ck_assert_uint_lt(counts.n_dma, 800);
        ck_assert_uint_eq(model_mgmtdev_counts(model, units[B]).n_dma, 0);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, open_model, close_model);
        tcase_add_test(tcase, test_in_order);
        tcase_add_test(tcase, test_shared_entries);
        tcase_add_test(tcase, test_ids_of_another);
        tcase_add_test(tcase, test_pasids_of_one_function);
        tcase_add_test(tcase, test_ids_that_are_not_there);
        tcase_add_test(tcase, test_twice);
        tcase_add_test(tcase, test_out_of_order);
        tcase_add_test(tcase, test_enabled);
        tcase_add_test(tcase, test_traffic_through_what_is_not_its_own);
        tcase_add_test(tcase, test_devices_that_are_not_there);
        tcase_add_test(tcase, test_faults_stay);
        tcase_add_test(tcase, test_fewer_ids);
        tcase_add_test(tcase, test_another_kind_of_space);
        tcase_add_test(tcase, test_largest_device);
        tcase_add_test(tcase, test_traffic);
}

int main(void) {
        return unit_main("sim-command", add);
}
