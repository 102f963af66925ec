/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What virtual functions give, beside what managed devices on the same function give. */
#include <string.h>

#include "inventory/class.h"
#include "lifecycle/sriov-json.h"
#include "unit.h"
#include "util/json.h"

#define PF "0000:01:00.0"

static Inventory inventory;
static MgmtdevInfo infos[8];
static size_t n_infos;

static void set_up(void) {
        inventory_init(&inventory, 100);
        n_infos = 0;
}

static void tear_down(void) {
        inventory_done(&inventory);
}

/* asids, msis: 0: not known. */
static MgmtdevInfo *add(const char *handle, uint64_t classes, uint32_t devices, uint32_t asids, uint32_t msis) {
        const uint32_t totals[_RESOURCE_MAX] = { devices, asids, msis, 0 };
        MgmtdevInfo *info = &infos[n_infos++];

        *info = (MgmtdevInfo){ .numa_node = -1, .vf_index = -1, .classes = classes };
        strcpy(info->handle, handle);
        for (Resource r = 0; r < _RESOURCE_MAX; r++)
                info->capacity[r] = (Capacity){ .is_known = totals[r] > 0, .total = totals[r] };
        return info;
}

static MgmtdevInfo *add_on_pf(const char *handle, uint64_t classes, uint32_t devices, uint32_t asids,
                              uint32_t msis) {
        MgmtdevInfo *info = add(handle, classes, devices, asids, msis);

        strcpy(info->pci_function, PF);
        info->asid_kind = ASID_PASID;
        return info;
}

static void add_vf(const char *handle, int index) {
        MgmtdevInfo *info = add(handle, 1u << CLASS_NET, 1, 0, 0);

        strcpy(info->pci_pf, PF);
        info->vf_index = index;
}

/* The answer for one PF, to be compared as JSON. */
static void assert_encoded(const BackendSriov *sriov, const char *part, const char *expected) {
        _cleanup_json_ json_t *array = NULL, *want = json_loads(expected, 0, NULL);
        json_t *got;

        ck_assert_int_eq(inventory_update_mgmtdevs(&inventory, infos, n_infos, 1), 0);
        array = sriov_encode(sriov, 1, &inventory, 1);
        ck_assert_uint_eq(json_array_size(array), 1);
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(array, 0), "pf")), sriov->pf);
        got = json_object_get(json_array_get(array, 0), part);
        ck_assert_msg(want && json_equal(got, want), "%s", json_dumps(got, 0));
}

START_TEST(test_vfs) {
        const BackendSriov sriov = {
                .pf = PF,
                .total_vfs = 600,
                .num_vfs = 8,
                .vf_device_id = 0x1041,
                .has_vf_total_msix = true,
                .vf_total_msix = 4000,
                .has_buses = true,
                .n_buses = 1,
                .max_buses = 3,
                .n_lost_vfs = 20,
        };

        add_vf("pci/0000:01:00.1", 0);
        add_vf("pci/0000:01:00.2", 1);
        add("vdpasim_net", 1u << CLASS_NET, 9, 0, 0);
        assert_encoded(&sriov, "vfs",
                       "{\"total\":600,\"made\":8,\"unreachable\":20,\"most_devices\":580,\"used_devices\":0,"
                       "\"bus_numbers\":{\"used\":1,\"with_all\":3,\"total\":256},\"device_id\":\"0x1041\","
                       "\"msis_per_vf\":2048,\"msis\":4000,\"classes\":[\"net\"],"
                       "\"mgmtdevs\":[\"pci/0000:01:00.1\",\"pci/0000:01:00.2\"]}");
}
END_TEST

START_TEST(test_vfs_of_which_little_is_known) {
        const BackendSriov sriov = { .pf = PF, .total_vfs = 4 };

        assert_encoded(&sriov, "vfs",
                       "{\"total\":4,\"made\":0,\"unreachable\":0,\"most_devices\":4,\"used_devices\":0,"
                       "\"bus_numbers\":null,\"device_id\":null,\"msis_per_vf\":2048,\"msis\":null,"
                       "\"classes\":[],\"mgmtdevs\":[]}");
}
END_TEST

static const BackendSriov plain = { .pf = PF, .total_vfs = 4 };

/* A block device takes an ASID, a virtqueue and two entries. Two that share a space of 100 have no 160. */
START_TEST(test_managed) {
        MgmtdevInfo *theirs;

        add_on_pf("auxiliary/a.sf.1", 1u << CLASS_BLOCK, 80, 100, 400);
        add_on_pf("auxiliary/a.sf.2", 1u << CLASS_BLOCK | UINT64_C(1) << 26, 80, 100, 300);
        theirs = add("auxiliary/b.sf.1", 1u << CLASS_BLOCK, 80, 0, 0);
        strcpy(theirs->pci_function, "0000:02:00.0");
        assert_encoded(&plain, "managed",
                       "{\"most_devices\":100,\"max_subfunctions\":null,\"used_devices\":0,\"msis\":700,"
                       "\"classes\":[\"block\",\"fs\"],"
                       "\"mgmtdevs\":[\"auxiliary/a.sf.1\",\"auxiliary/a.sf.2\"]}");
}
END_TEST

/* With an MMU of its own, it does not share; the entries are what there is least of. */
START_TEST(test_managed_with_mmus) {
        add_on_pf("auxiliary/a.sf.1", 1u << CLASS_BLOCK, 80, 100, 60)->asid_kind = ASID_DEVICE_MMU;
        add_on_pf("auxiliary/a.sf.2", 1u << CLASS_BLOCK, 80, 100, 600)->asid_kind = ASID_DEVICE_MMU;
        assert_encoded(&plain, "managed",
                       "{\"most_devices\":110,\"max_subfunctions\":null,\"used_devices\":0,\"msis\":660,"
                       "\"classes\":[\"block\"],"
                       "\"mgmtdevs\":[\"auxiliary/a.sf.1\",\"auxiliary/a.sf.2\"]}");
}
END_TEST

START_TEST(test_managed_without_limits) {
        add_on_pf("auxiliary/a.sf.1", 1u << CLASS_BLOCK, 0, 0, 0)->asid_kind = ASID_DEVICE_MMU;
        assert_encoded(&plain, "managed",
                       "{\"most_devices\":null,\"max_subfunctions\":null,\"used_devices\":0,\"msis\":null,"
                       "\"classes\":[\"block\"],"
                       "\"mgmtdevs\":[\"auxiliary/a.sf.1\"]}");
}
END_TEST

START_TEST(test_nothing_managed) {
        assert_encoded(&plain, "managed",
                       "{\"most_devices\":0,\"max_subfunctions\":null,\"used_devices\":0,\"msis\":0,\"classes\":[],"
                       "\"mgmtdevs\":[]}");
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_vfs);
        tcase_add_test(tcase, test_vfs_of_which_little_is_known);
        tcase_add_test(tcase, test_managed);
        tcase_add_test(tcase, test_managed_with_mmus);
        tcase_add_test(tcase, test_managed_without_limits);
        tcase_add_test(tcase, test_nothing_managed);
}

int main(void) {
        return unit_main("sriov", add_tests);
}
