/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A kill between any two instructions: a child works on the model one instruction at a time, and after each one
 * that changed the file, a copy of the file is opened, as a daemon would that starts after a kill at that point. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "sim/model-file.h"
#include "sim/model.h"
#include "test-sim.h"

/* As much of the file as these few devices touch. */
static const struct {
        uint64_t offset;
        size_t n;
} windows[] = {
        { 0, offsetof(ModelLayout, mgmtdevs[3]) },
        { offsetof(ModelLayout, devices), 8 * sizeof(ModelDevice) },
        { offsetof(ModelLayout, blocks), 8 * sizeof(ModelBlock) },
        { sizeof(ModelLayout), 1024 },
        { sizeof(ModelLayout) + MODEL_TABLE_SIZE, 1024 },
        { sizeof(ModelLayout) + MODEL_MGMTDEVS_MAX * (uint64_t) MODEL_TABLE_SIZE, 1024 },
        { sizeof(ModelLayout) + (MODEL_MGMTDEVS_MAX + 1) * (uint64_t) MODEL_TABLE_SIZE, 1024 },
};

typedef struct Snapshot {
        off_t size;
        uint8_t bytes[ELEMENTSOF(windows)][8 * sizeof(ModelBlock)];
} Snapshot;

typedef void (*work_t)(void);
typedef void (*inspect_t)(Model *m);

static char copy_dir[512], file_path[512], copy_path[600];

static const uint8_t first_mac[6] = { 2, 1, 1, 1, 1, 1 };
static const uint8_t second_mac[6] = { 2, 2, 2, 2, 2, 2 };

static void make_directories(void) {
        (void) snprintf(file_path, sizeof file_path, "%s/" MODEL_FILE_NAME, unit_directory());
        (void) snprintf(copy_dir, sizeof copy_dir, "%s/copy", unit_directory());
        (void) snprintf(copy_path, sizeof copy_path, "%s/" MODEL_FILE_NAME, copy_dir);
        ck_assert_int_eq(mkdir(copy_dir, 0700), 0);
}

/* Returns false if there is no file yet. */
static bool take_snapshot(Snapshot *ret) {
        _cleanup_close_ int fd = open(file_path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return false;

        ck_assert_int_eq(fstat(fd, &st), 0);
        memset(ret->bytes, 0, sizeof ret->bytes);
        for (size_t i = 0; i < ELEMENTSOF(windows); i++) {
                ck_assert_uint_le(windows[i].n, sizeof ret->bytes[i]);
                ck_assert_int_ge(pread(fd, ret->bytes[i], windows[i].n, (off_t) windows[i].offset), 0);
        }
        ret->size = st.st_size;
        return true;
}

static void inspect_snapshot(const Snapshot *s, inspect_t inspect, unsigned step) {
        _cleanup_close_ int fd = open(copy_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        Failure f = FAILURE_INIT;
        Model *m = NULL;

        ck_assert_int_ge(fd, 0);
        for (size_t i = 0; i < ELEMENTSOF(windows); i++)
                ck_assert_int_eq(pwrite(fd, s->bytes[i], windows[i].n, (off_t) windows[i].offset),
                                 (ssize_t) windows[i].n);
        ck_assert_int_eq(ftruncate(fd, s->size), 0);

        ck_assert_msg(model_open(copy_dir, &m, &f) == 0, "killed at step %u: %s", step, f.detail);
        inspect(m);
        model_close(m);
}

/* In the child: from here on it goes by single instructions. */
static void begin(void) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(77);
        (void) raise(SIGSTOP);
}

/* Returns 0 if it cannot be traced. */
static pid_t start(work_t work) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                work();
                _exit(0);
        }

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
                return 0;
        ck_assert(WIFSTOPPED(status));
        return pid;
}

