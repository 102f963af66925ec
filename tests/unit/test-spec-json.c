/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/spec-json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "unit.h"

static int decode(json_t *json, DeviceSpec *ret, JsonFaults *faults) {
        JsonDecoder document, d;

        *faults = (JsonFaults){};
        json_decoder_init(&document, faults);
        json_decoder_enter(&d, &document, "spec");
        return device_spec_decode(&d, json, ret);
}

static int decode_text(const char *text, DeviceSpec *ret, JsonFaults *faults) {
        _cleanup_json_ json_t *json = json_loads(text, JSON_ALLOW_NUL, NULL);

        ck_assert_msg(json, "%s", text);
        return decode(json, ret, faults);
}

static void decode_good(const char *text, DeviceSpec *ret) {
        JsonFaults faults;
        int r = decode_text(text, ret, &faults);

        ck_assert_msg(r == 0, "%s: %s %s", text, faults.fault[0].pointer, faults.fault[0].detail);
}

static char *encode_text(const DeviceSpec *spec) {
        _cleanup_json_ json_t *json = device_spec_encode(spec);
        char *text;

        ck_assert_ptr_nonnull(json);
        text = json_dumps(json, JSON_COMPACT);
        ck_assert_ptr_nonnull(text);
        return text;
}

/* All that has a default, filled in; and one form for what can be written in several. */
static const struct {
        const char *text, *normal;
} normals[] = {
        { "{\"class\":\"fs\"}",
          "{\"class\":\"fs\",\"driver\":\"vhost_vdpa\",\"persistent\":true,\"lease_seconds\":0,"
          "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}" },
        { "{\"class\":\"1\",\"owner\":\"\",\"labels\":{},\"mgmtdev\":null,\"net\":null,\"lease_seconds\":0}",
          "{\"class\":\"net\",\"driver\":\"vhost_vdpa\",\"net\":{},\"persistent\":true,\"lease_seconds\":0,"
          "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}" },
        { "{\"class\":\"net\",\"features\":[\"MTU\",\"MAC\",\"MQ\",\"MAC\"],"
          "\"net\":{\"mac\":\"02:00:00:00:00:AB\",\"mtu\":68,\"max_vqp\":32767},\"mgmtdev\":\"pci/0000:01:00.0\","
          "\"driver\":\"virtio_vdpa\",\"owner\":\"vm:42\",\"labels\":{\"b\":\"\",\"a\":\"x\"},\"persistent\":false,"
          "\"endpoint\":{\"uid\":4294967294,\"gid\":7,\"mode\":\"7\"}}",
          "{\"class\":\"net\",\"mgmtdev\":\"pci/0000:01:00.0\",\"driver\":\"virtio_vdpa\","
          "\"features\":[\"MTU\",\"MAC\",\"MQ\"],"
          "\"net\":{\"mac\":\"02:00:00:00:00:ab\",\"mtu\":68,\"max_vqp\":32767},\"owner\":\"vm:42\","
          "\"labels\":{\"b\":\"\",\"a\":\"x\"},\"persistent\":false,\"lease_seconds\":0,"
          "\"endpoint\":{\"uid\":4294967294,\"gid\":7,\"mode\":\"0007\"}}" },
        { "{\"class\":\"block\",\"features\":[]}",
          "{\"class\":\"block\",\"driver\":\"vhost_vdpa\",\"features\":[],\"persistent\":true,\"lease_seconds\":0,"
          "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}" },
        { "{\"class\":\"7\",\"features\":[\"bit_63\",\"bit_0\"],\"endpoint\":{}}",
          "{\"class\":\"7\",\"driver\":\"vhost_vdpa\",\"features\":[\"bit_0\",\"bit_63\"],\"persistent\":true,"
          "\"lease_seconds\":0,\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}" },
        { "{\"class\":\"9\",\"vqs\":1024,\"vq_groups\":64,\"msi_policy\":\"shared\",\"placement\":{\"labels\":{"
          "\"r\":\"1\"},\"numa_node\":0,\"policy\":\"pack\"}}",
          "{\"class\":\"9p\",\"driver\":\"vhost_vdpa\",\"persistent\":true,\"lease_seconds\":0,"
          "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"},\"vqs\":1024,\"vq_groups\":64,"
          "\"msi_policy\":\"shared\",\"placement\":{\"policy\":\"pack\",\"numa_node\":0,\"labels\":{\"r\":\"1\"}}"
          "}" },
        { "{\"class\":\"fs\",\"msi_policy\":\"exclusive\",\"placement\":{\"labels\":{}}}",
          "{\"class\":\"fs\",\"driver\":\"vhost_vdpa\",\"persistent\":true,\"lease_seconds\":0,"
          "\"endpoint\":{\"uid\":0,\"gid\":0,\"mode\":\"0600\"}}" },
};

