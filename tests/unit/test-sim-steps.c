/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backend's steps as commands to the hardware: what it is given, what it refuses, how long it takes, how it
 * fails. */
#include "sim-rig.h"
#include "util/clock.h"

static MgmtdevInfo info_of(Backend *b) {
        _cleanup_free_ MgmtdevInfo *infos = NULL;
        Failure f = FAILURE_INIT;
        size_t n;

        ck_assert_int_eq(b->ops->list_mgmtdevs(b, &infos, &n, &f), 0);
        ck_assert_uint_eq(n, 1);
        return infos[0];
}

START_TEST(test_assignment) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        Failure f = FAILURE_INIT;

        create_good(b, "a", CLASS_NET);
        create_good(b, "b", CLASS_NET);
        ck_assert_int_eq(assign(b, "a", 10, 20, &f), 0);
        ck_assert_int_eq(assign(b, "a", 10, 20, &f), 0);
        ck_assert_int_eq(assign(b, "a", 11, 21, &f), 0); /* instead */
        ck_assert_int_eq(assign(b, "b", 13, 25, &f), 0);
        ck_assert_int_eq(b->ops->bind(b, "b", BUS_DRIVER_VHOST_VDPA, &f), 0);
        ck_assert_uint_eq(info_of(b).counts.n_faults, 0);
        ck_assert_str_eq(info_of(b).counts.last_fault, "");

        expect(assign(b, "a", 12, 21, &f), &f, EIO, ERROR_BACKEND_FAILED);
        ck_assert_ptr_nonnull(strstr(f.detail, "ASID 13 for group 1 of a is held by b"));
        ck_assert_uint_eq(info_of(b).counts.n_faults, 1);
        ck_assert_str_eq(info_of(b).counts.last_fault, "ASID 13 for group 1 of a is held by b");
        expect(b->ops->bind(b, "a", BUS_DRIVER_VHOST_VDPA, &f), &f, EIO, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(observe(b, "a").driver, BUS_DRIVER_NONE);

        /* To be given others while it is enabled, it is stopped. */
        ck_assert_int_eq(b->ops->publish(b, "b", &(EndpointSpec){ .uid = 7, .gid = 8, .mode = 0640 }, &f), 0);
        ck_assert_int_eq(assign(b, "b", 14, 26, &f), 0);
        ck_assert_int_eq(observe(b, "b").driver, BUS_DRIVER_VHOST_VDPA);
        ck_assert_str_eq(observe(b, "b").endpoint, "/dev/vhost-vdpa-0");
        ck_assert_int_eq(assign(b, "b", 14, 26, &f), 0);
        expect(assign(b, "a", 13, 25, &f), &f, EIO, ERROR_BACKEND_FAILED);
        ck_assert_int_eq(b->ops->destroy(b, "b", NULL, &f), 0);
        ck_assert_int_eq(assign(b, "a", 13, 25, &f), 0);
        ck_assert_int_eq(b->ops->bind(b, "a", BUS_DRIVER_VHOST_VDPA, &f), 0);
        ck_assert_uint_eq(info_of(b).counts.n_faults, 3);

        b->ops->free(b);
        b = open_sim(&small_config);
        ck_assert_uint_eq(info_of(b).counts.n_faults, 3);
        expect(b->ops->assign(b, "c", &(DeviceResources){}, &f), &f, ENODEV, ERROR_DEVICE_NOT_FOUND);
}
END_TEST

START_TEST(test_assign_shared) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        Failure f = FAILURE_INIT;

        for (uint16_t n_msis = 2; n_msis > 0; n_msis--) {
                DeviceResources resources = {
                        .is_held = true, .n_asids = 2, .n_vqs = 3, .n_msis = n_msis, .few = { 7, 8, 30, 31 }
                };

                create_good(b, "a", CLASS_NET);
                ck_assert_msg(b->ops->assign(b, "a", &resources, &f) == 0, "%s", f.detail);
                ck_assert_int_eq(b->ops->bind(b, "a", BUS_DRIVER_VIRTIO_VDPA, &f), 0);
                ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);
        }
        ck_assert_uint_eq(info_of(b).counts.n_faults, 0);
}
END_TEST

