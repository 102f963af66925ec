/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "http/device-list.h"
#include "inventory/device-json.h"
#include "inventory/spec-json.h"
#include "lifecycle/device-patch.h"

#define N_DEVICES 25000

static Inventory inventory;
static Mgmtdev *mgmtdev;

static DeviceSpec make_spec(const char *text) {
        _cleanup_json_ json_t *object = json_loads(text, 0, NULL);
        JsonFaults faults = {};
        DeviceSpec spec;
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        ck_assert_int_eq(device_spec_decode(&d, object, &spec), 0);
        return spec;
}

static Device *add_device(const char *name, const char *spec_text) {
        _cleanup_(device_spec_done) DeviceSpec spec = make_spec(spec_text);
        Device *device;

        ck_assert_int_eq(device_new(name, &spec, 0, &device), 0);
        ck_assert_int_eq(inventory_add_device(&inventory, device, mgmtdev), 0);
        return device;
}

static void setup(void) {
        inventory_init(&inventory, N_DEVICES + 10);
        ck_assert_int_eq(inventory_ensure_mgmtdev(&inventory, "bus/m", &mgmtdev), 0);
}

static void teardown(void) {
        inventory_done(&inventory);
}

/* One page; *ret_token is "" at the end. */
static json_t *list(const char *key, const char *value, const char *limit, char ret_token[static 128]) {
        JsonFaults faults = {};
        DeviceListing listing;
        _cleanup_free_ char *text = NULL;
        HttpQuery query;
        json_t *page;

        http_query_init(&query, &faults);
        if (key)
                http_query_add(&query, key, value);
        if (limit)
                http_query_add(&query, "limit", limit);
        if (ret_token[0])
                http_query_add(&query, "continue", ret_token);
        http_device_listing_decode(&query, inventory.revision, DEVICE_LISTING_DEFAULT, &listing);
        http_query_end(&query);
        ck_assert_uint_eq(faults.n, 0);

        text = http_device_listing_page(&listing, &inventory);
        ck_assert_ptr_nonnull(text);
        page = json_loads(text, 0, NULL);
        ck_assert_ptr_nonnull(page);
        (void) snprintf(ret_token, 128, "%s", json_string_value(json_object_get(page, "continue")) ?: "");
        return page;
}

static size_t count_items(json_t *page) {
        return json_array_size(json_object_get(page, "items"));
}

static const char *item_name(json_t *page, size_t i) {
        return json_string_value(json_object_get(json_array_get(json_object_get(page, "items"), i), "name"));
}

START_TEST(test_pages) {
        _cleanup_json_ json_t *first = NULL, *second = NULL;
        char token[128] = "";

        add_device("a", "{\"class\":\"net\"}");
        add_device("c", "{\"class\":\"net\"}");
        add_device("d", "{\"class\":\"net\"}");
        add_device("f", "{\"class\":\"net\"}");
        first = list(NULL, NULL, "2", token);
        ck_assert_uint_eq(count_items(first), 2);
        ck_assert_str_eq(item_name(first, 1), "c");
        ck_assert_str_ne(token, "");

        /* A late-comer is not shown, one that has gone neither, and the last name need not be there any more. */
        add_device("e", "{\"class\":\"net\"}");
        inventory_remove_device(&inventory, inventory_find_device(&inventory, "c"));
        inventory_remove_device(&inventory, inventory_find_device(&inventory, "d"));
        second = list(NULL, NULL, "2", token);
        ck_assert_uint_eq(count_items(second), 1);
        ck_assert_str_eq(item_name(second, 0), "f");
        ck_assert_str_eq(token, "");
        ck_assert_int_eq(json_integer_value(json_object_get(first, "revision")),
                         json_integer_value(json_object_get(second, "revision")));
}
END_TEST

/* A filter that finds next to nothing gives pages that are bounded in work, and an end. */
START_TEST(test_sparse) {
        char token[128] = "";
        size_t n = 0, n_pages = 0;

        for (unsigned i = 0; i < N_DEVICES; i++) {
                char name[16];

                (void) snprintf(name, sizeof name, "d%05u", i);
                add_device(name,
                           i == N_DEVICES - 1 ? "{\"class\":\"net\",\"owner\":\"me\"}" : "{\"class\":\"net\"}");
        }
        do {
                _cleanup_json_ json_t *page = list("owner", "me", NULL, token);

                n += count_items(page);
                n_pages++;
        } while (token[0]);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(n_pages, 3);
}
END_TEST

