/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All PASIDs and all entries of a large message store given away, half of them taken back and given away again, to
 * devices of random sizes that use what they hold; and that by processes that are killed at it. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inventory/class.h"
#include "inventory/idset.h"
#include "sim/traffic.h"
#include "test-sim.h"

#define N_ASIDS PASIDS_MAX
#define N_MSIS  (4 * N_ASIDS) /* so that each share has some */

#define N_KILLS 12

typedef struct Plant {
        Model *model;
        unsigned unit;
        IdSet *asids, *msis;
        uint64_t seed;
        uint32_t n_named;
} Plant;

static uint32_t random_number(Plant *p, uint32_t n) {
        p->seed = p->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t) ((p->seed >> 33) % n);
}

/* As a daemon does at its start: what devices hold is held. */
static void take_over(Plant *p) {
        for (const ModelDevice *d = model_next_device(p->model, NULL); d; d = model_next_device(p->model, d)) {
                uint32_t id;

                for (unsigned i = 0; i < d->n_vq_groups; i++)
                        if (model_device_asid(p->model, d, i, &id))
                                ck_assert_int_eq(idset_acquire_id(p->asids, id), 0);
                for (unsigned i = 0; i <= d->n_vqs; i++)
                        if (model_device_msi(p->model, d, i, &id))
                                ck_assert_int_eq(idset_acquire_id(p->msis, id), 0);
        }
}

static Plant plant_open(uint64_t seed) {
        MgmtdevInfo info = test_hardware("pci/0000:01:00.0");
        Plant p = { .seed = seed };
        Failure f = FAILURE_INIT;

        info.asid_kind = ASID_PASID;
        (void) snprintf(info.pci_function, sizeof info.pci_function, "0000:01:00.0");
        info.capacity[RESOURCE_ASIDS].total = N_ASIDS;
        info.capacity[RESOURCE_MSIS].total = N_MSIS;
        ck_assert_msg(model_open(unit_directory(), &p.model, &f) == 0, "%s", f.detail);
        ck_assert_int_eq(model_plug_mgmtdev(p.model, &info, &p.unit), 0);
        ck_assert_int_eq(idset_new(N_ASIDS, 0, &p.asids), 0);
        ck_assert_int_eq(idset_new(N_MSIS, 0, &p.msis), 0);
        take_over(&p);
        return p;
}

static void plant_close(Plant *p) {
        idset_free(p->asids);
        idset_free(p->msis);
        model_close(p->model);
}

static void give(Plant *p, const ModelDevice *d) {
        ModelRef ref = model_device_ref(p->model, d);
        Failure f = FAILURE_INIT;
        uint32_t id;

        for (unsigned i = 0; i < d->n_vq_groups; i++)
                if (idset_acquire(p->asids, 0, &id) < 0 || model_set_address_space(p->model, ref, i, id, &f) < 0)
                        ck_abort_msg("%s", f.detail);
        for (unsigned i = 0; i <= d->n_vqs; i++)
                if (idset_acquire(p->msis, 0, &id) < 0 || model_store_msi(p->model, ref, i, id, &f) < 0)
                        ck_abort_msg("%s", f.detail);
        ck_assert_int_eq(model_enable_device(p->model, ref, BUS_DRIVER_VHOST_VDPA, &f), 0);
}

static uint32_t min(uint32_t a, uint32_t b) {
        return a < b ? a : b;
}

/* A device that takes its share of what is free, and the last one all of it. */
static void create(Plant *p) {
        uint32_t n_asids = idset_usage(p->asids, 0).free, n_msis = idset_usage(p->msis, 0).free, n_entries;
        ModelDeviceSpec spec = { .mgmtdev = p->unit, .class = CLASS_BLOCK };
        char name[DEVICE_NAME_MAX];
        ModelDevice *d;

        spec.n_vq_groups = (uint16_t) min(n_asids, 32 + random_number(p, 33));
        n_entries = spec.n_vq_groups == n_asids ? n_msis : n_msis * (uint64_t) spec.n_vq_groups / n_asids;
        ck_assert_uint_ge(n_entries, 2);
        spec.n_vqs = (uint16_t) (n_entries - 1);

        do
                (void) snprintf(name, sizeof name, "d%u", p->n_named++);
        while (model_find_device(p->model, name));
        ck_assert_int_eq(model_create_device(p->model, name, &spec, &d), 0);
        give(p, d);
}