START_TEST(test_normal_form) {
        _cleanup_(device_spec_done) DeviceSpec spec, again;
        _cleanup_free_ char *text = NULL;

        decode_good(normals[_i].text, &spec);
        text = encode_text(&spec);
        ck_assert_str_eq(text, normals[_i].normal);
        decode_good(normals[_i].normal, &again);
        ck_assert(device_spec_equal(&spec, &again));
}
END_TEST

#define NET    "{\"class\":\"net\""
#define A(n)   n n n n n n n n n n
#define BAD(s) NET ",\"" s "\":"

static const struct {
        const char *text, *pointer, *code;
} refusals[] = {
        { "{}", "/spec/class", "missing" },
        { "{\"class\":null}", "/spec/class", "missing" },
        { "{\"class\":\"nett\"}", "/spec/class", "unknown-class" },
        { "{\"class\":\"0\"}", "/spec/class", "unknown-class" },
        { "{\"class\":1}", "/spec/class", "wrong-type" },
        { BAD("Driver") "1}", "/spec/Driver", "unknown-field" },
        { BAD("driver") "\"vdpa\"}", "/spec/driver", "unknown-driver" },
        { BAD("driver") "\"other\"}", "/spec/driver", "unknown-driver" },
        { BAD("driver") "[]}", "/spec/driver", "wrong-type" },
        { BAD("mgmtdev") "\"../x\"}", "/spec/mgmtdev", "bad-handle" },
        { BAD("mgmtdev") "\"\"}", "/spec/mgmtdev", "bad-handle" },
        { BAD("mgmtdev") "\"" A("0123456789") A("0123456789") "\"}", "/spec/mgmtdev", "too-long" },
        { BAD("features") "{}}", "/spec/features", "wrong-type" },
        { BAD("features") "[\"MAC\",1]}", "/spec/features/1", "wrong-type" },
        { BAD("features") "[\"FLUSH\"]}", "/spec/features/0", "unknown-feature" },
        { BAD("features") "[\"bit_5\"]}", "/spec/features/0", "unknown-feature" },
        { BAD("features") "[\"\"]}", "/spec/features/0", "unknown-feature" },
        { BAD("features") "[" A("1,1,1,1,1,1,1,") "1]}", "/spec/features", "out-of-range" },
        { BAD("net") "[]}", "/spec/net", "wrong-type" },
        { BAD("net") "{\"mac\":\"x\"}}", "/spec/net/mac", "bad-mac" },
        { BAD("net") "{\"mac\":\"01:00:00:00:00:00\"}}", "/spec/net/mac", "bad-mac" },
        { BAD("net") "{\"mac\":1}}", "/spec/net/mac", "wrong-type" },
        { BAD("net") "{\"mtu\":67}}", "/spec/net/mtu", "out-of-range" },
        { BAD("net") "{\"mtu\":65536}}", "/spec/net/mtu", "out-of-range" },
        { BAD("net") "{\"mtu\":-1}}", "/spec/net/mtu", "out-of-range" },
        { BAD("net") "{\"max_vqp\":0}}", "/spec/net/max_vqp", "out-of-range" },
        { BAD("net") "{\"max_vqp\":32768}}", "/spec/net/max_vqp", "out-of-range" },
        { BAD("net") "{\"vlan\":1}}", "/spec/net/vlan", "unknown-field" },
        { BAD("features") "[],\"net\":{\"mac\":\"02:00:00:00:00:01\"}}", "/spec/net/mac", "needs-feature" },
        { BAD("features") "[\"MAC\"],\"net\":{\"mtu\":1500}}", "/spec/net/mtu", "needs-feature" },
        { BAD("features") "[\"MAC\"],\"net\":{\"max_vqp\":2}}", "/spec/net/max_vqp", "needs-feature" },
        { "{\"class\":\"block\",\"net\":{}}", "/spec/net", "wrong-class" },
        { BAD("owner") "7}", "/spec/owner", "wrong-type" },
        { BAD("owner") "\"a\\u0000\"}", "/spec/owner", "bad-string" },
        { BAD("owner") "\"" A("0123456789012345678901234") "0123456\"}", "/spec/owner", "too-long" },
        { BAD("labels") "[]}", "/spec/labels", "wrong-type" },
        { BAD("labels") "{\"a/b\":1}}", "/spec/labels/a~1b", "wrong-type" },
        { BAD("labels") "{\"a\":null}}", "/spec/labels/a", "wrong-type" },
        { BAD("labels") "{\"\":\"\"}}", "/spec/labels/", "too-long" },
        { BAD("labels") "{\"" A("abcdef") "abcd\":\"\"}}", "/spec/labels/" A("abcdef") "abcd", "too-long" },
        { BAD("labels") "{\"a\":\"" A("0123456789012345678901234") "0123456\"}}", "/spec/labels/a", "too-long" },
        { BAD("labels") "{\"a\":\"b\\u0000\"}}", "/spec/labels/a", "bad-string" },
        { BAD("persistent") "1}", "/spec/persistent", "wrong-type" },
        { BAD("lease_seconds") "31622401}", "/spec/lease_seconds", "out-of-range" },
        { BAD("lease_seconds") "-1}", "/spec/lease_seconds", "out-of-range" },
        { BAD("vqs") "3}", "/spec/vqs", "wrong-class" },
        { "{\"class\":\"block\",\"vqs\":0}", "/spec/vqs", "out-of-range" },
        { "{\"class\":\"block\",\"vqs\":1025}", "/spec/vqs", "out-of-range" },
        { BAD("vq_groups") "0}", "/spec/vq_groups", "out-of-range" },
        { BAD("vq_groups") "65}", "/spec/vq_groups", "out-of-range" },
        { BAD("msi_policy") "\"some\"}", "/spec/msi_policy", "unknown-policy" },
        { BAD("placement") "\"pack\"}", "/spec/placement", "wrong-type" },
        { BAD("placement") "{\"policy\":\"best\"}}", "/spec/placement/policy", "unknown-policy" },
        { BAD("placement") "{\"numa_node\":-1}}", "/spec/placement/numa_node", "out-of-range" },
        { BAD("placement") "{\"numa_node\":1024}}", "/spec/placement/numa_node", "out-of-range" },
        { BAD("placement") "{\"labels\":{\"a\":1}}}", "/spec/placement/labels/a", "wrong-type" },
        { BAD("placement") "{\"rack\":1}}", "/spec/placement/rack", "unknown-field" },
        { BAD("endpoint") "7}", "/spec/endpoint", "wrong-type" },
        { BAD("endpoint") "{\"uid\":-1}}", "/spec/endpoint/uid", "out-of-range" },
        { BAD("endpoint") "{\"uid\":4294967295}}", "/spec/endpoint/uid", "out-of-range" },
        { BAD("endpoint") "{\"gid\":4294967295}}", "/spec/endpoint/gid", "out-of-range" },
        { BAD("endpoint") "{\"mode\":384}}", "/spec/endpoint/mode", "wrong-type" },
        { BAD("endpoint") "{\"mode\":\"0800\"}}", "/spec/endpoint/mode", "bad-mode" },
        { BAD("endpoint") "{\"mode\":\"1777\"}}", "/spec/endpoint/mode", "bad-mode" },
        { BAD("endpoint") "{\"mode\":\"\"}}", "/spec/endpoint/mode", "bad-mode" },
        { BAD("endpoint") "{\"mode\":\"-600\"}}", "/spec/endpoint/mode", "bad-mode" },
        { BAD("endpoint") "{\"mode\":\"0600 \"}}", "/spec/endpoint/mode", "bad-mode" },
        { BAD("endpoint") "{\"mode\":\"000000600\"}}", "/spec/endpoint/mode", "too-long" },
        { BAD("endpoint") "{\"path\":\"\"}}", "/spec/endpoint/path", "unknown-field" },
};