static const struct {
        const char *key, *value;
        size_t n;
} filters[] = {
        { "class", "net", 1 },      { "class", "1", 1 },      { "class", "block", 1 },   { "class", "fs", 0 },
        { "state", "reserved", 2 }, { "state", "ready", 0 },  { "mgmtdev", "bus/m", 2 }, { "mgmtdev", "m", 0 },
        { "owner", "o", 1 },        { "owner", "", 1 },       { "label", "k=v=w", 1 },   { "label", "k=v", 0 },
        { "label", "empty=", 1 },   { "label", "kk=v=w", 0 },
};

START_TEST(test_filters) {
        _cleanup_json_ json_t *page = NULL;
        char token[128] = "";

        add_device("a", "{\"class\":\"net\",\"owner\":\"o\",\"labels\":{\"k\":\"v=w\",\"empty\":\"\"}}");
        add_device("b", "{\"class\":\"block\"}");
        page = list(filters[_i].key, filters[_i].value, NULL, token);
        ck_assert_uint_eq(count_items(page), filters[_i].n);
}
END_TEST

static const struct {
        const char *key, *value, *code;
} bad_parameters[] = {
        { "continue", "", "bad-token" },       { "continue", "0", "bad-token" },
        { "continue", ".a", "bad-token" },     { "continue", "0.", "bad-token" },
        { "continue", "0.A", "bad-token" },    { "continue", "0x1.a", "bad-token" },
        { "continue", "ffff.a", "bad-token" }, { "continue", "10000000000000000.a", "bad-token" },
        { "limit", "0", "out-of-range" },      { "limit", "1001", "out-of-range" },
        { "class", "64", "unknown-class" },    { "state", "gone", "unknown-state" },
        { "mgmtdev", "a/b/c", "bad-handle" },  { "label", "k", "bad-label" },
        { "label", "=v", "bad-label" },
};

START_TEST(test_bad_parameter) {
        JsonFaults faults = {};
        DeviceListing listing;
        HttpQuery query;

        http_query_init(&query, &faults);
        http_query_add(&query, bad_parameters[_i].key, bad_parameters[_i].value);
        http_device_listing_decode(&query, inventory.revision, DEVICE_LISTING_DEFAULT, &listing);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].code, bad_parameters[_i].code);
}
END_TEST

/* What was observed is shown of ready devices only. */
START_TEST(test_status) {
        Device *device = add_device("a", "{\"class\":\"net\"}");
        _cleanup_json_ json_t *reserved = device_encode(device), *ready = NULL, *anonymous = NULL, *failed = NULL;
        const Failure f = { .code = ERROR_BACKEND_FAILED, .detail = "no\xff" };
        json_t *status = json_object_get(reserved, "status");

        ck_assert(json_is_null(json_object_get(status, "driver")));
        ck_assert(json_is_null(json_object_get(status, "vendor_id")));
        ck_assert(json_is_null(json_object_get(status, "features")));
        ck_assert(json_is_null(json_object_get(status, "reason")));
        ck_assert(json_is_null(json_object_get(json_object_get(status, "net"), "mac")));

        device->status = (DeviceStatus){ .driver = BUS_DRIVER_VIRTIO_VDPA,
                                         .endpoint = "eth0",
                                         .max_vqs = 3,
                                         .has_features = true,
                                         .vendor_id = 0x1af4 };
        inventory_set_state(&inventory, device, DEVICE_READY, NULL);
        ready = device_encode(device);
        status = json_object_get(ready, "status");
        ck_assert_str_eq(json_string_value(json_object_get(status, "driver")), "virtio_vdpa");
        ck_assert_str_eq(json_string_value(json_object_get(status, "endpoint")), "eth0");
        ck_assert_int_eq(json_integer_value(json_object_get(status, "vendor_id")), 0x1af4);
        ck_assert(json_is_array(json_object_get(status, "features")));
        ck_assert(json_is_null(json_object_get(status, "vq_size")));

        device->status.vendor_id = 0;
        anonymous = device_encode(device);
        ck_assert(json_is_null(json_object_get(json_object_get(anonymous, "status"), "vendor_id")));

        inventory_set_state(&inventory, device, DEVICE_FAILED, &f);
        failed = device_encode(device);
        status = json_object_get(failed, "status");
        ck_assert(json_is_null(json_object_get(status, "endpoint")));
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(status, "reason"), "code")),
                         "backend-failed");
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(status, "reason"), "detail")), "no?");
}
END_TEST

