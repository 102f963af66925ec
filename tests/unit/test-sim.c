/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>

#include "sim-rig.h"

/* As a script would. */
static void set_open(const char *name, bool open) {
        _cleanup_free_ char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "%s/" SIM_OPEN_DIRECTORY "/%s", unit_directory(), name), 0);
        ck_assert_int_eq(open ? mkdir(path, 0700) : rmdir(path), 0);
}

START_TEST(test_default_config) {
        _cleanup_(backend_freep) Backend *b = open_sim(sim_config_default());
        _cleanup_free_ MgmtdevInfo *infos = NULL;
        Failure f = FAILURE_INIT;
        BackendHost host;
        size_t n;

        ck_assert_str_eq(b->ops->name, "sim");
        ck_assert_int_eq(b->ops->get_host(b, &host, &f), 0);
        ck_assert(host.available && host.can_vhost_vdpa && host.can_virtio_vdpa && !host.autoprobe);
        ck_assert_str_eq(host.reason, "");

        ck_assert_int_eq(b->ops->list_mgmtdevs(b, &infos, &n, &f), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(infos[0].handle, "sim0");
        ck_assert_int_eq(infos[0].transport, TRANSPORT_OTHER);
        ck_assert_int_eq(infos[0].numa_node, -1);
        ck_assert(infos[0].simulated);
        ck_assert_uint_eq(infos[0].capacity[RESOURCE_DEVICES].total, 1048576);
        ck_assert_uint_eq(infos[0].classes, ~UINT64_C(1));
        ck_assert_uint_eq(infos[0].features[0], 0);
        for (unsigned class = 1; class <= CLASS_MAX; class ++)
                ck_assert(infos[0].features[class] & FEATURE_VERSION_1);
        ck_assert_uint_eq(infos[0].features[CLASS_NET] & NET_FEATURES, NET_FEATURES);
        ck_assert_uint_eq(infos[0].features[CLASS_BLOCK] & BLOCK_FEATURES, BLOCK_FEATURES);
}
END_TEST

START_TEST(test_every_class) {
        _cleanup_(backend_freep) Backend *b = open_sim(sim_config_default());
        Failure f = FAILURE_INIT;
        char name[16];

        for (unsigned class = 1; class <= CLASS_MAX; class ++) {
                DeviceSpec spec = spec_of(class);
                DeviceStatus status;

                (void) snprintf(name, sizeof name, "d%u", class);
                ck_assert_msg(b->ops->create(b, name, "sim0", &spec, &f) == 0, "%s", f.detail);
                bind_good(b, name, BUS_DRIVER_VHOST_VDPA);
                status = observe(b, name);
                ck_assert_uint_eq(status.class, class);
                ck_assert_uint_ge(status.max_vqs, 1);
                ck_assert(status.has_features);
        }
}
END_TEST

#define SET(member, type, v)                                                                                       \
        .offset = offsetof(MgmtdevInfo, member), .size = sizeof(type), .value = &(const type) {                    \
                v                                                                                                  \
        }
#define TEXT(member, v) .offset = offsetof(MgmtdevInfo, member), .size = sizeof v, .value = v

static const char no_end[HANDLE_MAX] = { [0 ... HANDLE_MAX - 1] = 'a' };

/* What one of two must not be, if the other is as it can be; and both may share the PASIDs of a function. */
static const struct {
        size_t offset, size;
        const void *value;
        bool share;
} impossible[] = {
        { TEXT(handle, "m0") },
        { TEXT(handle, "") },
        { TEXT(handle, no_end) },
        { SET(classes, uint64_t, 0) },
        { SET(classes, uint64_t, 3) },
        { SET(transport, Transport, _TRANSPORT_MAX) },
        { SET(numa_node, int, -2) },
        { SET(asid_kind, AsidKind, _ASID_KIND_MAX) },
        { SET(asid_kind, AsidKind, ASID_PASID) }, /* of nothing */
        { SET(capacity[RESOURCE_ASIDS].total, uint32_t, IDS_MAX + 1) },
        { SET(capacity[RESOURCE_MSIS].total, uint32_t, IDS_MAX + 1) },
        { TEXT(capacity[RESOURCE_MSIS].reserved_ids, "1-") },
        { TEXT(pci_function, "01:00.0") },
        { SET(vf_index, int, -2) },
        { SET(capacity[RESOURCE_ASIDS].total, uint32_t, PASIDS_MAX + 1), .share = true },
        { SET(capacity[RESOURCE_ASIDS].total, uint32_t, 9), .share = true }, /* the other one has all */
};

/* As many as that, with names of their own. */
static void fill(SimMgmtdev *m, size_t n) {
        for (size_t i = 0; i < n; i++) {
                m[i] = small;
                (void) snprintf(m[i].info.handle, sizeof m[i].info.handle, "m%zu", i);
        }
}

static void expect_impossible(const SimMgmtdev *m, size_t n) {
        SimConfig config = { .mgmtdevs = m, .n_mgmtdevs = n };
        Failure f = FAILURE_INIT;
        Backend *b = NULL;

        expect(sim_backend_new(&config, unit_directory(), &b, &f), &f, EINVAL, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_ptr_null(b);
}

START_TEST(test_impossible_configs) {
        SimMgmtdev m[2];

        fill(m, ELEMENTSOF(m));
        for (size_t i = 0; impossible[_i].share && i < ELEMENTSOF(m); i++) {
                m[i].info.asid_kind = ASID_PASID;
                strcpy(m[i].info.pci_function, "0000:01:00.0");
        }
        memcpy((char *) &m[1].info + impossible[_i].offset, impossible[_i].value, impossible[_i].size);
        expect_impossible(m, ELEMENTSOF(m));
}
END_TEST

START_TEST(test_too_many_mgmtdevs) {
        SimMgmtdev m[MODEL_MGMTDEVS_MAX + 1];

        fill(m, ELEMENTSOF(m));
        expect_impossible(m, ELEMENTSOF(m));
}
END_TEST

START_TEST(test_no_mgmtdevs) {
        _cleanup_(backend_freep) Backend *b = open_sim(&(SimConfig){ 0 });
        _cleanup_free_ BackendDevice *devices = NULL;
        _cleanup_free_ MgmtdevInfo *infos = NULL;
        Failure f = FAILURE_INIT;
        size_t n = 7;

        ck_assert_int_eq(b->ops->list_mgmtdevs(b, &infos, &n, &f), 0);
        ck_assert_uint_eq(n, 0);
        n = 7;
        ck_assert_int_eq(b->ops->list_devices(b, &devices, &n, &f), 0);
        ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_no_runtime_dir) {
        Failure f = FAILURE_INIT;
        Backend *b = NULL;

        expect(sim_backend_new(&small_config, "/nowhere/at/all", &b, &f), &f, ENOENT, ERROR_BACKEND_UNAVAILABLE);
}
END_TEST

START_TEST(test_life_of_a_device) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        DeviceSpec spec = spec_of(CLASS_NET);
        Failure f = FAILURE_INIT;
        DeviceStatus status;

        spec.net = (NetSpec){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 0x2a }, .mtu = 9000, .max_vqp = 4 };
        ck_assert_int_eq(create(b, "vm42-net0", &spec, &f), 0);

        status = observe(b, "vm42-net0");
        ck_assert(is_on(b, "vm42-net0", small.info.handle));
        ck_assert_uint_eq(status.class, CLASS_NET);
        ck_assert_uint_eq(status.max_vqs, 9);
        ck_assert_uint_eq(status.vq_size, 256);
        ck_assert_int_eq(status.driver, BUS_DRIVER_NONE);
        ck_assert_str_eq(status.endpoint, "");
        ck_assert(status.simulated);
        ck_assert(status.has_features);
        ck_assert_uint_eq(status.features, NET_FEATURES);
        ck_assert(status.net.has_mac);
        ck_assert_mem_eq(status.net.mac, spec.net.mac, 6);
        ck_assert_uint_eq(status.net.mtu, 9000);
        ck_assert_uint_eq(status.net.max_vqp, 4);

        bind_good(b, "vm42-net0", BUS_DRIVER_VHOST_VDPA);
        bind_good(b, "vm42-net0", BUS_DRIVER_VHOST_VDPA);
        ck_assert_int_eq(b->ops->publish(b, "vm42-net0", &spec.endpoint, &f), 0);
        ck_assert_int_eq(b->ops->publish(b, "vm42-net0", &spec.endpoint, &f), 0);
        status = observe(b, "vm42-net0");
        ck_assert_int_eq(status.driver, BUS_DRIVER_VHOST_VDPA);
        ck_assert_str_eq(status.endpoint, "/dev/vhost-vdpa-0");

        ck_assert_int_eq(b->ops->destroy(b, "vm42-net0", NULL, &f), 0);
        ck_assert(!is_there(b, "vm42-net0"));
        ck_assert_int_eq(b->ops->destroy(b, "vm42-net0", NULL, &f), 0);
}
END_TEST

