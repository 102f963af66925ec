/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The daemon's core on simulated hardware, with a database: its verbs in any order, at once or one after the other,
 * while steps of the host fail, devices are in use, come and go by themselves, and the core starts again. Whenever
 * all is through: every verb was answered once; what was acknowledged holds; the budgets add up; no ID is held
 * twice; and the inventory, the database and the hardware agree. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz-host.h"
#include "fuzz.h"
#include "inventory/budget.h"
#include "inventory/idlist.h"
#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "lifecycle/pool.h"
#include "store/store.h"
#include "util/clock.h"
#include "util/log.h"

#define N_NAMES    6
#define ANSWER_MAX 64
#define STEPS_MAX  64
#define WAIT_USEC  (60 * USEC_PER_SEC)

static const char *const names[N_NAMES] = { "a", "b", "c", "d-1", "e.2", "f" };
static const char *const holders[] = { "dbus :1.7", "vm" };

static const char *const specs[] = {
        "{\"class\":\"net\"}",
        "{\"class\":\"block\"}",
        "{\"class\":\"net\",\"mgmtdev\":\"" HOST_SMALL "\"}",
        ("{\"class\":\"net\",\"mgmtdev\":\"" HOST_LARGE "\",\"net\":{\"max_vqp\":4,\"mac\":\"02:00:00:00:00:2a\"},"
         "\"features\":[\"MAC\",\"MQ\",\"CTRL_VQ\",\"VERSION_1\",\"ACCESS_PLATFORM\"]}"),
        "{\"class\":\"block\",\"driver\":\"virtio_vdpa\",\"persistent\":false,\"vqs\":3}",
        "{\"class\":\"net\",\"msi_policy\":\"shared\",\"placement\":{\"policy\":\"pack\"}}",
        "{\"class\":\"net\",\"mgmtdev\":\"not/there\"}",
        "{\"class\":\"net\",\"owner\":\"vm:1\",\"labels\":{\"a\":\"b\"},\"endpoint\":{\"uid\":7,\"mode\":\"0640\"}"
        "}",
};

static const char *const patches[] = {
        "{\"cordoned\":true}",
        "{\"cordoned\":null}",
        "{\"labels\":{\"rack\":\"7\"}}",
        "{\"budgets\":{\"devices\":{\"total\":2}}}",
        "{\"budgets\":{\"msis\":{\"total\":9,\"reserved_ids\":\"0-1\"}}}",
        "{\"budgets\":{\"asids\":{\"reserved_ids\":\"2-3\"}}}",
        "{\"budgets\":null,\"labels\":null}",
        "{\"budgets\":{\"msis\":{\"total\":99999999}}}",
};

/* What a verb was asked, and what it has come to. */
typedef struct Answer {
        int name; /* index of the device whose existence it decides; -1: none's */
        bool exists_after;
        bool has_uid; /* of a deletion: it can succeed because that device is known to have gone before */
        unsigned n;
} Answer;

static struct {
        sd_event *event;
        Inventory inventory;
        Store *store;
        Backend *backend;
        Lifecycle *lifecycle;
        bool is_started;
        uint64_t quarantine_usec;
        uint64_t n_faults; /* of the hardware, at the beginning */

        Answer answers[ANSWER_MAX];
        size_t n_answers;
        enum { MAYBE, IS_THERE, IS_GONE } known[N_NAMES]; /* by what was acknowledged last */
} core;

static void on_started(void *userdata, const Outcome *outcome) {
        fuzz_expect(!core.is_started);
        core.is_started = true;
}

static bool is_started(void) {
        return core.is_started;
}

static bool is_idle(void) {
        return lifecycle_n_operations(core.lifecycle) == 0 && !core.lifecycle->scanner.is_running &&
               workqueue_length(lifecycle_worker(core.lifecycle)) == 0;
}

static void run_until(bool (*condition)(void)) {
        uint64_t end = clock_monotonic_usec() + WAIT_USEC;

        while (!condition()) {
                fuzz_expect(clock_monotonic_usec() < end);
                fuzz_expect(sd_event_run(core.event, 10 * USEC_PER_MSEC) >= 0);
        }
}

static void start(void) {
        Failure f = FAILURE_INIT;

        fuzz_expect(sd_event_new(&core.event) >= 0);
        fuzz_expect(store_open(core.event, fuzz_path("state"), &core.store, &f) == 0);
        inventory_init(&core.inventory, 5);
        inventory_configure(&core.inventory, core.quarantine_usec, NULL, 0);
        core.is_started = false;
        fuzz_expect(lifecycle_new(core.event, &core.inventory, core.store, core.backend, 8, &core.lifecycle) == 0);
        fuzz_expect(lifecycle_start(core.lifecycle, on_started, NULL) == 0);
        run_until(is_started);
}