/* Runs work() in a child and inspects each state of the file that a kill could leave; at least min of them. */
static void kill_everywhere(work_t work, inspect_t inspect, unsigned min) {
        _cleanup_free_ Snapshot *before = calloc(1, sizeof *before), *now = calloc(1, sizeof *now);
        unsigned n_states = 0, step;
        pid_t pid;
        int status = 0;

        ck_assert(before && now);
        pid = unit_is_slow() ? 0 : start(work);
        if (pid == 0) {
                printf("no ptrace() here: not tested\n");
                return;
        }

        before->size = -1;
        for (step = 0;; step++) {
                ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
                ck_assert_int_eq(waitpid(pid, &status, 0), pid);
                if (!WIFSTOPPED(status))
                        break;
                if (WSTOPSIG(status) != SIGTRAP)
                        ck_abort_msg("step %u: signal %d", step, WSTOPSIG(status));
                if (!take_snapshot(now) || memcmp(before, now, sizeof *now) == 0)
                        continue;

                inspect_snapshot(now, inspect, step);
                memcpy(before, now, sizeof *now);
                n_states++;
        }

        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        printf("%u instructions, %u states of the file\n", step, n_states);
        ck_assert_uint_ge(n_states, min);
}

static Model *open_model(void) {
        Model *m;

        if (model_open(unit_directory(), &m, NULL) < 0)
                _exit(1);
        return m;
}

static ModelDevice *create(Model *m, const char *handle, const char *name) {
        MgmtdevInfo info = test_hardware(handle);
        ModelDeviceSpec spec = {
                .class = CLASS_NET,
                .n_vq_groups = 5,
                .n_vqs = 13, /* with its list in a block */
                .features = FEATURE_NET_MAC | FEATURE_NET_MTU,
                .net = { .has_mac = true, .mtu = 4242, .max_vqp = 7 },
        };
        ModelDevice *d;

        memcpy(spec.net.mac, first_mac, sizeof first_mac);
        if (model_plug_mgmtdev(m, &info, &spec.mgmtdev) < 0 || model_create_device(m, name, &spec, &d) < 0)
                _exit(1);
        return d;
}

static void enable(Model *m, const ModelDevice *d, BusDriver driver) {
        if (test_enable(m, d, driver) < 0)
                _exit(1);
}

static void destroy(Model *m, const ModelDevice *d) {
        if (test_destroy(m, d) < 0)
                _exit(1);
}

/* Of opening a model, only this writes to the file. */
static void work_open(void) {
        ModelFile file;

        begin();
        if (model_file_open(&file, unit_directory(), NULL) < 0)
                _exit(1);
        model_file_close(&file);
}

static void inspect_open(Model *m) {
        ck_assert_uint_eq(model_count_all_devices(m), 0);
}

START_TEST(test_first_open) {
        kill_everywhere(work_open, inspect_open, 3);
}
END_TEST

/* Everything that happens to devices. "old" is there before, and nothing is done to it; of the others each is what
 * it was made as, and what was done to it happened entirely or not at all. */
static void work_on_devices(void) {
        Model *m = open_model();
        ModelDevice *d;

        begin();
        d = create(m, "sim0", "new");
        enable(m, d, BUS_DRIVER_VHOST_VDPA);
        model_set_endpoint(d, &(EndpointSpec){ .uid = 107, .gid = 108, .mode = 0660 });
        model_set_mac(d, second_mac);
        enable(m, d, BUS_DRIVER_VIRTIO_VDPA);
        (void) model_send_dma(m, model_device_ref(m, d), 4711, NULL); /* a fault */
        (void) model_send_dma(m, model_device_ref(m, d), 4712, NULL);
        destroy(m, d);

        (void) create(m, "sim1", "newer");
        enable(m, model_find_device(m, "newer"), BUS_DRIVER_VHOST_VDPA);
        (void) create(m, "sim1", "newest");
        model_unplug_mgmtdev(m, 1);
}