START_TEST(test_defaults_of_a_net_device) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        DeviceSpec spec = spec_of(CLASS_NET);
        Failure f = FAILURE_INIT;
        DeviceStatus status;

        create_good(b, "a", CLASS_NET);
        status = observe(b, "a");
        ck_assert_uint_eq(status.net.mtu, 1500);
        ck_assert_uint_eq(status.net.max_vqp, 1);
        ck_assert_uint_eq(status.max_vqs, 3);
        ck_assert(status.net.has_mac);

        spec.has_features = true;
        spec.features = FEATURE_VERSION_1;
        ck_assert_int_eq(create(b, "b", &spec, &f), 0);
        status = observe(b, "b");
        ck_assert_uint_eq(status.features, FEATURE_VERSION_1);
        ck_assert(!status.net.has_mac);
        ck_assert_uint_eq(status.net.mtu, 0);
}
END_TEST

/* What the management device does not make, and why. Each says what it is in the end, whatever it was at first. */
static const struct {
        const char *name;
        const char *mgmtdev;
        DeviceSpec spec;
        int error;
        ErrorCode code;
} refusals[] = {
        { "a", "pci/0000:01:00.1", { .class = CLASS_NET }, ENODEV, ERROR_MGMTDEV_NOT_FOUND },
        { "a", "", { .class = CLASS_NET }, ENODEV, ERROR_MGMTDEV_NOT_FOUND },
        { "there", NULL, { .class = CLASS_NET }, EEXIST, ERROR_FOREIGN_DEVICE },
        { "../a", NULL, { .class = CLASS_NET }, EINVAL, ERROR_INVALID_REQUEST },
        { "", NULL, { .class = CLASS_NET }, EINVAL, ERROR_INVALID_REQUEST },
        { "a", NULL, { .class = 26 }, EOPNOTSUPP, ERROR_NOT_SUPPORTED },
        { "a", NULL, { .class = 0 }, EOPNOTSUPP, ERROR_NOT_SUPPORTED },
        { "a", NULL, { .class = 64 }, EOPNOTSUPP, ERROR_NOT_SUPPORTED },
        { "a", NULL, { .class = UINT32_MAX }, EOPNOTSUPP, ERROR_NOT_SUPPORTED },
        { "a",
          NULL,
          { .class = CLASS_NET, .has_features = true, .features = UINT64_C(1) << 60 },
          EOPNOTSUPP,
          ERROR_NOT_SUPPORTED },
        { "a",
          NULL,
          { .class = CLASS_SCSI, .has_features = true, .features = FEATURE_VERSION_1 },
          EOPNOTSUPP,
          ERROR_NOT_SUPPORTED },
        { "a",
          NULL,
          { .class = CLASS_NET, .has_features = true, .features = FEATURE_NET_MTU, .net.has_mac = true },
          EINVAL,
          ERROR_NOT_SUPPORTED },
        { "a",
          NULL,
          { .class = CLASS_NET, .has_features = true, .features = FEATURE_NET_MAC, .net.mtu = 1500 },
          EINVAL,
          ERROR_NOT_SUPPORTED },
        { "a",
          NULL,
          { .class = CLASS_NET, .has_features = true, .features = FEATURE_NET_MAC, .net.max_vqp = 2 },
          EINVAL,
          ERROR_NOT_SUPPORTED },
        { "a", NULL, { .class = CLASS_NET, .net.mtu = 67 }, EINVAL, ERROR_NOT_SUPPORTED },
        { "a", NULL, { .class = CLASS_NET, .net.max_vqp = 5 }, EOPNOTSUPP, ERROR_NOT_SUPPORTED },
        { "a", NULL, { .class = CLASS_NET, .net.max_vqp = UINT16_MAX }, EOPNOTSUPP, ERROR_NOT_SUPPORTED },
};