static void stop(void) {
        fuzz_expect(lifecycle_stop(core.lifecycle, WAIT_USEC));
        core.lifecycle = lifecycle_free(core.lifecycle);
        fuzz_expect(store_drain(core.store, WAIT_USEC));
        core.store = store_close(core.store);
        inventory_done(&core.inventory);
        core.event = sd_event_unref(core.event);
}

static void on_answer(void *userdata, const Outcome *outcome) {
        Answer *a = userdata;

        a->n++;
        fuzz_expect(a->n == 1);
        if (outcome->failure.code != ERROR_NONE) {
                fuzz_expect(outcome->failure.code < _ERROR_MAX && outcome->failure.detail[0]);
                /* What could not be made may have left something behind, and is there then. */
                if (a->name >= 0 && a->exists_after && core.known[a->name] == IS_GONE)
                        core.known[a->name] = MAYBE;
        } else if (a->name >= 0 && !(a->has_uid && inventory_find_device(&core.inventory, names[a->name])))
                core.known[a->name] = a->exists_after ? IS_THERE : IS_GONE;
}

static Answer *new_answer(int name, bool exists_after) {
        Answer *a = &core.answers[core.n_answers++];

        *a = (Answer){ .name = name, .exists_after = exists_after };
        return a;
}

static json_t *parse(const char *text) {
        json_t *json = json_loads(text, 0, NULL);

        fuzz_expect(json);
        return json;
}

static void decode_spec(FuzzInput *in, DeviceSpec *ret) {
        _cleanup_json_ json_t *json = parse(specs[fuzz_take_byte(in) % ELEMENTSOF(specs)]);
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        if (device_spec_decode(&d, json, ret) < 0) {
                (void) fprintf(stderr, "%s: %s\n", faults.fault[0].pointer, faults.fault[0].detail);
                abort();
        }
}

/* A precondition that holds, one that does not, or none. */
static Precondition choose_precondition(FuzzInput *in, const char *name) {
        const Device *device = inventory_find_device(&core.inventory, name);
        Precondition p = {};
        uint8_t how = fuzz_take_byte(in);

        if (device && how % 4 == 1)
                strcpy(p.uid, device->uid);
        if (device && how % 4 == 2)
                p = (Precondition){ .has_revision = true, .revision = device->revision };
        if (how % 16 == 3)
                strcpy(p.uid, "01890a5d-ac96-774b-bcce-b302099a8057");
        return p;
}

static void do_create(FuzzInput *in) {
        int name = fuzz_take_byte(in) % N_NAMES;
        DeviceSpec spec;

        device_spec_init(&spec);
        decode_spec(in, &spec);
        lifecycle_create_device(core.lifecycle, names[name], &spec, NULL, on_answer, new_answer(name, true));
        device_spec_done(&spec);
}

static void do_create_held(FuzzInput *in) {
        int name = fuzz_take_byte(in) % N_NAMES;
        const char *holder = holders[fuzz_take_byte(in) % ELEMENTSOF(holders)];
        DeviceSpec spec;

        device_spec_init(&spec);
        decode_spec(in, &spec);
        lifecycle_create_held_device(core.lifecycle, names[name], &spec, holder, NULL, on_answer,
                                     new_answer(name, true));
        device_spec_done(&spec);
}

static void do_plan(FuzzInput *in) {
        const char *name = names[fuzz_take_byte(in) % N_NAMES];
        DeviceSpec spec;

        device_spec_init(&spec);
        decode_spec(in, &spec);
        lifecycle_plan_device(core.lifecycle, name, &spec, on_answer, new_answer(-1, false));
        device_spec_done(&spec);
}

static void do_delete(FuzzInput *in) {
        int name = fuzz_take_byte(in) % N_NAMES;
        Precondition p = choose_precondition(in, names[name]);

        Answer *a = new_answer(name, false);

        a->has_uid = p.uid[0];
        lifecycle_delete_device(core.lifecycle, names[name], &p, on_answer, a);
}

static void do_update(FuzzInput *in) {
        int name = fuzz_take_byte(in) % N_NAMES;
        Precondition p = choose_precondition(in, names[name]);
        _cleanup_json_ json_t *labels = json_pack("{s:s, s:n}", "x", "y", "a");
        uint8_t what = fuzz_take_byte(in);
        char owner[] = "vm:7";
        DevicePatch patch = {
                .has_mac = what & 1,
                .mac = { 2, 0, 0, 0, 1, fuzz_take_byte(in) },
                .has_owner = what & 2,
                .owner = what & 4 ? owner : NULL,
                .has_labels = what & 8,
                .labels = what & 16 ? labels : NULL,
        };

        lifecycle_update_device(core.lifecycle, names[name], &p, &patch, on_answer, new_answer(-1, false));
}