static void destroy(Plant *p, const ModelDevice *d) {
        uint32_t id;

        for (unsigned i = 0; i < d->n_vq_groups; i++)
                if (model_device_asid(p->model, d, i, &id))
                        idset_release(p->asids, id, 0);
        for (unsigned i = 0; i <= d->n_vqs; i++)
                if (model_device_msi(p->model, d, i, &id))
                        idset_release(p->msis, id, 0);
        ck_assert_int_eq(test_destroy(p->model, d), 0);
}

static void fill(Plant *p) {
        while (idset_usage(p->asids, 0).free > 0) {
                create(p);
                traffic_run(p->model, p->unit, 3, &p->seed);
        }
        ck_assert_uint_eq(idset_usage(p->asids, 0).used, N_ASIDS);
        ck_assert_uint_eq(idset_usage(p->msis, 0).used, N_MSIS);
}

static void empty_half(Plant *p) {
        for (uint32_t n = model_count_devices(p->model, p->unit) / 2; n > 0; n--) {
                uint32_t place = random_number(p, model_count_devices(p->model, p->unit));

                destroy(p, model_device_at(p->model, p->unit, place));
                traffic_run(p->model, p->unit, 3, &p->seed);
        }
}

/* What a kill has left half done has no place among devices of which each has taken its share. */
static void remove_halves(Plant *p) {
        const ModelDevice *d = model_next_device(p->model, NULL);

        while (d) {
                const ModelDevice *next = model_next_device(p->model, d);

                if (model_device_driver(d) == BUS_DRIVER_NONE)
                        destroy(p, d);
                d = next;
        }
}

static void no_fault(const Plant *p) {
        ModelCounts counts = model_mgmtdev_counts(p->model, p->unit);

        ck_assert_msg(counts.n_faults == 0, "%s", counts.last_fault);
        ck_assert_uint_gt(counts.n_dma, 0);
        ck_assert_uint_le(counts.n_dma - counts.n_interrupts, N_KILLS); /* between the one and the other */
}

START_TEST(test_full) {
        Plant p;

        if (unit_is_slow())
                return;
        p = plant_open(1);
        for (unsigned round = 0; round < 3; round++) {
                fill(&p);
                empty_half(&p);
        }
        no_fault(&p);
        plant_close(&p);

        p = plant_open(2);
        fill(&p);
        no_fault(&p);
        plant_close(&p);
}
END_TEST

/* What the library of tests writes to be told of a failure goes nowhere: half a message of a process that was
 * killed in the middle of it would not be understood. */
static void leave_library(void) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        struct stat st;

        for (int fd = 3; fd < 64; fd++)
                if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                        ck_assert_int_eq(dup2(null, fd), fd);
}

/* Each process goes on where the one before was killed. */
START_TEST(test_killed) {
        Plant p;

        if (unit_is_slow())
                return;
        for (unsigned round = 0; round < N_KILLS; round++) {
                pid_t pid = fork();
                int status;

                ck_assert_int_ge(pid, 0);
                if (pid == 0) {
                        leave_library();
                        p = plant_open(round);
                        remove_halves(&p);
                        for (;;) {
                                fill(&p);
                                empty_half(&p);
                        }
                }
                usleep(20000 + 37000 * round);
                ck_assert_int_eq(kill(pid, SIGKILL), 0);
                ck_assert_int_eq(waitpid(pid, &status, 0), pid);
                ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        }

        p = plant_open(99);
        remove_halves(&p);
        fill(&p);
        no_fault(&p);
        plant_close(&p);
}
END_TEST

static void add(TCase *tcase) {
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, test_full);
        tcase_add_test(tcase, test_killed);
}

int main(void) {
        return unit_main("sim-full", add);
}