START_TEST(test_refused_create) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        const char *mgmtdev = refusals[_i].mgmtdev ? refusals[_i].mgmtdev : small.info.handle;
        _cleanup_free_ BackendDevice *devices = NULL;
        Failure f = FAILURE_INIT;
        size_t n;

        create_good(b, "there", CLASS_BLOCK);
        expect(b->ops->create(b, refusals[_i].name, mgmtdev, &refusals[_i].spec, &f), &f, refusals[_i].error,
               refusals[_i].code);

        ck_assert_int_eq(b->ops->list_devices(b, &devices, &n, &f), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(observe(b, "there").class, CLASS_BLOCK);
}
END_TEST

START_TEST(test_reason_names_the_feature) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        DeviceSpec spec = spec_of(CLASS_NET);
        Failure f = FAILURE_INIT;

        spec.has_features = true;
        spec.features = NET_FEATURES | UINT64_C(1) << 60;
        ck_assert_int_lt(create(b, "a", &spec, &f), 0);
        ck_assert_ptr_nonnull(strstr(f.detail, "RSS"));
}
END_TEST

START_TEST(test_class_with_too_many_vqs) {
        SimMgmtdev narrow = small;
        _cleanup_(backend_freep) Backend *b = NULL;
        DeviceSpec spec = spec_of(CLASS_SCSI);
        Failure f = FAILURE_INIT;

        narrow.info.max_vqs = 2; /* scsi needs three */
        b = open_sim(&(SimConfig){ .mgmtdevs = &narrow, .n_mgmtdevs = 1 });
        expect(create(b, "a", &spec, &f), &f, EOPNOTSUPP, ERROR_NOT_SUPPORTED);
        create_good(b, "b", CLASS_BLOCK);
}
END_TEST