/* Fewer than the device has use for, or more. */
START_TEST(test_assign_what_does_not_fit) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        const uint32_t asids[] = { 7, 8, 9 }, msis[] = { 30, 31, 32, 33, 34 };
        static const DeviceResources cases[] = {
                { .n_asids = 0, .n_vqs = 3, .n_msis = 4 }, { .n_asids = 1, .n_vqs = 3, .n_msis = 4 },
                { .n_asids = 3, .n_vqs = 3, .n_msis = 4 }, { .n_asids = 2, .n_vqs = 3, .n_msis = 0 },
                { .n_asids = 2, .n_vqs = 2, .n_msis = 3 }, { .n_asids = 2, .n_vqs = 4, .n_msis = 5 },
        };
        Failure f = FAILURE_INIT;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(device_resources_done) DeviceResources resources = {};
                int r;

                ck_assert_int_eq(device_resources_set(&resources, asids, cases[i].n_asids, cases[i].n_vqs, msis,
                                                      cases[i].n_msis),
                                 0);
                create_good(b, "a", CLASS_NET);
                r = b->ops->assign(b, "a", &resources, &f);
                if (r == 0)
                        r = b->ops->bind(b, "a", BUS_DRIVER_VHOST_VDPA, &f);
                expect(r, &f, EIO, ERROR_BACKEND_FAILED);
                ck_assert_uint_eq(info_of(b).counts.n_faults, i + 1);
                ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);
        }
}
END_TEST

START_TEST(test_traffic_between_commands) {
        SimMgmtdev m = small;
        Backend *b;

        m.traffic = 5;
        b = open_sim(&(SimConfig){ .mgmtdevs = &m, .n_mgmtdevs = 1 });
        create_good(b, "a", CLASS_NET);
        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
        create_good(b, "b", CLASS_NET);
        bind_good(b, "b", BUS_DRIVER_VHOST_VDPA);
        for (unsigned i = 0; i < 20; i++)
                (void) observe(b, "a");
        ck_assert_uint_eq(info_of(b).counts.n_faults, 0);
        b->ops->free(b);
}
END_TEST

START_TEST(test_size_of_a_device) {
        _cleanup_(backend_freep) Backend *b = NULL;
        DeviceSpec spec = spec_of(CLASS_BLOCK);
        Failure f = FAILURE_INIT;
        SimMgmtdev m = small;
        char text[VQ_GROUPS_TEXT_MAX];
        DeviceStatus status;

        m.info.max_vqs = 0;
        m.info.capacity[RESOURCE_VQS].total = DEVICE_VQS_MAX + 5;
        b = open_sim(&(SimConfig){ .mgmtdevs = &m, .n_mgmtdevs = 1 });
        spec.n_vqs = DEVICE_VQS_MAX;
        spec.n_vq_groups = DEVICE_VQ_GROUPS_MAX;
        ck_assert_msg(create(b, "a", &spec, &f) == 0, "%s", f.detail);
        status = observe(b, "a");
        ck_assert_uint_eq(status.max_vqs, DEVICE_VQS_MAX);
        ck_assert_uint_eq(status.n_vq_groups, DEVICE_VQ_GROUPS_MAX);
        ck_assert_uint_eq(status.n_address_spaces, DEVICE_VQ_GROUPS_MAX);
        ck_assert_uint_eq(status.vq_groups.n_runs, 0); /* they are too many to be told */

        /* Those of all devices together. */
        create_good(b, "b", CLASS_NET);
        status = observe(b, "b");
        ck_assert_uint_eq(status.max_vqs, 3);
        ck_assert_uint_eq(status.n_vq_groups, 2);
        ck_assert_str_eq(vq_groups_format(&status.vq_groups, text), "2*0+1*1");
        spec.n_vqs = 3;
        expect(create(b, "c", &spec, &f), &f, ENOSPC, ERROR_NO_CAPACITY);
        ck_assert_ptr_nonnull(strstr(f.detail, "1029 virtqueues, 1027 of them in use: 3 need more"));
        spec.n_vqs = 2;
        ck_assert_int_eq(create(b, "c", &spec, &f), 0);
}
END_TEST