static void inspect_device(Model *m, const ModelDevice *d) {
        ModelBinding binding = atomic_load(&d->binding);
        ModelOwner owner = atomic_load(&d->owner);
        ModelMac mac = atomic_load(&d->mac);

        ck_assert_uint_eq(d->class, CLASS_NET);
        ck_assert_uint_eq(d->features, FEATURE_NET_MAC | FEATURE_NET_MTU);
        ck_assert_uint_eq(d->mtu, 4242);
        ck_assert_uint_eq(d->max_vqp, 7);
        ck_assert_uint_eq(d->n_vq_groups, 5);
        ck_assert_uint_eq(d->n_vqs, 13);
        ck_assert(memcmp(mac.address, first_mac, 6) == 0 || memcmp(mac.address, second_mac, 6) == 0);
        ck_assert_uint_eq(mac.present, 1);
        ck_assert_ptr_nonnull(model_mgmtdev_handle(m, d->mgmtdev));

        /* "old" has the first of vhost_vdpa's numbers. */
        ck_assert_uint_eq(binding.number,
                          binding.driver == BUS_DRIVER_VHOST_VDPA && model_find_device(m, "old") ? 1 : 0);

        /* The wider mode never without its owner. */
        ck_assert(owner.uid == 0 || owner.uid == 107);
        ck_assert_uint_eq(owner.gid, owner.uid == 0 ? 0 : 108);
        if (binding.mode == 0660) {
                ck_assert_uint_eq(owner.uid, 107);
                ck_assert_uint_eq(binding.driver, BUS_DRIVER_VHOST_VDPA);
        }
}

static void inspect_devices(Model *m) {
        MgmtdevInfo info = test_hardware("sim0");
        char last_fault[MODEL_FAULT_MAX];
        uint64_t n_faults;
        unsigned mgmtdev;
        ModelDevice *d;

        d = model_find_device(m, "old");
        if (d) {
                ck_assert_int_eq(model_device_driver(d), BUS_DRIVER_VHOST_VDPA);
                ck_assert_str_eq(model_mgmtdev_handle(m, d->mgmtdev), "sim0");
        }

        for (d = model_next_device(m, NULL); d; d = model_next_device(m, d))
                if (strcmp(d->name, "old") != 0)
                        inspect_device(m, d);

        /* It can be worked with: what a kill has left half done is gone on with. */
        d = model_find_device(m, "new");
        if (!d)
                d = create(m, "sim0", "new");
        ck_assert_int_eq(model_plug_mgmtdev(m, &info, &mgmtdev), 0);
        ck_assert_int_eq(test_enable(m, d, BUS_DRIVER_VHOST_VDPA), 0);
        n_faults = model_mgmtdev_counts(m, mgmtdev).n_faults;
        (void) snprintf(last_fault, sizeof last_fault, "%s", model_mgmtdev_counts(m, mgmtdev).last_fault);
        ck_assert_uint_le(n_faults, 2);
        if (n_faults > 0)
                ck_assert_ptr_nonnull(strstr(last_fault, n_faults == 1 ? "4711" : "4712"));
        ck_assert_int_eq(test_destroy(m, d), 0);
        ck_assert_ptr_null(model_find_device(m, "new"));
}

START_TEST(test_first_devices) {
        kill_everywhere(work_on_devices, inspect_devices, 30);
}
END_TEST

START_TEST(test_more_devices) {
        Model *m = open_model();

        enable(m, create(m, "sim0", "old"), BUS_DRIVER_VHOST_VDPA);
        model_close(m);

        kill_everywhere(work_on_devices, inspect_devices, 30);
        m = open_model();
        ck_assert_uint_eq(model_count_all_devices(m), 1);
        ck_assert_ptr_nonnull(model_find_device(m, "old"));
        model_close(m);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, make_directories, NULL);
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, test_first_open);
        tcase_add_test(tcase, test_first_devices);
        tcase_add_test(tcase, test_more_devices);
}

int main(void) {
        return unit_main("sim-crash", add);
}