START_TEST(test_full) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        DeviceSpec spec = spec_of(CLASS_NET);
        Failure f = FAILURE_INIT;

        create_good(b, "a", CLASS_NET);
        create_good(b, "b", CLASS_BLOCK);
        create_good(b, "c", CLASS_SCSI);
        expect(create(b, "d", &spec, &f), &f, ENOSPC, ERROR_NO_CAPACITY);
        ck_assert_int_eq(b->ops->destroy(b, "b", NULL, &f), 0);
        create_good(b, "d", CLASS_NET);
}
END_TEST

START_TEST(test_endpoints) {
        static const struct {
                unsigned class;
                BusDriver driver;
                const char *endpoint;
        } cases[] = {
                { CLASS_NET, BUS_DRIVER_VHOST_VDPA, "/dev/vhost-vdpa-0" },
                { CLASS_BLOCK, BUS_DRIVER_VHOST_VDPA, "/dev/vhost-vdpa-0" },
                { CLASS_SCSI, BUS_DRIVER_VHOST_VDPA, "/dev/vhost-vdpa-0" },
                { CLASS_NET, BUS_DRIVER_VIRTIO_VDPA, "simeth0" },
                { CLASS_BLOCK, BUS_DRIVER_VIRTIO_VDPA, "/dev/simvd0" },
                { CLASS_SCSI, BUS_DRIVER_VIRTIO_VDPA, "simvirtio0" },
        };
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        Failure f = FAILURE_INIT;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                create_good(b, "a", cases[i].class);
                bind_good(b, "a", cases[i].driver);
                ck_assert_str_eq(observe(b, "a").endpoint, cases[i].endpoint);
                ck_assert_int_eq(observe(b, "a").driver, cases[i].driver);
                ck_assert_int_eq(b->ops->publish(b, "a", &(EndpointSpec){ .mode = 0600 }, &f), 0);
                ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);
        }
}
END_TEST

