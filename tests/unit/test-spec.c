/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a spec may say: names, handles, addresses; its copies; and which two specs ask for the same. */
#include "inventory/spec.h"

#include <errno.h>
#include <string.h>

#include "inventory/spec-json.h"
#include "unit.h"

/* 63 bytes, the longest name; and its first byte once more. */
#define LONG_NAME "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
        const char *text;
        bool valid;
} names[] = {
        { "a", true },
        { "0", true },
        { "vm42-net0", true },
        { "a.b_c-d", true },
        { "a..b", true },
        { LONG_NAME, true },
        { "", false },
        { "A", false },
        { ".", false },
        { "..", false },
        { "a.", false },
        { "-a", false },
        { "_a", false },
        { "a-", false },
        { "a/b", false },
        { "a b", false },
        { "a\n", false },
        { "a%", false },
        { "\xc3\xa4", false },
        { LONG_NAME "a", false },
        { "a\xc3\xa4"
          "b",
          false },
};

START_TEST(test_device_name) {
        ck_assert_int_eq(device_name_is_valid(names[_i].text), names[_i].valid);
}
END_TEST

static const struct {
        const char *text;
        bool valid;
} handles[] = {
        { "vdpasim_net", true },
        { "pci/0000:01:00.0", true },
        { "auxiliary/mlx5_core.sf.4", true },
        { "a/b", true },
        { "", false },
        { "/", false },
        { "a/", false },
        { "/a", false },
        { "a//b", false },
        { "a/b/c", false },
        { ".", false },
        { "..", false },
        { "a/..", false },
        { "../a", false },
        { ".hidden", false },
        { "a b", false },
        { "a\tb", false },
        { "a\x7f", false },
        { "\xc3\xa4", false },
};

START_TEST(test_handle) {
        ck_assert_int_eq(handle_is_valid(handles[_i].text), handles[_i].valid);
}
END_TEST

START_TEST(test_handle_too_long) {
        char handle[HANDLE_MAX + 1];

        memset(handle, 'a', sizeof handle - 1);
        handle[HANDLE_MAX] = '\0';
        ck_assert(!handle_is_valid(handle));
        handle[HANDLE_MAX - 1] = '\0';
        ck_assert(handle_is_valid(handle));
}
END_TEST

static const struct {
        const char *text;
        int r;
        const char *again;
} macs[] = {
        { "02:00:00:00:00:2a", 0, "02:00:00:00:00:2a" },
        { "FE:ff:Ff:fF:00:09", 0, "fe:ff:ff:ff:00:09" },
        { "00:00:00:00:00:01", 0, "00:00:00:00:00:01" },
        { "00:00:00:00:00:00", -EADDRNOTAVAIL, NULL },
        { "01:00:00:00:00:00", -EADDRNOTAVAIL, NULL },
        { "ff:ff:ff:ff:ff:ff", -EADDRNOTAVAIL, NULL },
        { "", -EINVAL, NULL },
        { "02:00:00:00:00", -EINVAL, NULL },
        { "02:00:00:00:00:2", -EINVAL, NULL },
        { "02:00:00:00:00:2a:", -EINVAL, NULL },
        { "02-00-00-00-00-2a", -EINVAL, NULL },
        { "0g:00:00:00:00:2a", -EINVAL, NULL },
        { "02:00:00:00:00:2g", -EINVAL, NULL },
        { "+2:00:00:00:00:2a", -EINVAL, NULL },
        { " 2:00:00:00:00:2a", -EINVAL, NULL },
        { "0200:00:00:00:002a", -EINVAL, NULL },
};

START_TEST(test_mac) {
        uint8_t mac[6] = { 9, 9, 9, 9, 9, 9 };
        char text[MAC_TEXT_MAX];

        ck_assert_int_eq(mac_parse(macs[_i].text, mac), macs[_i].r);
        ck_assert_str_eq(mac_format(mac, text), macs[_i].again ? macs[_i].again : "09:09:09:09:09:09");
}
END_TEST