#define PATCHED                                                                                                    \
        "{\"class\":\"net\",\"net\":{\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500},\"owner\":\"o\","                 \
        "\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"persistent\":false}"

static const struct {
        const char *patch;
        const char *pointer, *code; /* the first fault, or NULL */
} patches[] = {
        { "{}" },
        { "{\"class\":\"net\",\"persistent\":false,\"net\":{\"mtu\":1500}}" },
        { "{\"class\":\"1\"}" },
        { "{\"owner\":null,\"labels\":null,\"net\":{\"mac\":\"02:00:00:00:00:02\"}}" },
        { "{\"labels\":{\"a\":null,\"c\":\"3\"}}" },
        { "{\"class\":\"block\"}", "/spec/net", "wrong-class" },
        { "{\"class\":null}", "/spec/class", "missing" },
        { "{\"persistent\":null}", "/spec/persistent", "immutable" },
        { "{\"mgmtdev\":\"x\"}", "/spec/mgmtdev", "immutable" },
        { "{\"features\":[\"MAC\",\"MTU\"]}", "/spec/features", "immutable" },
        { "{\"net\":{\"mtu\":1400}}", "/spec/net/mtu", "immutable" },
        { "{\"net\":{\"max_vqp\":1}}", "/spec/net/max_vqp", "immutable" },
        { "{\"net\":{\"mac\":null}}", "/spec/net/mac", "immutable" },
        { "{\"net\":null}", "/spec/net/mac", "immutable" },
        { "{\"net\":{\"mac\":\"x\"}}", "/spec/net/mac", "bad-mac" },
        { "{\"endpoint\":{\"uid\":1}}", "/spec/endpoint/uid", "immutable" },
        { "{\"owner\":1}", "/spec/owner", "wrong-type" },
        { "{\"labels\":{\"c\":3}}", "/spec/labels/c", "wrong-type" },
        { "{\"labels\":[]}", "/spec/labels", "wrong-type" },
        { "{\"foo\":{\"bar\":null}}", "/spec/foo", "unknown-field" },
};

START_TEST(test_patch) {
        _cleanup_(device_spec_done) DeviceSpec before = make_spec(PATCHED), after;
        _cleanup_json_ json_t *patch = json_loads(patches[_i].patch, 0, NULL);
        JsonDecoder document, d;
        JsonFaults faults = {};
        DevicePatch p;

        device_spec_init(&after);
        json_decoder_init(&document, &faults);
        json_decoder_enter(&d, &document, "spec");
        (void) device_patch_decode(&d, &before, patch, &after, &p);
        if (patches[_i].code) {
                ck_assert_uint_ge(faults.n, 1);
                ck_assert_str_eq(faults.fault[0].pointer, patches[_i].pointer);
                ck_assert_str_eq(faults.fault[0].code, patches[_i].code);
        } else
                ck_assert_uint_eq(faults.n, 0);
}
END_TEST

START_TEST(test_patch_values) {
        _cleanup_(device_spec_done) DeviceSpec before = make_spec(PATCHED), after;
        _cleanup_json_ json_t *patch = json_loads("{\"labels\":{\"a\":null,\"c\":\"3\"},\"owner\":null}", 0, NULL);
        JsonFaults faults = {};
        DevicePatch p;
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        ck_assert_int_eq(device_patch_decode(&d, &before, patch, &after, &p), 0);
        ck_assert(!p.has_mac);
        ck_assert(p.has_owner);
        ck_assert_ptr_null(p.owner);
        ck_assert(p.has_labels);
        ck_assert_uint_eq(json_object_size(p.labels), 2);
        ck_assert(json_is_null(json_object_get(p.labels, "a")));
        ck_assert_str_eq(json_string_value(json_object_get(p.labels, "c")), "3");
        /* What is patched is left alone. */
        ck_assert_str_eq(before.owner, "o");
        ck_assert_str_eq(json_string_value(json_object_get(before.labels, "a")), "1");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("http-device");
        TCase *tcase = tcase_create("device");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, test_pages);
        tcase_add_test(tcase, test_sparse);
        tcase_add_loop_test(tcase, test_filters, 0, (int) ELEMENTSOF(filters));
        tcase_add_loop_test(tcase, test_bad_parameter, 0, (int) ELEMENTSOF(bad_parameters));
        tcase_add_test(tcase, test_status);
        tcase_add_loop_test(tcase, test_patch, 0, (int) ELEMENTSOF(patches));
        tcase_add_test(tcase, test_patch_values);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