START_TEST(test_refused_bind) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        EndpointSpec endpoint = { .mode = 0600 };
        Failure f = FAILURE_INIT;

        expect(b->ops->bind(b, "a", BUS_DRIVER_VHOST_VDPA, &f), &f, ENODEV, ERROR_DEVICE_NOT_FOUND);
        expect(b->ops->publish(b, "a", &endpoint, &f), &f, ENODEV, ERROR_DEVICE_NOT_FOUND);
        create_good(b, "a", CLASS_NET);
        expect(b->ops->publish(b, "a", &endpoint, &f), &f, ENOENT, ERROR_BACKEND_FAILED);
        expect(b->ops->bind(b, "a", BUS_DRIVER_NONE, &f), &f, EINVAL, ERROR_NOT_SUPPORTED);
        expect(b->ops->bind(b, "a", BUS_DRIVER_OTHER, &f), &f, EINVAL, ERROR_NOT_SUPPORTED);
        ck_assert_int_eq(observe(b, "a").driver, BUS_DRIVER_NONE);
}
END_TEST

START_TEST(test_rebind) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);

        create_good(b, "a", CLASS_NET);
        create_good(b, "b", CLASS_NET);
        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
        bind_good(b, "b", BUS_DRIVER_VHOST_VDPA);
        bind_good(b, "a", BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_str_eq(observe(b, "a").endpoint, "simeth0");
        ck_assert_str_eq(observe(b, "b").endpoint, "/dev/vhost-vdpa-1");
        bind_good(b, "b", BUS_DRIVER_VIRTIO_VDPA);
        bind_good(b, "b", BUS_DRIVER_VHOST_VDPA);
        ck_assert_str_eq(observe(b, "b").endpoint, "/dev/vhost-vdpa-0");
}
END_TEST

START_TEST(test_open_endpoint) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        Failure f = FAILURE_INIT;

        create_good(b, "a", CLASS_NET);
        create_good(b, "b", CLASS_NET);
        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
        bind_good(b, "b", BUS_DRIVER_VHOST_VDPA);
        set_open("a", true);

        expect(b->ops->destroy(b, "a", NULL, &f), &f, EBUSY, ERROR_IN_USE);
        expect(b->ops->bind(b, "a", BUS_DRIVER_VIRTIO_VDPA, &f), &f, EBUSY, ERROR_IN_USE);
        ck_assert_str_eq(observe(b, "a").endpoint, "/dev/vhost-vdpa-0");

        /* Nothing would be taken away from anyone. */
        set_open("no-such-device", true);
        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
        ck_assert_int_eq(b->ops->publish(b, "a", &(EndpointSpec){ .mode = 0600 }, &f), 0);
        ck_assert_int_eq(b->ops->destroy(b, "b", NULL, &f), 0);

        set_open("a", false);
        bind_good(b, "a", BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);
}
END_TEST

START_TEST(test_open_without_endpoint) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        Failure f = FAILURE_INIT;

        set_open("a", true);
        create_good(b, "a", CLASS_NET);
        ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);
        create_good(b, "a", CLASS_NET);
        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
        expect(b->ops->destroy(b, "a", NULL, &f), &f, EBUSY, ERROR_IN_USE);
}
END_TEST

