/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "sim/model-file.h"
#include "sim/model.h"
#include "test-sim.h"

#define NET_FEATURES (FEATURE_NET_MAC | FEATURE_NET_MTU | FEATURE_NET_MQ | FEATURE_VERSION_1)

static const uint8_t a_mac[6] = { 0x02, 0, 0, 0, 0, 0x2a };

static Model *open_model(void) {
        Failure f = FAILURE_INIT;
        Model *m = NULL;

        ck_assert_msg(model_open(unit_directory(), &m, &f) == 0, "%s", f.detail);
        return m;
}

static void refuse_model(int error) {
        Failure f = FAILURE_INIT;
        Model *m = NULL;

        ck_assert_int_eq(model_open(unit_directory(), &m, &f), -error);
        ck_assert_ptr_null(m);
        ck_assert_int_eq(f.code, ERROR_BACKEND_UNAVAILABLE);
        ck_assert_int_eq(f.error, error);
        ck_assert_ptr_nonnull(strstr(f.detail, unit_directory()));
}

static ModelDeviceSpec net_spec(unsigned mgmtdev) {
        ModelDeviceSpec spec = {
                .mgmtdev = mgmtdev,
                .class = CLASS_NET,
                .features = NET_FEATURES,
                .n_vq_groups = 2,
                .n_vqs = 9,
                .net = { .has_mac = true, .mtu = 9000, .max_vqp = 4 },
        };

        memcpy(spec.net.mac, a_mac, sizeof a_mac);
        return spec;
}

static unsigned plug(Model *m, const char *handle) {
        MgmtdevInfo info = test_hardware(handle);
        unsigned mgmtdev;

        ck_assert_int_eq(model_plug_mgmtdev(m, &info, &mgmtdev), 0);
        return mgmtdev;
}

static ModelDevice *create(Model *m, const char *name) {
        ModelDeviceSpec spec = net_spec(plug(m, "sim0"));
        ModelDevice *d = NULL;

        ck_assert_int_eq(model_create_device(m, name, &spec, &d), 0);
        ck_assert_ptr_eq(model_find_device(m, name), d);
        return d;
}

static void enable(Model *m, ModelDevice *d, BusDriver driver) {
        ck_assert_int_eq(test_enable(m, d, driver), 0);
}

static void destroy(Model *m, ModelDevice *d) {
        ck_assert_int_eq(test_destroy(m, d), 0);
}

static uint32_t number_of(const ModelDevice *d) {
        ModelBinding binding = atomic_load(&d->binding);

        return binding.number;
}