static void do_update_mgmtdev(FuzzInput *in) {
        uint8_t which = fuzz_take_byte(in);
        _cleanup_json_ json_t *patch = parse(patches[fuzz_take_byte(in) % ELEMENTSOF(patches)]);
        Precondition p = {};

        lifecycle_update_mgmtdev(core.lifecycle, which % 2 ? HOST_SMALL : HOST_LARGE, &p, patch, on_answer,
                                 new_answer(-1, false));
}

static void do_get_stats(FuzzInput *in) {
        lifecycle_get_stats(core.lifecycle, names[fuzz_take_byte(in) % N_NAMES], on_answer, new_answer(-1, false));
}

/* Its devices go once they are not in use, and those that are being made for it as well: of no device is known now
 * whether it will be there. */
static void do_release(FuzzInput *in) {
        for (size_t i = 0; i < core.n_answers; i++)
                core.answers[i].name = -1;
        memset(core.known, 0, sizeof core.known);
        lifecycle_release_holder(core.lifecycle, holders[fuzz_take_byte(in) % ELEMENTSOF(holders)]);
}

static void do_fail(FuzzInput *in) {
        HostStep step = fuzz_take_byte(in) % _HOST_STEP_MAX;
        uint8_t how = fuzz_take_byte(in);

        host_fail(step, how % 4, how & 128);
}

static void do_use(FuzzInput *in) {
        char path[64];

        (void) snprintf(path, sizeof path, "sim-open/%s", names[fuzz_take_byte(in) % N_NAMES]);
        if (fuzz_take_byte(in) % 2)
                (void) mkdir(fuzz_path(path), 0755);
        else
                fuzz_remove(fuzz_path(path));
}

/* A verb that finds a management device missing has the host looked at again. */
static void do_look(FuzzInput *in) {
        core.lifecycle->scanner.ask_usec = 0;
        scan_start(core.lifecycle);
}

static void do_run(FuzzInput *in) {
        for (unsigned n = fuzz_take_byte(in) % 8; n > 0; n--)
                fuzz_expect(sd_event_run(core.event, USEC_PER_MSEC) >= 0);
}

/* --- What must be so ------------------------------------------------------------------------------------- */

static bool holds_id(const uint32_t *ids, size_t n, uint32_t id) {
        for (size_t i = 0; i < n; i++)
                if (ids[i] == id)
                        return true;
        return false;
}

static void check_disjoint(const Device *a, const Device *b) {
        const DeviceResources *r = &a->resources, *other = &b->resources;

        if (a->mgmtdev->space == b->mgmtdev->space)
                for (unsigned i = 0; i < r->n_asids; i++)
                        fuzz_expect(!holds_id(device_resources_asids(other), other->n_asids,
                                              device_resources_asids(r)[i]));
        if (a->mgmtdev == b->mgmtdev)
                for (unsigned i = 0; i < r->n_msis; i++)
                        fuzz_expect(!holds_id(device_resources_msis(other), other->n_msis,
                                              device_resources_msis(r)[i]));
}

static void check_budgets(const Mgmtdev *m, uint64_t now) {
        uint32_t n_devices = 0, n_records = 0, n_asids = 0, n_vqs = 0;
        Inventory *inv = &core.inventory;

        for (Device *d = inventory_next_device(inv, ""); d; d = inventory_next_device(inv, d->name)) {
                if (d->mgmtdev != m)
                        continue;
                n_records++;
                n_devices += d->state != DEVICE_FAILED || device_holds(d);
                n_asids += d->resources.n_asids;
                n_vqs += d->resources.n_vqs;
        }
        fuzz_expect(m->n_records == n_records && m->n_devices == n_devices && m->n_asids == n_asids &&
                    m->n_vqs == n_vqs);
        for (Resource r = 0; r < _RESOURCE_MAX; r++) {
                Budget b = mgmtdev_budget(m, r, now);

                if (b.is_known)
                        fuzz_expect((uint64_t) b.used + b.free + b.reserved + b.quarantined == b.total);
        }
}

