/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each allocation of a piece of work fails once, those of the libraries too: nothing crashes, nothing is lost, and
 * whoever asked is told. What works all the same must have worked right. */
#include "alloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config.h"
#include "http/body.h"
#include "http/reply.h"
#include "inventory/device-json.h"
#include "inventory/mgmtdev-json.h"
#include "inventory/spec-json.h"
#include "kernel/devlink-codec.h"
#include "kernel/vdpa-codec.h"
#include "lifecycle/device-patch.h"
#include "lifecycle/mgmtdev-patch.h"
#include "sim/sim.h"
#include "store/store.h"
#include "unit.h"
#include "util/clock.h"
#include "util/log.h"

/* More than any of them makes. */
#define ALLOCATIONS_MAX 20000

static const char body[] = "{\"spec\":{\"class\":\"net\",\"mgmtdev\":\"sim0\",\"features\":[\"MAC\",\"MTU\"],"
                           "\"net\":{\"mac\":\"02:00:00:00:00:2a\",\"mtu\":1500},\"owner\":\"vm:42\","
                           "\"labels\":{\"a\":\"b\",\"c\":\"d\"},\"placement\":{\"labels\":{\"e\":\"f\"}}}}";

/* Returns 0, or -ENOMEM: anything else is wrong. */
static int decode_spec(json_t *root, DeviceSpec *ret) {
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        return device_spec_decode(&d, json_object_get(root, "spec"), ret);
}

static int work_on_body(void) {
        _cleanup_json_ json_t *root = NULL, *json = NULL;
        _cleanup_(device_freep) Device *device = NULL;
        _cleanup_(device_spec_done) DeviceSpec spec;
        JsonFaults faults = {};
        Failure f = FAILURE_INIT;
        Mgmtdev m = { .info.handle = "sim0" };
        int r;

        device_spec_init(&spec);
        r = http_body_parse(body, strlen(body), &faults, &f, &root);
        if (r == 0)
                r = decode_spec(root, &spec);
        if (r == 0)
                r = device_new("a", &spec, 1, &device);
        if (r < 0)
                return r;
        device->mgmtdev = &m;
        json = device_encode(device);
        return json ? 0 : -ENOMEM;
}

static int work_on_problem(void) {
        JsonFaults faults = { .n = 2, .fault = { { "/spec/a", "missing", "x" }, { "/spec/b", "bad", "y" } } };
        Failure f = { .code = ERROR_INVALID_REQUEST, .detail = "This is \xff wrong" };
        _cleanup_json_ json_t *json = http_problem_encode(&f, &faults);

        return json ? 0 : -ENOMEM;
}

static int work_on_patch(void) {
        _cleanup_json_ json_t *root = NULL,
                              *patch = json_pack("{s:n, s:{s:s, s:n}}", "owner", "labels", "x", "y", "a");
        _cleanup_(device_spec_done) DeviceSpec before, after;
        JsonFaults faults = {};
        DevicePatch decoded;
        Failure f = FAILURE_INIT;
        JsonDecoder d;
        int r;

        device_spec_init(&before);
        device_spec_init(&after);
        if (!patch)
                return -ENOMEM;
        r = http_body_parse(body, strlen(body), &faults, &f, &root);
        if (r == 0)
                r = decode_spec(root, &before);
        json_decoder_init(&d, &faults);
        return r == 0 ? device_patch_decode(&d, &before, patch, &after, &decoded) : r;
}

static int work_on_mgmtdev(void) {
        static const char text[] = "{\"cordoned\":true,\"labels\":{\"rack\":\"7\"},"
                                   "\"budgets\":{\"msis\":{\"total\":64,\"reserved_ids\":\"0-3\"}}}";
        MgmtdevInfo info = { .handle = "sim0", .numa_node = -1, .vf_index = -1, .classes = 6 };
        _cleanup_json_ json_t *patch = NULL, *json = NULL;
        _cleanup_(mgmtdev_settings_done) MgmtdevSettings settings = {};
        JsonFaults faults = {};
        Inventory inventory;
        JsonDecoder d;
        Mgmtdev *m;
        int r;

        info.capacity[RESOURCE_MSIS] = (Capacity){ .is_known = true, .total = 100 };
        inventory_init(&inventory, 10);
        json_decoder_init(&d, &faults);
        patch = json_loads(text, 0, NULL);
        r = patch ? inventory_update_mgmtdevs(&inventory, &info, 1, 1) : -ENOMEM;
        m = inventory_first_mgmtdev(&inventory);
        if (r == 0)
                r = mgmtdev_patch_decode(&d, m, patch, &settings);
        if (r == 0)
                r = inventory_set_mgmtdev(&inventory, m, &settings, 1);
        if (r == 0) {
                json = mgmtdev_encode(m, 1);
                r = json ? 0 : -ENOMEM;
        }
        inventory_done(&inventory);
        return r;
}