START_TEST(test_set_mac) {
        _cleanup_(backend_freep) Backend *b = open_sim(&small_config);
        const uint8_t mac[6] = { 2, 3, 4, 5, 6, 7 };
        DeviceSpec spec = spec_of(CLASS_NET);
        Failure f = FAILURE_INIT;

        expect(b->ops->set_mac(b, "a", mac, &f), &f, ENODEV, ERROR_DEVICE_NOT_FOUND);
        create_good(b, "a", CLASS_NET);
        ck_assert_int_eq(b->ops->set_mac(b, "a", mac, &f), 0);
        ck_assert_mem_eq(observe(b, "a").net.mac, mac, 6);

        create_good(b, "b", CLASS_BLOCK);
        expect(b->ops->set_mac(b, "b", mac, &f), &f, EOPNOTSUPP, ERROR_NOT_SUPPORTED);

        spec.has_features = true;
        spec.features = FEATURE_VERSION_1;
        ck_assert_int_eq(create(b, "c", &spec, &f), 0);
        expect(b->ops->set_mac(b, "c", mac, &f), &f, EOPNOTSUPP, ERROR_NOT_SUPPORTED);
        ck_assert(!observe(b, "c").net.has_mac);
}
END_TEST

static void count(const char *name) {
        ModelDevice *d;
        Model *m;

        ck_assert_int_eq(model_open(unit_directory(), &m, NULL), 0);
        d = model_find_device(m, name);
        for (unsigned i = 0; i < _MODEL_VQ_MAX; i++)
                d->counters[i] = (ModelCounters){ .received = 10 + i, .completed = 5 + i };
        model_close(m);
}

START_TEST(test_stats) {
        Backend *b = open_sim(&small_config);
        _cleanup_free_ BackendStat *stats = NULL;
        DeviceSpec spec = spec_of(CLASS_NET);
        Failure f = FAILURE_INIT;
        size_t n;

        expect(b->ops->get_stats(b, "a", &stats, &n, &f), &f, ENODEV, ERROR_DEVICE_NOT_FOUND);
        create_good(b, "b", CLASS_BLOCK);
        expect(b->ops->get_stats(b, "b", &stats, &n, &f), &f, EOPNOTSUPP, ERROR_NOT_SUPPORTED);

        spec.net.max_vqp = 2;
        ck_assert_int_eq(create(b, "a", &spec, &f), 0);
        b->ops->free(b);
        count("a");
        b = open_sim(&small_config);

        ck_assert_int_eq(b->ops->get_stats(b, "a", &stats, &n, &f), 0);
        ck_assert_uint_eq(n, 2 * 5);
        for (uint32_t q = 0; q < 5; q++) {
                static const uint64_t received[] = { 10, 11, 0, 0, 12 }, completed[] = { 5, 6, 0, 0, 7 };

                ck_assert_uint_eq(stats[2 * q].queue, q);
                ck_assert_str_eq(stats[2 * q].name, "received_desc");
                ck_assert_uint_eq(stats[2 * q].value, received[q]);
                ck_assert_uint_eq(stats[2 * q + 1].queue, q);
                ck_assert_str_eq(stats[2 * q + 1].name, "completed_desc");
                ck_assert_uint_eq(stats[2 * q + 1].value, completed[q]);
        }
        b->ops->free(b);
}
END_TEST

START_TEST(test_outlives_the_daemon) {
        Backend *b = open_sim(&small_config);
        DeviceStatus before, after;

        create_good(b, "a", CLASS_NET);
        bind_good(b, "a", BUS_DRIVER_VHOST_VDPA);
        create_good(b, "b", CLASS_NET);
        bind_good(b, "b", BUS_DRIVER_VHOST_VDPA);
        before = observe(b, "b");
        b->ops->free(b);

        b = open_sim(&small_config);
        after = observe(b, "b");
        ck_assert_str_eq(before.endpoint, after.endpoint);
        ck_assert_mem_eq(before.net.mac, after.net.mac, 6);
        ck_assert(is_there(b, "a"));
        b->ops->free(b);
}
END_TEST