static int command(Backend *b, SimCommand command, BusDriver driver, Failure *f) {
        DeviceSpec spec = spec_of(CLASS_NET);

        switch (command) {
        case SIM_CREATE:
                return create(b, "a", &spec, f);
        case SIM_ASSIGN:
                return assign_own(b, "a", f);
        case SIM_BIND:
                return b->ops->bind(b, "a", driver, f);
        case SIM_PUBLISH:
                return b->ops->publish(b, "a", &spec.endpoint, f);
        case SIM_SET_MAC:
                return b->ops->set_mac(b, "a", (const uint8_t[]){ 2, 0, 0, 0, 0, 1 }, f);
        case SIM_DESTROY:
                return b->ops->destroy(b, "a", NULL, f);
        case _SIM_COMMAND_MAX:
                break;
        }
        return -EINVAL;
}

/* Every third command of the kind fails and changes nothing; the next one works. */
START_TEST(test_faults) {
        _cleanup_(backend_freep) Backend *b = NULL;
        SimMgmtdev m = small;

        m.fail_every[_i] = 3;
        b = open_sim(&(SimConfig){ .mgmtdevs = &m, .n_mgmtdevs = 1 });

        for (unsigned round = 1; round <= 9; round++) {
                Failure f = FAILURE_INIT;
                DeviceStatus before;
                int r;

                if (_i == SIM_CREATE)
                        ck_assert_int_eq(b->ops->destroy(b, "a", NULL, NULL), 0);
                else if (!is_there(b, "a"))
                        create_good(b, "a", CLASS_NET);
                if (_i == SIM_BIND && observe(b, "a").driver == BUS_DRIVER_NONE)
                        ck_assert_int_eq(assign_own(b, "a", NULL), 0);
                if (_i == SIM_PUBLISH || _i == SIM_DESTROY)
                        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
                if (_i != SIM_CREATE)
                        before = observe(b, "a");

                r = command(b, (SimCommand) _i, round % 2 ? BUS_DRIVER_VHOST_VDPA : BUS_DRIVER_VIRTIO_VDPA, &f);
                if (round % 3 != 0) {
                        ck_assert_int_eq(r, 0);
                        continue;
                }

                expect(r, &f, EIO, ERROR_BACKEND_FAILED);
                ck_assert_int_eq(is_there(b, "a"), _i != SIM_CREATE);
                if (_i != SIM_CREATE)
                        ck_assert_str_eq(observe(b, "a").endpoint, before.endpoint);
        }
}
END_TEST

/* A command takes its latency, and one to no device takes none. */
START_TEST(test_latency) {
        _cleanup_(backend_freep) Backend *b = NULL;
        DeviceSpec spec = spec_of(CLASS_NET);
        Failure f = FAILURE_INIT;
        SimMgmtdev m = small;
        uint64_t start;

        m.latency_usec = 20000;
        m.more_latency_usec[SIM_DESTROY] = 30000;
        b = open_sim(&(SimConfig){ .mgmtdevs = &m, .n_mgmtdevs = 1 });

        start = clock_monotonic_usec();
        ck_assert_int_eq(create(b, "a", &spec, &f), 0);
        ck_assert_uint_ge(clock_monotonic_usec() - start, m.latency_usec);
        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
        (void) observe(b, "a");
        ck_assert_uint_ge(clock_monotonic_usec() - start, 3 * m.latency_usec);
        ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);
        ck_assert_uint_ge(clock_monotonic_usec() - start, 4 * m.latency_usec + m.more_latency_usec[SIM_DESTROY]);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_assignment);
        tcase_add_test(tcase, test_assign_shared);
        tcase_add_test(tcase, test_assign_what_does_not_fit);
        tcase_add_test(tcase, test_traffic_between_commands);
        tcase_add_test(tcase, test_size_of_a_device);
        tcase_add_loop_test(tcase, test_faults, 0, _SIM_COMMAND_MAX);
        tcase_add_test(tcase, test_latency);
}

int main(void) {
        return unit_main("sim-steps", add);
}