static int work_on_messages(void) {
        struct nl_msg *m = NULL;
        DeviceSpec spec;
        int r;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        r = vdpa_build_create("a", "pci/0000:01:00.0", &spec, &m);
        if (r == 0)
                nlmsg_free(m);
        if (r == 0)
                r = vdpa_build_attribute_probe("a", "sim0", &m);
        if (r == 0)
                nlmsg_free(m);
        if (r == 0)
                r = devlink_build_resources("pci/0000:01:00.0", &m);
        if (r == 0)
                nlmsg_free(m);
        return r;
}

static const char configuration[] = "[daemon]\nbackend = sim\nstate_dir = /x\nlisten = unix:/x/y\n"
                                    "[sim a/b]\nclasses = net\n[mgmtdev a/b]\ncordoned = yes\n";

static int work_on_config(void) {
        _cleanup_(config_done) Config config;
        int r;

        r = config_init(&config);
        if (r == 0)
                r = config_read(&config, unit_path("conf"));
        if (r == 0)
                r = config_finish(&config);
        return r;
}

static int pass_over(void *userdata, const StoreRecord *record) {
        return 0;
}

/* What libraries make of it has many names; but the user is told something. */
static int has_reason(const Failure *f) {
        return f->code != ERROR_NONE && f->detail[0] ? -ENOMEM : -EPROTO;
}

static int work_on_store(void) {
        static const StoreLoader loader = { .device = pass_over };
        _cleanup_(store_closep) Store *store = NULL;
        Failure f = FAILURE_INIT;
        sd_event *event = NULL;
        int r;

        if (sd_event_new(&event) < 0)
                return -ENOMEM;
        r = store_open(event, unit_directory(), &store, &f);
        if (r == 0)
                r = store_load(store, &loader, NULL, &f);
        if (store && !store_drain(store, 60 * USEC_PER_SEC))
                return -ETIMEDOUT;
        store = store_close(store);
        (void) sd_event_unref(event);
        return r == 0 ? 0 : has_reason(&f);
}

static int work_on_sim(void) {
        _cleanup_free_ MgmtdevInfo *infos = NULL;
        Failure f = FAILURE_INIT;
        Backend *b = NULL;
        DeviceSpec spec;
        size_t n;
        int r;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        r = sim_backend_new(sim_config_default(), unit_directory(), &b, &f);
        if (r == 0)
                r = b->ops->list_mgmtdevs(b, &infos, &n, &f);
        if (r == 0)
                r = b->ops->create(b, "a", "sim0", &spec, &f);
        if (r < 0)
                r = has_reason(&f);
        if (b) {
                (void) b->ops->destroy(b, "a", NULL, &f);
                b->ops->free(b);
        }
        return r;
}

static const struct {
        const char *name;
        int (*run)(void);
} works[] = {
        { "a request's body", work_on_body },     { "a refusal", work_on_problem },
        { "a patch of a device", work_on_patch }, { "a patch of a management device", work_on_mgmtdev },
        { "netlink messages", work_on_messages }, { "the configuration", work_on_config },
        { "the database", work_on_store },        { "simulated hardware", work_on_sim },
};

START_TEST(test_every_allocation) {
        long n = 0, before;
        bool failed;
        int r;

        log_open(LOG_EMERG);
        unit_write_file(unit_path("conf"), configuration, strlen(configuration));
        /* What libraries make once and keep is there then. */
        ck_assert_int_eq(works[_i].run(), 0);
        ck_assert_int_eq(works[_i].run(), 0);
        do {
                ck_assert_int_lt(n, ALLOCATIONS_MAX);
                before = alloc_count();
                alloc_fail_after(n);
                r = works[_i].run();
                failed = alloc_end();
                ck_assert_msg(r == 0 || (failed && r == -ENOMEM), "%s, allocation %ld: %d", works[_i].name, n, r);
                ck_assert_msg(alloc_count() <= before, "%s, allocation %ld: %ld blocks are lost", works[_i].name, n,
                              alloc_count() - before);
                n++;
        } while (failed);
        ck_assert_int_gt(n, 1);
        (void) printf("%s: %ld allocations\n", works[_i].name, n - 1);
}
END_TEST

static void add(TCase *tcase) {
        if (ALLOC_CAN_FAIL)
                tcase_add_loop_test(tcase, test_every_allocation, 0, ELEMENTSOF(works));
}

int main(void) {
        return unit_main("alloc", add);
}