START_TEST(test_list_devices) {
        SimMgmtdev two[2] = { small, small };
        SimConfig config = { .mgmtdevs = two, .n_mgmtdevs = 2 };
        _cleanup_free_ BackendDevice *devices = NULL;
        _cleanup_(backend_freep) Backend *b = NULL;
        DeviceSpec spec = spec_of(CLASS_BLOCK);
        Failure f = FAILURE_INIT;
        size_t n;

        (void) snprintf(two[1].info.handle, sizeof two[1].info.handle, "vdpasim_blk");
        b = open_sim(&config);
        create_good(b, "a", CLASS_NET);
        create_good(b, "b", CLASS_NET);
        ck_assert_int_eq(b->ops->create(b, "c", "vdpasim_blk", &spec, &f), 0);
        expect(b->ops->create(b, "a", "vdpasim_blk", &spec, &f), &f, EEXIST, ERROR_FOREIGN_DEVICE);
        ck_assert_int_eq(b->ops->destroy(b, "a", NULL, &f), 0);

        ck_assert_int_eq(b->ops->list_devices(b, &devices, &n, &f), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(devices[0].name, "b");
        ck_assert_str_eq(devices[0].mgmtdev, small.info.handle);
        ck_assert_uint_eq(devices[0].class, CLASS_NET);
        ck_assert_str_eq(devices[1].name, "c");
        ck_assert_str_eq(devices[1].mgmtdev, "vdpasim_blk");
        ck_assert_uint_eq(devices[1].class, CLASS_BLOCK);
}
END_TEST

/* Its devices go with the management device that is pulled out, and do not come back with it. */
START_TEST(test_unplugged) {
        SimMgmtdev two[2] = { small, small };
        Backend *b;
        DeviceSpec spec = spec_of(CLASS_BLOCK);
        Failure f = FAILURE_INIT;

        (void) snprintf(two[0].info.handle, sizeof two[0].info.handle, "other");
        b = open_sim(&(SimConfig){ .mgmtdevs = two, .n_mgmtdevs = 2 });
        ck_assert_int_eq(b->ops->create(b, "a", "other", &spec, &f), 0);
        create_good(b, "b", CLASS_NET);
        b->ops->free(b);

        b = open_sim(&small_config);
        ck_assert(!is_there(b, "a"));
        ck_assert(is_there(b, "b"));
        b->ops->free(b);

        b = open_sim(&(SimConfig){ .mgmtdevs = two, .n_mgmtdevs = 2 });
        ck_assert(!is_there(b, "a"));
        ck_assert(is_on(b, "b", small.info.handle));
        b->ops->free(b);
}
END_TEST

static SimMgmtdev vf_of(const char *handle, const char *pf, int index) {
        SimMgmtdev m = small;

        m.info.transport = TRANSPORT_PCI_VF;
        (void) snprintf(m.info.handle, sizeof m.info.handle, "%s", handle);
        (void) snprintf(m.info.pci_pf, sizeof m.info.pci_pf, "%s", pf);
        m.info.vf_index = index;
        return m;
}

START_TEST(test_list_sriov) {
        const SimMgmtdev mgmtdevs[] = { small, vf_of("a", "0000:ff:00.0", 299), vf_of("b", "0000:01:00.0", 0),
                                        vf_of("c", "0000:01:00.0", 1), vf_of("d", "not an address", -1) };
        _cleanup_(backend_freep)
                Backend *b = open_sim(&(SimConfig){ .mgmtdevs = mgmtdevs, .n_mgmtdevs = ELEMENTSOF(mgmtdevs) });
        _cleanup_free_ BackendSriov *functions = NULL;
        Failure f = FAILURE_INIT;
        size_t n;

        ck_assert_int_eq(b->ops->list_sriov(b, &functions, &n, &f), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_str_eq(functions[0].pf, "0000:01:00.0");
        ck_assert(functions[0].simulated && functions[0].has_buses);
        ck_assert_uint_eq(functions[0].total_vfs, 2);
        ck_assert_uint_eq(functions[0].num_vfs, 2);
        ck_assert_uint_eq(functions[0].max_buses, 1);
        ck_assert_str_eq(functions[1].pf, "0000:ff:00.0");
        ck_assert_uint_eq(functions[1].total_vfs, 300);
        ck_assert_uint_eq(functions[1].num_vfs, 1);
        ck_assert_uint_eq(functions[1].n_lost_vfs, 45);
        ck_assert_uint_eq(functions[2].total_vfs, 1);
        ck_assert(!functions[2].has_buses);
}
END_TEST

START_TEST(test_unsupported_class_has_no_features) {
        SimMgmtdev m = small;
        _cleanup_free_ MgmtdevInfo *infos = NULL;
        _cleanup_(backend_freep) Backend *b = NULL;
        Failure f = FAILURE_INIT;
        size_t n;

        m.info.features[CLASS_MAX] = FEATURE_VERSION_1;
        b = open_sim(&(SimConfig){ .mgmtdevs = &m, .n_mgmtdevs = 1 });
        ck_assert_int_eq(b->ops->list_mgmtdevs(b, &infos, &n, &f), 0);
        ck_assert_uint_eq(infos[0].features[CLASS_MAX], 0);
        ck_assert_uint_eq(infos[0].features[CLASS_NET], NET_FEATURES);
        ck_assert_int_eq(infos[0].transport, TRANSPORT_PCI_PF);
        ck_assert_int_eq(infos[0].numa_node, 1);
        ck_assert(infos[0].simulated);
        ck_assert(infos[0].knows_accepts);
        ck_assert_uint_eq(infos[0].accepts, (1u << _ATTRIBUTE_MAX) - 1);
        ck_assert_uint_eq(infos[0].capacity[RESOURCE_ASIDS].total, UINT32_C(1) << 22);
        ck_assert_uint_eq(infos[0].capacity[RESOURCE_MSIS].total, IDS_MAX);
        ck_assert(!infos[0].capacity[RESOURCE_VQS].is_known);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_default_config);
        tcase_add_test(tcase, test_every_class);
        tcase_add_loop_test(tcase, test_impossible_configs, 0, ELEMENTSOF(impossible));
        tcase_add_test(tcase, test_too_many_mgmtdevs);
        tcase_add_test(tcase, test_no_mgmtdevs);
        tcase_add_test(tcase, test_no_runtime_dir);
        tcase_add_test(tcase, test_life_of_a_device);
        tcase_add_test(tcase, test_defaults_of_a_net_device);
        tcase_add_loop_test(tcase, test_refused_create, 0, ELEMENTSOF(refusals));
        tcase_add_test(tcase, test_reason_names_the_feature);
        tcase_add_test(tcase, test_class_with_too_many_vqs);
        tcase_add_test(tcase, test_full);
        tcase_add_test(tcase, test_endpoints);
        tcase_add_test(tcase, test_refused_bind);
        tcase_add_test(tcase, test_rebind);
        tcase_add_test(tcase, test_open_endpoint);
        tcase_add_test(tcase, test_open_without_endpoint);
        tcase_add_test(tcase, test_set_mac);
        tcase_add_test(tcase, test_stats);
        tcase_add_test(tcase, test_outlives_the_daemon);
        tcase_add_test(tcase, test_list_devices);
        tcase_add_test(tcase, test_unplugged);
        tcase_add_test(tcase, test_list_sriov);
        tcase_add_test(tcase, test_unsupported_class_has_no_features);
}

int main(void) {
        return unit_main("sim", add);
}