START_TEST(test_refusal) {
        DeviceSpec spec = { .class = 99 };
        JsonFaults faults;

        ck_assert_int_eq(decode_text(refusals[_i].text, &spec, &faults), -EINVAL);
        ck_assert_uint_eq(spec.class, 99);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].pointer, refusals[_i].pointer);
        ck_assert_str_eq(faults.fault[0].code, refusals[_i].code);
}
END_TEST

/* Every fault at once. */
START_TEST(test_all_faults) {
        static const char *const expected[] = { "/spec/driver",  "/spec/features/0", "/spec/net/mtu",
                                                "/spec/mgmtdev", "/spec/owner",      "/spec/extra" };
        DeviceSpec spec;
        JsonFaults faults;

        ck_assert_int_eq(decode_text("{\"class\":\"net\",\"driver\":\"x\",\"features\":[\"x\"],\"net\":{\"mtu\":1},"
                                     "\"mgmtdev\":\"/\",\"owner\":[],\"extra\":1}",
                                     &spec, &faults),
                         -EINVAL);
        ck_assert_uint_eq(faults.n, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                ck_assert_str_eq(faults.fault[i].pointer, expected[i]);
}
END_TEST

/* What was wrong before the spec is not the spec's fault. */
START_TEST(test_fault_before) {
        _cleanup_json_ json_t *json = json_pack("{s:s}", "class", "net");
        _cleanup_(device_spec_done) DeviceSpec spec;
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        json_fault(&d, "name", "code", "detail");
        ck_assert_int_eq(device_spec_decode(&d, json, &spec), 0);
        ck_assert_uint_eq(faults.n, 1);
}
END_TEST

START_TEST(test_too_many_labels) {
        for (size_t n = LABELS_MAX; n <= LABELS_MAX + 1; n++) {
                _cleanup_json_ json_t *json = json_pack("{s:s, s:{}}", "class", "net", "labels");
                DeviceSpec spec;
                JsonFaults faults;

                for (size_t i = 0; i < n; i++) {
                        char key[24];

                        (void) snprintf(key, sizeof key, "k%zu", i);
                        json_object_set_new(json_object_get(json, "labels"), key, json_string("v"));
                }
                ck_assert_int_eq(decode(json, &spec, &faults), n > LABELS_MAX ? -EINVAL : 0);
                if (n > LABELS_MAX)
                        ck_assert_str_eq(faults.fault[0].pointer, "/spec/labels");
                else
                        device_spec_done(&spec);
        }
}
END_TEST

START_TEST(test_labels_alone) {
        _cleanup_json_ json_t *good = json_pack("{s:s}", "a", "b"), *bad = json_pack("{s:i}", "a", 1),
                              *empty = json_object(), *labels = NULL, *none = NULL;
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        ck_assert_int_eq(labels_decode(&d, good, &labels), 0);
        ck_assert(json_equal(labels, good));
        ck_assert_ptr_ne(labels, good);
        ck_assert_int_eq(labels_decode(&d, empty, &none), 0);
        ck_assert_ptr_null(none);
        ck_assert_uint_eq(faults.n, 0);
        ck_assert_int_eq(labels_decode(&d, bad, &none), 0);
        ck_assert_ptr_null(none);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].pointer, "/a");
}
END_TEST