START_TEST(test_bus_driver) {
        BusDriver driver = BUS_DRIVER_NONE;

        ck_assert_int_eq(bus_driver_parse("vhost_vdpa", &driver), 0);
        ck_assert_int_eq(driver, BUS_DRIVER_VHOST_VDPA);
        ck_assert_int_eq(bus_driver_parse("virtio_vdpa", &driver), 0);
        ck_assert_int_eq(driver, BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_int_eq(bus_driver_parse("other", &driver), -EINVAL);
        ck_assert_int_eq(bus_driver_parse("", &driver), -EINVAL);
        ck_assert_int_eq(driver, BUS_DRIVER_VIRTIO_VDPA);
        ck_assert_ptr_null(bus_driver_name(BUS_DRIVER_NONE));
        ck_assert_str_eq(bus_driver_name(BUS_DRIVER_OTHER), "other");
}
END_TEST

static void decode(const char *text, DeviceSpec *ret) {
        _cleanup_json_ json_t *json = json_loads(text, 0, NULL);
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        ck_assert_msg(device_spec_decode(&d, json, ret) == 0, "%s: %s", text, faults.fault[0].detail);
}

static const char *const full_spec = "{\"class\":\"net\",\"mgmtdev\":\"a/b\",\"features\":[\"MAC\",\"MTU\",\"MQ\"],"
                                     "\"net\":{\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,\"max_vqp\":4},\"owner\":"
                                     "\"o\",\"labels\":{\"k\":\"v\"}}";

START_TEST(test_copy_is_deep) {
        _cleanup_(device_spec_done) DeviceSpec spec, copy;

        decode(full_spec, &spec);
        ck_assert_int_eq(device_spec_copy(&spec, &copy), 0);
        ck_assert(device_spec_equal(&spec, &copy));
        ck_assert_ptr_ne(spec.mgmtdev, copy.mgmtdev);
        ck_assert_ptr_ne(spec.owner, copy.owner);
        ck_assert_ptr_ne(spec.labels, copy.labels);
        ck_assert_ptr_ne(json_object_get(spec.labels, "k"), json_object_get(copy.labels, "k"));
        device_spec_done(&spec);
        ck_assert_str_eq(json_string_value(json_object_get(copy.labels, "k")), "v");
        ck_assert_str_eq(copy.mgmtdev, "a/b");
        ck_assert_str_eq(copy.owner, "o");
}
END_TEST

START_TEST(test_copy_of_little) {
        _cleanup_(device_spec_done) DeviceSpec spec, copy;

        decode("{\"class\":\"fs\"}", &spec);
        ck_assert_int_eq(device_spec_copy(&spec, &copy), 0);
        ck_assert(device_spec_equal(&spec, &copy));
        ck_assert_ptr_null(copy.mgmtdev);
        ck_assert_ptr_null(copy.labels);
}
END_TEST

#define NET     "{\"class\":\"net\""
#define WITH(s) NET ",\"" s "\":"

static const struct {
        const char *a, *b;
        bool equal;
} pairs[] = {
        { NET "}", NET ",\"net\":{},\"persistent\":true,\"driver\":\"vhost_vdpa\"}", true },
        { WITH("labels") "{\"a\":\"1\",\"b\":\"2\"}}", WITH("labels") "{\"b\":\"2\",\"a\":\"1\"}}", true },
        { WITH("features") "[\"MAC\",\"MQ\"]}", WITH("features") "[\"MQ\",\"MAC\"]}", true },
        { WITH("endpoint") "{\"mode\":\"600\"}}", NET "}", true },
        { NET "}", "{\"class\":\"block\"}", false },
        { NET "}", WITH("features") "[]}", false },
        { NET "}", WITH("mgmtdev") "\"a\"}", false },
        { NET "}", WITH("driver") "\"virtio_vdpa\"}", false },
        { NET "}", WITH("owner") "\"a\"}", false },
        { NET "}", WITH("labels") "{\"a\":\"\"}}", false },
        { NET "}", WITH("persistent") "false}", false },
        { NET "}", WITH("endpoint") "{\"uid\":1}}", false },
        { NET "}", WITH("endpoint") "{\"gid\":1}}", false },
        { NET "}", WITH("net") "{\"mac\":\"02:00:00:00:00:01\"}}", false },
        { NET "}", WITH("net") "{\"mtu\":1500}}", false },
        { NET "}", WITH("net") "{\"max_vqp\":1}}", false },
};

START_TEST(test_equal) {
        _cleanup_(device_spec_done) DeviceSpec a, b;

        decode(pairs[_i].a, &a);
        decode(pairs[_i].b, &b);
        ck_assert_int_eq(device_spec_equal(&a, &b), pairs[_i].equal);
        ck_assert_int_eq(device_spec_equal(&b, &a), pairs[_i].equal);
        ck_assert(device_spec_equal(&a, &a));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_device_name, 0, (int) ELEMENTSOF(names));
        tcase_add_loop_test(tcase, test_handle, 0, (int) ELEMENTSOF(handles));
        tcase_add_test(tcase, test_handle_too_long);
        tcase_add_loop_test(tcase, test_mac, 0, (int) ELEMENTSOF(macs));
        tcase_add_test(tcase, test_bus_driver);
        tcase_add_test(tcase, test_copy_is_deep);
        tcase_add_test(tcase, test_copy_of_little);
        tcase_add_loop_test(tcase, test_equal, 0, (int) ELEMENTSOF(pairs));
}

int main(void) {
        return unit_main("spec", add);
}