START_TEST(test_empty) {
        _cleanup_(model_closep) Model *m = open_model();
        _cleanup_free_ char *path = NULL;
        struct stat st;

        ck_assert_uint_eq(model_count_all_devices(m), 0);
        ck_assert_ptr_null(model_next_device(m, NULL));
        ck_assert_ptr_null(model_find_device(m, "a"));
        ck_assert_ptr_null(model_mgmtdev_handle(m, 0));
        ck_assert_ptr_null(model_mgmtdev_handle(m, MODEL_MGMTDEVS_MAX));

        ck_assert_int_gt(asprintf(&path, "%s/" MODEL_FILE_NAME, unit_directory()), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
        ck_assert_int_eq(st.st_size, (off_t) MODEL_FILE_SIZE);
        ck_assert_msg(st.st_blocks * 512 < 65536, "an empty model takes %jd blocks", (intmax_t) st.st_blocks);
}
END_TEST

START_TEST(test_device) {
        _cleanup_(model_closep) Model *m = open_model();
        ModelDevice *d = create(m, "a");
        ModelBinding binding = atomic_load(&d->binding);
        ModelMac mac = atomic_load(&d->mac);

        ck_assert_str_eq(d->name, "a");
        ck_assert_uint_eq(d->class, CLASS_NET);
        ck_assert_uint_eq(d->features, NET_FEATURES);
        ck_assert_uint_eq(d->mtu, 9000);
        ck_assert_uint_eq(d->max_vqp, 4);
        ck_assert_uint_eq(mac.present, 1);
        ck_assert_mem_eq(mac.address, a_mac, 6);
        ck_assert_uint_eq(binding.driver, BUS_DRIVER_NONE);
        ck_assert_uint_eq(model_count_all_devices(m), 1);
        ck_assert_uint_eq(model_count_devices(m, d->mgmtdev), 1);
        ck_assert_uint_eq(model_count_devices(m, MODEL_MGMTDEVS_MAX), 0);
        ck_assert_ptr_eq(model_next_device(m, NULL), d);
        ck_assert_ptr_null(model_next_device(m, d));

        destroy(m, d);
        ck_assert_ptr_null(model_find_device(m, "a"));
        ck_assert_ptr_null(model_next_device(m, NULL));
        ck_assert_uint_eq(model_count_all_devices(m), 0);
}
END_TEST

START_TEST(test_own_mac) {
        _cleanup_(model_closep) Model *m = open_model();
        ModelDeviceSpec spec = net_spec(plug(m, "sim0"));
        ModelDevice *d;
        ModelMac a, b;

        spec.net.has_mac = false;
        ck_assert_int_eq(model_create_device(m, "a", &spec, &d), 0);
        a = atomic_load(&d->mac);
        ck_assert_int_eq(model_create_device(m, "b", &spec, &d), 0);
        b = atomic_load(&d->mac);
        ck_assert(a.present && b.present);
        ck_assert_mem_ne(a.address, b.address, 6);
        ck_assert_uint_eq(a.address[0] & 3, 2); /* local, not a group */

        spec.features = FEATURE_VERSION_1;
        ck_assert_int_eq(model_create_device(m, "c", &spec, &d), 0);
        a = atomic_load(&d->mac);
        ck_assert(!a.present);
}
END_TEST

START_TEST(test_endpoint_numbers) {
        _cleanup_(model_closep) Model *m = open_model();
        ModelDevice *a = create(m, "a"), *b = create(m, "b"), *c = create(m, "c");

        enable(m, c, BUS_DRIVER_VHOST_VDPA);
        enable(m, b, BUS_DRIVER_VHOST_VDPA);
        enable(m, a, BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_uint_eq(number_of(c), 0);
        ck_assert_uint_eq(number_of(b), 1);
        ck_assert_uint_eq(number_of(a), 0);

        /* Bound already: it keeps its number. */
        enable(m, b, BUS_DRIVER_VHOST_VDPA);
        ck_assert_uint_eq(number_of(b), 1);

        enable(m, c, BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_int_eq(model_device_driver(c), BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_uint_eq(number_of(c), 1);
        destroy(m, a);
        enable(m, create(m, "d"), BUS_DRIVER_VHOST_VDPA);
        ck_assert_uint_eq(number_of(model_find_device(m, "d")), 0);
        enable(m, create(m, "e"), BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_uint_eq(number_of(model_find_device(m, "e")), 0);
}
END_TEST

START_TEST(test_endpoint_owner) {
        _cleanup_(model_closep) Model *m = open_model();
        ModelDevice *d = create(m, "a");
        ModelBinding binding;
        ModelOwner owner;

        enable(m, d, BUS_DRIVER_VHOST_VDPA);
        binding = atomic_load(&d->binding);
        owner = atomic_load(&d->owner);
        ck_assert_uint_eq(binding.mode, 0600);
        ck_assert_uint_eq(owner.uid, 0);

        model_set_endpoint(d, &(EndpointSpec){ .uid = 107, .gid = 108, .mode = 0660 });
        binding = atomic_load(&d->binding);
        owner = atomic_load(&d->owner);
        ck_assert_uint_eq(binding.mode, 0660);
        ck_assert_uint_eq(binding.driver, BUS_DRIVER_VHOST_VDPA);
        ck_assert_uint_eq(owner.uid, 107);
        ck_assert_uint_eq(owner.gid, 108);

        /* Another endpoint is root's again. */
        enable(m, d, BUS_DRIVER_VIRTIO_VDPA);
        enable(m, d, BUS_DRIVER_VHOST_VDPA);
        binding = atomic_load(&d->binding);
        owner = atomic_load(&d->owner);
        ck_assert_uint_eq(binding.mode, 0600);
        ck_assert_uint_eq(owner.uid, 0);
        ck_assert_uint_eq(owner.gid, 0);
}
END_TEST

START_TEST(test_outlives_its_user) {
        Model *m = open_model();
        ModelDevice *d;
        ModelDevice before;
        uint32_t next;

        (void) create(m, "a");
        d = create(m, "b");
        (void) create(m, "c");
        enable(m, model_find_device(m, "c"), BUS_DRIVER_VHOST_VDPA);
        enable(m, d, BUS_DRIVER_VHOST_VDPA);
        model_set_endpoint(d, &(EndpointSpec){ .uid = 1, .gid = 2, .mode = 0640 });
        model_set_mac(d, (const uint8_t[]){ 2, 3, 4, 5, 6, 7 });
        d->counters[MODEL_VQ_RECEIVE].received = 11;
        destroy(m, model_find_device(m, "a"));
        memcpy(&before, d, sizeof before);
        model_close(m);

        m = open_model();
        ck_assert_uint_eq(model_count_all_devices(m), 2);
        ck_assert_ptr_null(model_find_device(m, "a"));
        d = model_find_device(m, "b");
        ck_assert_mem_eq(d, &before, sizeof before);
        ck_assert_uint_eq(model_count_devices(m, d->mgmtdev), 2);

        /* What was free is free, what was taken is taken. */
        d = create(m, "d");
        ck_assert_ptr_eq(model_next_device(m, NULL), d);
        enable(m, d, BUS_DRIVER_VHOST_VDPA);
        next = number_of(d);
        ck_assert_uint_eq(next, 2);
        model_close(m);
}
END_TEST

START_TEST(test_slot_is_cleared) {
        _cleanup_(model_closep) Model *m = open_model();
        ModelDevice *d = create(m, "a-long-name"), *e;
        ModelDeviceSpec spec = { .mgmtdev = d->mgmtdev, .class = CLASS_BLOCK, .n_vq_groups = 1, .n_vqs = 1 };
        ModelMac mac;

        enable(m, d, BUS_DRIVER_VHOST_VDPA);
        d->counters[MODEL_VQ_CONTROL].completed = 5;
        destroy(m, d);

        ck_assert_int_eq(model_create_device(m, "b", &spec, &e), 0);
        ck_assert_ptr_eq(d, e);
        mac = atomic_load(&e->mac);
        ck_assert(!mac.present);
        ck_assert_int_eq(model_device_driver(e), BUS_DRIVER_NONE);
        ck_assert_uint_eq(e->counters[MODEL_VQ_CONTROL].completed, 0);
        ck_assert_uint_eq(e->mtu, 0);
        ck_assert_uint_eq(e->max_vqp, 0);
        for (size_t i = 1; i < sizeof e->name; i++)
                ck_assert_int_eq(e->name[i], 0);
}
END_TEST

START_TEST(test_mgmtdevs) {
        Model *m = open_model();
        MgmtdevInfo info = test_hardware("one-more");
        char handle[HANDLE_MAX];
        unsigned index;

        ck_assert_uint_eq(plug(m, "pci/0000:01:00.0"), 0);
        ck_assert_uint_eq(plug(m, "sim0"), 1);
        ck_assert_uint_eq(plug(m, "pci/0000:01:00.0"), 0);
        (void) create(m, "a");
        (void) create(m, "b");
        model_close(m);

        m = open_model();
        ck_assert_str_eq(model_mgmtdev_handle(m, 0), "pci/0000:01:00.0");
        ck_assert_str_eq(model_mgmtdev_handle(m, 1), "sim0");
        model_unplug_mgmtdev(m, 0);
        ck_assert_ptr_null(model_mgmtdev_handle(m, 0));
        ck_assert_uint_eq(model_count_devices(m, 1), 2);
        model_unplug_mgmtdev(m, 1);
        ck_assert_uint_eq(model_count_all_devices(m), 0);
        ck_assert_ptr_null(model_find_device(m, "a"));

        for (unsigned i = 0; i < MODEL_MGMTDEVS_MAX; i++) {
                (void) snprintf(handle, sizeof handle, "m%u", i);
                ck_assert_uint_eq(plug(m, handle), i);
        }
        ck_assert_int_eq(model_plug_mgmtdev(m, &info, &index), -ENOSPC);
        model_unplug_mgmtdev(m, 7);
        ck_assert_uint_eq(plug(m, "one-more"), 7);
        model_close(m);
}
END_TEST

START_TEST(test_one_process_at_a_time) {
        Model *m = open_model();

        refuse_model(EBUSY);
        model_close(m);
        model_close(open_model());
}
END_TEST

START_TEST(test_no_directory) {
        Failure f = FAILURE_INIT;
        Model *m = NULL;

        ck_assert_int_eq(model_open("/nowhere/at/all", &m, &f), -ENOENT);
        ck_assert_int_eq(f.code, ERROR_BACKEND_UNAVAILABLE);
}
END_TEST

static int open_file(int flags) {
        _cleanup_free_ char *path = NULL;
        int fd;

        ck_assert_int_gt(asprintf(&path, "%s/" MODEL_FILE_NAME, unit_directory()), 0);
        fd = open(path, flags | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        return fd;
}

/* A model with two devices: net "a" in slot 0, bound; block "b" in slot 1, bound. */
static void make_two(void) {
        Model *m = open_model();
        ModelDevice *a = create(m, "a"), *b;
        ModelDeviceSpec spec = { .mgmtdev = a->mgmtdev, .class = CLASS_BLOCK, .n_vq_groups = 1, .n_vqs = 1 };

        ck_assert_int_eq(model_create_device(m, "b", &spec, &b), 0);
        enable(m, a, BUS_DRIVER_VHOST_VDPA);
        enable(m, b, BUS_DRIVER_VHOST_VDPA);
        model_close(m);
}

START_TEST(test_sizes_of_the_file) {
        static const struct {
                off_t size;
                int error;
        } cases[] = {
                { 0, 0 }, /* as if it had been removed */
                { 1, EUCLEAN },
                { sizeof(ModelHeader) - 1, EUCLEAN },
                { sizeof(ModelHeader), EUCLEAN },
                { sizeof(ModelHeader) + 1, EUCLEAN },
                { 4096, EUCLEAN },
                { (off_t) MODEL_FILE_SIZE / 2, EUCLEAN },
                { (off_t) MODEL_FILE_SIZE - 1, EUCLEAN },
                { (off_t) MODEL_FILE_SIZE + 1, EUCLEAN },
                { (off_t) MODEL_FILE_SIZE, 0 },
        };
        _cleanup_close_ int fd = -1;
        Model *m;

        make_two();
        fd = open_file(O_RDWR);
        ck_assert_int_eq(ftruncate(fd, cases[_i].size), 0);
        if (cases[_i].error) {
                refuse_model(cases[_i].error);
                return;
        }

        m = open_model();
        ck_assert_uint_eq(model_count_all_devices(m), cases[_i].size == 0 ? 0 : 2);
        model_close(m);
}
END_TEST

/* A kill may have come before the file had its size. */
START_TEST(test_half_made_file) {
        _cleanup_close_ int fd = -1;
        Model *m = open_model();

        model_close(m);
        fd = open_file(O_RDWR);
        ck_assert_int_eq(ftruncate(fd, sizeof(ModelHeader)), 0);

        m = open_model();
        (void) create(m, "a");
        model_close(m);
}
END_TEST

START_TEST(test_not_a_file) {
        _cleanup_free_ char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "%s/" MODEL_FILE_NAME, unit_directory()), 0);

        ck_assert_int_eq(mkdir(path, 0700), 0);
        refuse_model(EISDIR);
        ck_assert_int_eq(rmdir(path), 0);

        ck_assert_int_eq(mkfifo(path, 0600), 0);
        refuse_model(EUCLEAN);
        ck_assert_int_eq(unlink(path), 0);

        ck_assert_int_eq(symlink("/dev/null", path), 0);
        refuse_model(ELOOP);
}
END_TEST

#define HEADER(field)     offsetof(ModelLayout, header.field)
#define MGMTDEV(i, field) (offsetof(ModelLayout, mgmtdevs[i]) + offsetof(ModelMgmtdev, field))
#define DEVICE(i, field)  (offsetof(ModelLayout, devices[i]) + offsetof(ModelDevice, field))
#define TABLE(i)          (sizeof(ModelLayout) + (i) * (uint64_t) MODEL_TABLE_SIZE)
#define BYTES(...)                                                                                                 \
        (const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]) {                                                \
                __VA_ARGS__                                                                                        \
        }

/* Bytes that are written over those of make_two(), and the error that the model is refused with. */
static const struct {
        uint64_t offset;
        const uint8_t *bytes;
        size_t n;
        int error;
} damages[] = {
        { HEADER(magic), BYTES('x'), EUCLEAN },
        { HEADER(layout_version), BYTES(3, 0, 0, 0), EPROTONOSUPPORT },
        { HEADER(layout_version), BYTES(0, 0, 0, 0), EPROTONOSUPPORT },
        { HEADER(n_mgmtdevs), BYTES(0), EUCLEAN },
        { HEADER(n_devices), BYTES(1), EUCLEAN },
        { HEADER(device_size), BYTES(1), EUCLEAN },
        { HEADER(high_water), BYTES(1, 0, 0x10, 0), EUCLEAN },
        { HEADER(high_water), BYTES(0xff, 0xff, 0xff, 0xff), EUCLEAN },
        { MGMTDEV(0, state), BYTES(0, 0, 0, 0), EUCLEAN }, /* its devices are on nothing */
        { MGMTDEV(0, state), BYTES(1), EUCLEAN },
        { MGMTDEV(5, state), BYTES('E', 'V', 'I', 'L'), EUCLEAN }, /* no handle */
        { MGMTDEV(0, handle), BYTES('.', '.'), EUCLEAN },
        { DEVICE(0, state), BYTES(1, 0, 0, 0), EUCLEAN },
        { DEVICE(1, state), BYTES(0xff), EUCLEAN },
        { DEVICE(0, mgmtdev), BYTES(1, 0), EUCLEAN },
        { DEVICE(0, mgmtdev), BYTES(0xff, 0xff), EUCLEAN },
        { DEVICE(1, class), BYTES(0, 0), EUCLEAN },
        { DEVICE(1, class), BYTES(64, 0), EUCLEAN },
        { DEVICE(1, class), BYTES(1, 0), EUCLEAN }, /* net, and no virtqueues */
        { DEVICE(0, class), BYTES(2, 0), EUCLEAN }, /* block, and an MTU */
        { DEVICE(0, mac) + offsetof(ModelMac, present), BYTES(2), EUCLEAN },
        { DEVICE(0, binding) + offsetof(ModelBinding, driver), BYTES(BUS_DRIVER_OTHER), EUCLEAN },
        { DEVICE(0, binding) + offsetof(ModelBinding, driver), BYTES(_BUS_DRIVER_MAX), EUCLEAN },
        { DEVICE(0, binding) + offsetof(ModelBinding, driver), BYTES(0xff), EUCLEAN },
        { DEVICE(0, binding) + offsetof(ModelBinding, mode), BYTES(0, 0x10), EUCLEAN },
        { DEVICE(0, binding) + offsetof(ModelBinding, number), BYTES(1), EUCLEAN }, /* b's */
        { DEVICE(0, binding) + offsetof(ModelBinding, number), BYTES(0, 0, 0x10, 0), EUCLEAN },
        { DEVICE(0, mtu), BYTES(67, 0), EUCLEAN },
        { DEVICE(0, max_vqp), BYTES(0, 0), EUCLEAN },
        { HEADER(n_blocks), BYTES(1), EUCLEAN },
        { MGMTDEV(0, asid_kind), BYTES(2), EUCLEAN },
        { MGMTDEV(0, space), BYTES(64), EUCLEAN },
        { MGMTDEV(0, n_asids), BYTES(0, 0, 0, 0), EUCLEAN },
        { MGMTDEV(0, n_msis), BYTES(0xff, 0xff, 0xff, 0xff), EUCLEAN },
        { MGMTDEV(0, n_asids), BYTES(1, 0, 0, 0), EUCLEAN }, /* devices have higher ones */
        { MGMTDEV(0, n_msis), BYTES(1, 0, 0, 0), EUCLEAN },
        { MGMTDEV(0, fault), BYTES('\n'), EUCLEAN },
        { DEVICE(0, generation), BYTES(7), EUCLEAN }, /* what it holds is another's */
        { DEVICE(0, n_vq_groups), BYTES(0), EUCLEAN },
        { DEVICE(0, n_vq_groups), BYTES(65), EUCLEAN },
        { DEVICE(0, n_vq_groups), BYTES(30), EUCLEAN }, /* its list is elsewhere then */
        { DEVICE(0, map), BYTES(0), EUCLEAN },          /* nothing, and it is enabled */
        { DEVICE(0, n_vqs), BYTES(0, 0), EUCLEAN },
        { DEVICE(0, n_vqs), BYTES(1, 4), EUCLEAN },
        { DEVICE(0, map), BYTES(2), EUCLEAN },          /* another group's */
        { DEVICE(0, map), BYTES(17), EUCLEAN },         /* b's */
        { DEVICE(0, map), BYTES(0, 0, 0, 2), EUCLEAN }, /* above all */
        { TABLE(0) + 4, BYTES(1), EUCLEAN },            /* b holds it */
        { TABLE(0) + 7, BYTES(0), EUCLEAN },            /* nobody does */
        { TABLE(MODEL_MGMTDEVS_MAX) + 7, BYTES(0), EUCLEAN },
        { DEVICE(0, name), BYTES(0), EUCLEAN },
        { DEVICE(0, name), BYTES('b'), EUCLEAN }, /* twice */
        { DEVICE(0, name), BYTES('.', '.', '/', 'x'), EUCLEAN },
        { DEVICE(0, name), BYTES(0xff, 0xfe), EUCLEAN },
        { DEVICE(0, name),
          BYTES('a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a',
                'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a',
                'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a',
                'a', 'a', 'a', 'a'),
          EUCLEAN }, /* no end */
};

START_TEST(test_damage) {
        _cleanup_close_ int fd = -1;
        uint8_t good[sizeof((ModelDevice *) 0)->name];
        Model *m;

        make_two();
        fd = open_file(O_RDWR);
        ck_assert_uint_le(damages[_i].n, sizeof good);
        ck_assert_int_eq(pread(fd, good, damages[_i].n, (off_t) damages[_i].offset), (ssize_t) damages[_i].n);
        ck_assert_int_eq(pwrite(fd, damages[_i].bytes, damages[_i].n, (off_t) damages[_i].offset),
                         (ssize_t) damages[_i].n);
        refuse_model(damages[_i].error);

        /* It was this that was refused, and refusing changed nothing. */
        ck_assert_int_eq(pwrite(fd, good, damages[_i].n, (off_t) damages[_i].offset), (ssize_t) damages[_i].n);
        m = open_model();
        ck_assert_uint_eq(model_count_all_devices(m), 2);
        model_close(m);
}
END_TEST

/* Any byte may be anything: the model is refused, or all of it can be used. */
START_TEST(test_any_damage) {
        enum { N = offsetof(ModelLayout, devices[3]) };
        _cleanup_free_ uint8_t *good = malloc(N);
        _cleanup_close_ int fd = -1;
        unsigned n_rounds = unit_is_slow() ? 20 : 500, n_refused = 0;
        uint32_t x = 1;

        ck_assert_ptr_nonnull(good);
        make_two();
        fd = open_file(O_RDWR);
        ck_assert_int_eq(pread(fd, good, N, 0), N);

        for (unsigned round = 0; round < n_rounds; round++) {
                Failure f = FAILURE_INIT;
                Model *m = NULL;
                uint8_t value;
                off_t offset;
                int r;

                x = x * 1664525 + 1013904223;
                value = (uint8_t) (x >> 24);
                /* The header, the first management device, the slots. */
                offset = (x >> 12) % 3 == 0 ? (off_t) ((x >> 4) % 600)
                                            : (off_t) (DEVICE(0, state) + (x >> 4) % (2 * sizeof(ModelDevice)));
                ck_assert_int_eq(pwrite(fd, &value, 1, offset), 1);

                r = model_open(unit_directory(), &m, &f);
                if (r < 0) {
                        ck_assert(r == -EUCLEAN || r == -EPROTONOSUPPORT);
                        n_refused++;
                } else {
                        (void) plug(m, "sim0");
                        for (ModelDevice *d = model_next_device(m, NULL); d; d = model_next_device(m, NULL)) {
                                (void) test_enable(m, d, BUS_DRIVER_VIRTIO_VDPA);
                                destroy(m, d);
                        }
                        ck_assert_uint_eq(model_count_all_devices(m), 0);
                        model_close(m);
                }
                ck_assert_int_eq(pwrite(fd, good, N, 0), N);
        }
        ck_assert_uint_gt(n_refused, 0);
}
END_TEST

/* Killed while it works: what it had said to be done is there, and all is in order. */
START_TEST(test_killed_at_work) {
        unsigned n_seen = 0, wanted = 1 + 97 * (unsigned) _i;
        int pipe_fd[2], status;
        Model *m;
        pid_t pid;

        ck_assert_int_eq(pipe(pipe_fd), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                char name[DEVICE_NAME_MAX];

                m = open_model();
                for (unsigned i = 0;; i++) {
                        (void) snprintf(name, sizeof name, "d%u", i);
                        enable(m, create(m, name), BUS_DRIVER_VHOST_VDPA);
                        if (write(pipe_fd[1], &i, sizeof i) != sizeof i)
                                _exit(1);
                        destroy(m, create(m, "passing"));
                }
        }

        for (unsigned i; n_seen < wanted && read(pipe_fd[0], &i, sizeof i) == sizeof i; n_seen++)
                ck_assert_uint_eq(i, n_seen);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        close(pipe_fd[0]);
        close(pipe_fd[1]);

        m = open_model();
        ck_assert_uint_ge(model_count_all_devices(m), n_seen);
        for (unsigned i = 0; i < n_seen; i++) {
                char name[DEVICE_NAME_MAX];
                ModelDevice *d;

                (void) snprintf(name, sizeof name, "d%u", i);
                d = model_find_device(m, name);
                ck_assert_ptr_nonnull(d);
                ck_assert_int_eq(model_device_driver(d), BUS_DRIVER_VHOST_VDPA);
                ck_assert_uint_eq(number_of(d), i);
        }
        model_close(m);
}
END_TEST

/* In time of the processor, which others who want it do not change much. */
static void report(const char *what, clock_t start, uint32_t n) {
        printf("%s: %u devices, %.0f ns each\n", what, n,
               (double) (clock() - start) / (double) CLOCKS_PER_SEC * 1e9 / (double) n);
}

/* Multiplying by an odd number takes every number below a power of two to another one: names that come in no order,
 * each once. */
static void mixed_name(uint32_t i, char ret[DEVICE_NAME_MAX]) {
        (void) snprintf(ret, DEVICE_NAME_MAX, "vm%u-net0", i * 2654435761u % MODEL_DEVICES_MAX);
}

START_TEST(test_all_devices) {
        uint32_t n = unit_is_slow() ? 10000 : MODEL_DEVICES_MAX;
        char name[DEVICE_NAME_MAX];
        Model *m = open_model();
        ModelDeviceSpec spec = net_spec(plug(m, "sim0"));
        ModelDevice *d;
        clock_t start;

        start = clock();
        for (uint32_t i = 0; i < n; i++) {
                mixed_name(i, name);
                if (model_create_device(m, name, &spec, &d) < 0)
                        ck_abort_msg("device %u", i);
                enable(m, d, BUS_DRIVER_VHOST_VDPA);
        }
        report("create and bind", start, n);
        ck_assert_uint_eq(model_count_all_devices(m), n);
        if (n == MODEL_DEVICES_MAX)
                ck_assert_int_eq(model_create_device(m, "one-more", &spec, &d), -ENOSPC);
        model_close(m);

        start = clock();
        m = open_model();
        report("open", start, n);
        ck_assert_uint_eq(model_count_all_devices(m), n);

        start = clock();
        for (uint32_t i = 0; i < n; i++) {
                mixed_name(n - 1 - i, name);
                d = model_find_device(m, name);
                if (!d)
                        ck_abort_msg("%s is gone", name);
                destroy(m, d);
        }
        report("find and destroy", start, n);
        ck_assert_uint_eq(model_count_all_devices(m), 0);
        (void) create(m, "again");
        model_close(m);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_empty);
        tcase_add_test(tcase, test_device);
        tcase_add_test(tcase, test_own_mac);
        tcase_add_test(tcase, test_endpoint_numbers);
        tcase_add_test(tcase, test_endpoint_owner);
        tcase_add_test(tcase, test_outlives_its_user);
        tcase_add_test(tcase, test_slot_is_cleared);
        tcase_add_test(tcase, test_mgmtdevs);
        tcase_add_test(tcase, test_one_process_at_a_time);
        tcase_add_test(tcase, test_no_directory);
        tcase_add_loop_test(tcase, test_sizes_of_the_file, 0, 10);
        tcase_add_test(tcase, test_half_made_file);
        tcase_add_test(tcase, test_not_a_file);
        tcase_add_loop_test(tcase, test_damage, 0, ELEMENTSOF(damages));
        tcase_add_test(tcase, test_any_damage);
        tcase_add_loop_test(tcase, test_killed_at_work, 0, 8);
        tcase_add_test(tcase, test_all_devices);
}

int main(void) {
        return unit_main("sim-model", add);
}