static const char *const full_spec = "{\"class\":\"net\",\"mgmtdev\":\"a/b\",\"features\":[\"MAC\",\"MTU\",\"MQ\"],"
                                     "\"net\":{\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,\"max_vqp\":4},\"owner\":"
                                     "\"o\",\"labels\":{\"k\":\"v\"},\"vq_groups\":2,\"msi_policy\":\"shared\","
                                     "\"placement\":{\"policy\":\"spread\",\"numa_node\":1,\"labels\":{\"k\":"
                                     "\"v\"}}}";

static unsigned n_allocations_left;

static void *allocate_few(size_t size) {
        if (n_allocations_left == 0)
                return NULL;
        n_allocations_left--;
        return malloc(size);
}

/* Out of memory there is no JSON, and not one that lacks what was asked for. */
START_TEST(test_encode_out_of_memory) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        _cleanup_json_ json_t *whole = NULL, *json = NULL;

        decode_good(full_spec, &spec);
        whole = device_spec_encode(&spec);
        json_set_alloc_funcs(allocate_few, free);
        for (unsigned n = 0; !json; n++) {
                n_allocations_left = n;
                json = device_spec_encode(&spec);
                ck_assert_uint_lt(n, 1000);
        }
        json_set_alloc_funcs(malloc, free);
        ck_assert(json_equal(json, whole));
}
END_TEST

START_TEST(test_decode_out_of_memory) {
        _cleanup_json_ json_t *json = json_loads(full_spec, 0, NULL);
        DeviceSpec spec;
        JsonFaults faults;
        int r = -ENOMEM;

        json_set_alloc_funcs(allocate_few, free);
        for (unsigned n = 0; r == -ENOMEM; n++) {
                n_allocations_left = n;
                r = decode(json, &spec, &faults);
                ck_assert_uint_lt(n, 1000);
        }
        json_set_alloc_funcs(malloc, free);
        ck_assert_int_eq(r, 0);
        device_spec_done(&spec);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_normal_form, 0, (int) ELEMENTSOF(normals));
        tcase_add_loop_test(tcase, test_refusal, 0, (int) ELEMENTSOF(refusals));
        tcase_add_test(tcase, test_all_faults);
        tcase_add_test(tcase, test_fault_before);
        tcase_add_test(tcase, test_too_many_labels);
        tcase_add_test(tcase, test_labels_alone);
        tcase_add_test(tcase, test_encode_out_of_memory);
        tcase_add_test(tcase, test_decode_out_of_memory);
}

int main(void) {
        return unit_main("spec-json", add);
}