static void check_inventory(void) {
        uint64_t now = clock_monotonic_usec();
        Inventory *inv = &core.inventory;
        size_t n = 0;

        for (Device *d = inventory_next_device(inv, ""); d; d = inventory_next_device(inv, d->name)) {
                n++;
                fuzz_expect(!d->operation);
                fuzz_expect(d->state == DEVICE_READY || d->state == DEVICE_FAILED || d->state == DEVICE_LOST);
                fuzz_expect((d->state == DEVICE_READY) == (d->reason == NULL));
                if (d->state == DEVICE_READY)
                        fuzz_expect(device_holds(d) && d->status.endpoint[0]);
                for (Device *other = inventory_next_device(inv, d->name); other;
                     other = inventory_next_device(inv, other->name))
                        check_disjoint(d, other);
        }
        fuzz_expect(inv->n_devices == n && n <= inv->max_devices);
        for (Mgmtdev *m = inventory_first_mgmtdev(inv); m; m = inventory_next_mgmtdev(m))
                check_budgets(m, now);
        for (int i = 0; i < N_NAMES; i++)
                if (core.known[i] != MAYBE)
                        fuzz_expect((inventory_find_device(inv, names[i]) != NULL) == (core.known[i] == IS_THERE));
}

static int check_record(void *userdata, const StoreRecord *r) {
        const Device *d = inventory_find_device(&core.inventory, r->name);
        _cleanup_free_ char *asids = NULL, *msis = NULL;
        size_t *n = userdata;

        (*n)++;
        fuzz_expect(d && strcmp(d->uid, r->uid) == 0);
        if (d->is_behind)
                return 0;
        fuzz_expect(strcmp(d->mgmtdev->info.handle, r->mgmtdev) == 0);
        asids = idlist_format(device_resources_asids(&d->resources), d->resources.n_asids);
        msis = idlist_format(device_holds(d) ? device_resources_msis(&d->resources) : NULL, d->resources.n_msis);
        fuzz_expect(asids && msis && strcmp(asids, r->asids) == 0 && strcmp(msis, r->msis) == 0);
        /* A device that was found again is recorded as lost until something else is. */
        fuzz_expect(r->state == d->state || (d->state != DEVICE_FAILED && r->state != DEVICE_DELETING));
        return 0;
}

static void check_store(void) {
        static const StoreLoader loader = { .device = check_record };
        Failure f = FAILURE_INIT;
        size_t n = 0;

        fuzz_expect(store_drain(core.store, WAIT_USEC));
        fuzz_expect(store_load(core.store, &loader, &n, &f) == 0);
        fuzz_expect(n == core.inventory.n_devices);
}

/* What is on the host is recorded, but for what others have made. */
static void check_host(void) {
        _cleanup_free_ BackendDevice *devices = NULL;
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;
        size_t n = 0;
        Failure f;

        fuzz_expect(core.backend->ops->list_devices(core.backend, &devices, &n, &f) == 0);
        for (size_t i = 0; i < n; i++) {
                const Device *d = inventory_find_device(&core.inventory, devices[i].name);

                fuzz_expect(d || strncmp(devices[i].name, "foreign", 7) == 0);
        }
        for (Device *d = inventory_next_device(&core.inventory, ""); d;
             d = inventory_next_device(&core.inventory, d->name)) {
                if (d->state != DEVICE_READY)
                        continue;
                fuzz_expect(core.backend->ops->observe(core.backend, d->name, mgmtdev, &status, &f) == 0);
                fuzz_expect(strcmp(mgmtdev, d->mgmtdev->info.handle) == 0 && status.driver == d->spec.driver &&
                            strcmp(status.endpoint, d->status.endpoint) == 0);
        }
        fuzz_expect(host_count_faults() == core.n_faults);
}

/* All that is under way comes to its end, and then some looks at the host, without a failure. */
static void settle(void) {
        run_until(is_idle);
        for (HostStep step = 0; step < _HOST_STEP_MAX; step++)
                host_fail(step, 0, false);
        for (unsigned i = 0; i < 2; i++) {
                scan_start(core.lifecycle);
                run_until(is_idle);
        }
        for (size_t i = 0; i < core.n_answers; i++)
                fuzz_expect(core.answers[i].n == 1);
        core.n_answers = 0;
        check_inventory();
        check_store();
        check_host();
}

static void do_settle(FuzzInput *in) {
        settle();
}

static void do_restart(FuzzInput *in) {
        stop();
        start();
}

static void do_pull_out(FuzzInput *in) {
        bool small = fuzz_take_byte(in) % 2;

        run_until(is_idle);
        if (small) {
                fuzz_remove(fuzz_path("sim-open"));
                fuzz_expect(mkdir(fuzz_path("sim-open"), 0755) == 0);
        }
        host_pull_out(small);
        scan_start(core.lifecycle);
}

