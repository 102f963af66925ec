/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The simulated hardware's shared memory, damaged anywhere: the daemon says so, or goes on. The input says what is
 * changed in a good file, and where: most of that is a hole. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "sim/model-file.h"
#include "sim/sim.h"
#include "util/log.h"

#define TABLE(number) (sizeof(ModelLayout) + (number) *MODEL_TABLE_SIZE)

/* The parts of the file that are in use, and what was in them. */
static struct {
        uint64_t offset;
        size_t size;
        uint8_t *good;
} parts[] = {
        { .offset = 0, .size = offsetof(ModelLayout, mgmtdevs) + 3 * sizeof(ModelMgmtdev) },
        { .offset = offsetof(ModelLayout, devices), .size = 8 * sizeof(ModelDevice) },
        { .offset = offsetof(ModelLayout, blocks), .size = 2 * sizeof(ModelBlock) },
        { .offset = TABLE(0), .size = 512 },
        { .offset = TABLE(1), .size = 512 },
        { .offset = TABLE(MODEL_MGMTDEVS_MAX), .size = 512 },
        { .offset = TABLE(MODEL_MGMTDEVS_MAX + 1), .size = 512 },
};

static SimMgmtdev mgmtdevs[2];
static const SimConfig config = { .mgmtdevs = mgmtdevs, .n_mgmtdevs = ELEMENTSOF(mgmtdevs) };
static int file_fd = -1;
static blkcnt_t good_blocks;

static void assign(Backend *b, const char *name, uint32_t first) {
        Failure f = FAILURE_INIT;
        DeviceResources resources;
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;

        if (b->ops->observe(b, name, mgmtdev, &status, &f) < 0 ||
            device_resources_allocate(&resources, (uint16_t) status.n_vq_groups, (uint16_t) status.max_vqs,
                                      (uint16_t) (status.max_vqs + 1)) < 0)
                return;
        for (unsigned i = 0; i < resources.n_asids; i++)
                device_resources_ids(&resources)[i] = first + i;
        for (unsigned i = 0; i < resources.n_msis; i++)
                device_resources_ids(&resources)[resources.n_asids + i] = first + i;
        (void) b->ops->assign(b, name, &resources, &f);
        device_resources_done(&resources);
}

static void make_device(Backend *b, const char *name, const char *mgmtdev, unsigned class, uint32_t first) {
        Failure f = FAILURE_INIT;
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = class;
        if (b->ops->create(b, name, mgmtdev, &spec, &f) < 0)
                return;
        assign(b, name, first);
        (void) b->ops->bind(b, name, BUS_DRIVER_VHOST_VDPA, &f);
}

static void make_good(void) {
        Failure f = FAILURE_INIT;
        Backend *b = NULL;
        struct stat st;

        fuzz_expect(sim_backend_new(&config, fuzz_directory(), &b, &f) == 0);
        make_device(b, "a", "sim0", CLASS_NET, 1);
        make_device(b, "b", "sim0", CLASS_BLOCK, 20);
        make_device(b, "c", "pci/0000:01:00.0", CLASS_NET, 40);
        b->ops->free(b);

        file_fd = open(fuzz_path(MODEL_FILE_NAME), O_RDWR | O_CLOEXEC);
        fuzz_expect(file_fd >= 0 && fstat(file_fd, &st) == 0);
        good_blocks = st.st_blocks;
        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                parts[i].good = calloc(1, parts[i].size);
                fuzz_expect(parts[i].good &&
                            pread(file_fd, parts[i].good, parts[i].size, (off_t) parts[i].offset) >= 0);
        }
}

static void leave(void) {
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                free(parts[i].good);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        log_open(LOG_EMERG);
        mgmtdevs[0] = sim_config_default()->mgmtdevs[0];
        mgmtdevs[1] = mgmtdevs[0];
        strcpy(mgmtdevs[1].info.handle, "pci/0000:01:00.0");
        make_good();
        (void) atexit(leave);
        return 0;
}

/* Damage to what counts how much there is makes the file grow. */
static void restore(void) {
        struct stat st;

        fuzz_expect(fstat(file_fd, &st) == 0);
        if (st.st_blocks > good_blocks + 4096)
                fuzz_expect(fallocate(file_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, st.st_size) == 0);
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                fuzz_expect(pwrite(file_fd, parts[i].good, parts[i].size, (off_t) parts[i].offset) ==
                            (ssize_t) parts[i].size);
}

static void damage(FuzzInput *in) {
        while (in->size > 0) {
                unsigned part = fuzz_take_byte(in) % ELEMENTSOF(parts);
                size_t at = fuzz_take_u16(in) % parts[part].size;

                for (unsigned n = fuzz_take_byte(in) % 16; n > 0 && at < parts[part].size; n--, at++) {
                        uint8_t byte = fuzz_take_byte(in);

                        fuzz_expect(pwrite(file_fd, &byte, 1, (off_t) (parts[part].offset + at)) == 1);
                }
        }
}

static void use(Backend *b) {
        _cleanup_free_ BackendDevice *devices = NULL;
        _cleanup_free_ MgmtdevInfo *infos = NULL;
        Failure f = FAILURE_INIT;
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;
        size_t n = 0;

        (void) b->ops->list_mgmtdevs(b, &infos, &n, &f);
        n = 0;
        (void) b->ops->list_devices(b, &devices, &n, &f);
        for (size_t i = 0; i < n && i < 8; i++) {
                (void) b->ops->observe(b, devices[i].name, mgmtdev, &status, &f);
                (void) b->ops->bind(b, devices[i].name, BUS_DRIVER_VIRTIO_VDPA, &f);
        }
        make_device(b, "new", "sim0", CLASS_NET, 60);
        for (size_t i = 0; i < n && i < 8; i++)
                (void) b->ops->destroy(b, devices[i].name, NULL, &f);
        (void) b->ops->destroy(b, "new", NULL, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        Failure f = FAILURE_INIT;
        Backend *b = NULL;

        restore();
        damage(&in);
        if (sim_backend_new(&config, fuzz_directory(), &b, &f) == 0) {
                use(b);
                b->ops->free(b);
        } else
                fuzz_expect(f.code != ERROR_NONE && f.detail[0]);
        return 0;
}