/* Behind the daemon's back: a device goes, or one comes. */
static void do_meddle(FuzzInput *in) {
        uint8_t which = fuzz_take_byte(in);

        run_until(is_idle);
        if (which % 2)
                host_destroy(names[which / 2 % N_NAMES]);
        else
                host_make_foreign(which % 4 ? "foreign-1" : "foreign-2");
}

static void (*const steps[])(FuzzInput *in) = {
        do_create,         do_delete, do_update, do_create,    do_plan,   do_create_held, do_release,
        do_update_mgmtdev, do_fail,   do_use,    do_look,      do_settle, do_run,         do_restart,
        do_pull_out,       do_meddle, do_fail,   do_get_stats, do_create, do_delete,
};

static const char *const pools[] = { "p", "q" };

static void do_set_pool(FuzzInput *in) {
        const char *name = pools[fuzz_take_byte(in) % ELEMENTSOF(pools)];
        uint8_t marks = fuzz_take_byte(in);
        PoolSpec spec = { .low = 1, .high = 1 + marks % 3, .on_return = marks & 128 ? POOL_DESTROY : POOL_SCRUB };
        _cleanup_json_ json_t *json = parse(marks & 64 ? "{\"class\":\"block\"}" : "{\"class\":\"net\"}");
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        fuzz_expect(device_spec_decode(&d, json, &spec.device) == 0);
        lifecycle_set_pool(core.lifecycle, name, &spec, on_answer, new_answer(-1, false));
}

static void do_remove_pool(FuzzInput *in) {
        lifecycle_remove_pool(core.lifecycle, pools[fuzz_take_byte(in) % ELEMENTSOF(pools)], on_answer,
                              new_answer(-1, false));
}

static void do_claim(FuzzInput *in) {
        const char *name = pools[fuzz_take_byte(in) % ELEMENTSOF(pools)];
        uint8_t what = fuzz_take_byte(in);
        char owner[] = "vm:7";
        DevicePatch patch = {
                .has_mac = what & 1,
                .mac = { 2, 0, 0, 0, 2, what },
                .has_owner = what & 2,
                .owner = what & 2 ? owner : NULL,
                .has_endpoint = what & 4,
                .endpoint = { .uid = what, .mode = 0600 },
        };

        lifecycle_claim_device(core.lifecycle, name, NULL, &patch, on_answer, new_answer(-1, false));
}

/* Of one that was made for a pool, in any state, as it is or as another one was. */
static void do_return(FuzzInput *in) {
        const char *name = pools[fuzz_take_byte(in) % ELEMENTSOF(pools)];
        uint8_t which = fuzz_take_byte(in);
        Precondition p = {};
        Device *d = inventory_next_device(&core.inventory, which & 1 ? "p" : "q");

        if (!d)
                return;
        if (which & 2)
                strcpy(p.uid, which & 4 ? "01890a5d-ac96-774b-bcce-b302099a8057" : d->uid);
        lifecycle_return_device(core.lifecycle, name, d->name, &p, on_answer, new_answer(-1, false));
}

static void (*const pool_steps[])(FuzzInput *in) = { do_set_pool, do_claim, do_return, do_remove_pool };

/* The last bytes stand for pools. */
#define POOL_STEPS_FROM 240

static void leave(void) {
        host_close();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        log_open(getenv("FUZZ_VERBOSE") ? LOG_DEBUG : LOG_EMERG);
        core.backend = host_open(fuzz_directory());
        (void) atexit(leave);
        return 0;
}

/* The first byte says how long what is released stays in quarantine: not at all, or for longer than this takes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        uint8_t step;

        fuzz_remove(fuzz_path("state"));
        fuzz_remove(fuzz_path("sim-open"));
        fuzz_expect(mkdir(fuzz_path("state"), 0755) == 0 && mkdir(fuzz_path("sim-open"), 0755) == 0);
        host_reset();
        core.n_faults = host_count_faults();
        core.quarantine_usec = fuzz_take_byte(&in) % 2 ? 600 * USEC_PER_SEC : 0;
        memset(core.known, 0, sizeof core.known);
        core.n_answers = 0;

        start();
        for (unsigned i = 0; i < STEPS_MAX && in.size > 0; i++) {
                if (core.n_answers == ANSWER_MAX - 1)
                        settle();
                step = fuzz_take_byte(&in);
                if (step < POOL_STEPS_FROM)
                        steps[step % ELEMENTSOF(steps)](&in);
                else
                        pool_steps[step % ELEMENTSOF(pool_steps)](&in);
        }
        settle();
        stop();
        return 0;
}
