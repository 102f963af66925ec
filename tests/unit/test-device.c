/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device, and the texts that name it and what is wrong with it. */
#include "inventory/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/mgmtdev.h"
#include "unit.h"

/* 63 bytes, the longest name; and its first byte once more. */
#define LONG_NAME "a23456789012345678901234567890123456789012345678901234567890123"

static const struct {
        const char *text;
        bool valid;
} names[] = {
        { "a", true },          { "0", true },      { "vm42-net0", true }, { "a.b_c-d", true }, { "a..b", true },
        { LONG_NAME, true },    { "", false },      { "A", false },        { ".", false },      { "..", false },
        { "a.", false },        { "-a", false },    { "_a", false },       { "a-", false },     { "a/b", false },
        { "a b", false },       { "a\n", false },   { "a%", false },       { "\xc3\xa4", false }, { LONG_NAME "a", false },
        { "a\xc3\xa4" "b", false },
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

START_TEST(test_state) {
        static const char *const state_names[] = { "reserved", "creating", "ready", "deleting", "failed", "lost" };
        DeviceState state;

        ck_assert_uint_eq(ELEMENTSOF(state_names), _DEVICE_STATE_MAX);
        for (DeviceState s = 0; s < _DEVICE_STATE_MAX; s++) {
                ck_assert_str_eq(device_state_name(s), state_names[s]);
                ck_assert_int_eq(device_state_parse(state_names[s], &state), 0);
                ck_assert_int_eq(state, s);
        }
        ck_assert_int_eq(device_state_parse("", &state), -EINVAL);
        ck_assert_int_eq(device_state_parse("gone", &state), -EINVAL);
}
END_TEST

START_TEST(test_transport) {
        ck_assert_str_eq(transport_name(TRANSPORT_OTHER), "other");
        ck_assert_str_eq(transport_name(TRANSPORT_PCI_PF), "pci-pf");
        ck_assert_str_eq(transport_name(TRANSPORT_PCI_VF), "pci-vf");
        ck_assert_str_eq(transport_name(TRANSPORT_SUBFUNCTION), "subfunction");
}
END_TEST

START_TEST(test_uid) {
        char first[UID_TEXT_MAX], same[UID_TEXT_MAX], later[UID_TEXT_MAX];

        uid_generate(UINT64_C(1795344691123456), first);
        uid_generate(UINT64_C(1795344691123456), same);
        uid_generate(UINT64_C(1795344691124456), later);
        ck_assert(uid_is_valid(first));
        ck_assert_str_ne(first, same);
        ck_assert_int_eq(strncmp(first, same, 13), 0);
        ck_assert_int_lt(strcmp(first, later), 0);
        ck_assert_int_eq(strncmp(first, "01a202e1-efb3-7", 15), 0);
        ck_assert_ptr_nonnull(strchr("89ab", first[19]));
}
END_TEST

static const char *const no_uids[] = {
        "",
        "00000000-0000-7000-8000-00000000000",
        "00000000-0000-7000-8000-0000000000000",
        "00000000-0000-7000-8000-00000000000g",
        "000000000000700080000000000000000000",
        "00000000000070008000000000000000",
};

START_TEST(test_no_uid) {
        ck_assert(!uid_is_valid(no_uids[_i]));
}
END_TEST

START_TEST(test_new) {
        Device *device = NULL;
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = CLASS_NET;
        spec.owner = strdup("me");
        ck_assert_int_eq(device_new(LONG_NAME, &spec, 1000, &device), 0);
        ck_assert_ptr_null(spec.owner);
        ck_assert_uint_eq(spec.class, 0);
        ck_assert_str_eq(device->name, LONG_NAME);
        ck_assert_str_eq(device->spec.owner, "me");
        ck_assert(uid_is_valid(device->uid));
        ck_assert_int_eq(device->state, DEVICE_RESERVED);
        ck_assert_uint_eq(device->generation, 1);
        ck_assert_uint_eq(device->revision, 0);
        ck_assert_uint_eq(device->created_usec, 1000);
        ck_assert_ptr_null(device->reason);
        ck_assert_ptr_null(device_free(device));
        ck_assert_ptr_null(device_free(NULL));
}
END_TEST

START_TEST(test_reason) {
        Failure f = { .code = ERROR_IN_USE, .error = EBUSY, .detail = "why" };
        _cleanup_(device_freep) Device *device = NULL;
        DeviceSpec spec;

        device_spec_init(&spec);
        ck_assert_int_eq(device_new("a", &spec, 0, &device), 0);
        device_set_reason(device, &f);
        f.detail[0] = 'W';
        ck_assert_str_eq(device->reason->detail, "why");
        ck_assert_int_eq(device->reason->code, ERROR_IN_USE);
        /* Its own reason once more. */
        device_set_reason(device, device->reason);
        ck_assert_str_eq(device->reason->detail, "why");
        device_set_reason(device, NULL);
        ck_assert_ptr_null(device->reason);
}
END_TEST

START_TEST(test_error_table) {
        for (ErrorCode e = ERROR_NONE + 1; e < _ERROR_MAX; e++) {
                const ErrorInfo *info = error_info(e);
                ErrorCode again = ERROR_NONE;

                ck_assert_int_eq(error_parse(info->code, &again), 0);
                ck_assert_int_eq(again, e);
                ck_assert_uint_ge(info->http_status, 400);
                ck_assert_uint_lt(info->http_status, 600);
                ck_assert_uint_eq(strspn(info->code, "abcdefghijklmnopqrstuvwxyz-"), strlen(info->code));
                ck_assert(info->dbus_name[0] >= 'A' && info->dbus_name[0] <= 'Z');
                ck_assert(info->title[0]);
                for (ErrorCode other = ERROR_NONE + 1; other < e; other++)
                        ck_assert_str_ne(error_info(other)->dbus_name, info->dbus_name);
        }
}
END_TEST

START_TEST(test_error_parse) {
        ErrorCode e = ERROR_NONE;

        ck_assert_int_eq(error_parse("in-use", &e), 0);
        ck_assert_int_eq(e, ERROR_IN_USE);
        ck_assert_int_eq(error_parse("", &e), -EINVAL);
        ck_assert_int_eq(error_parse("IN_USE", &e), -EINVAL);
        ck_assert_int_eq(e, ERROR_IN_USE);
}
END_TEST

START_TEST(test_failure_set) {
        Failure f = FAILURE_INIT;

        ck_assert_int_eq(failure_set(&f, ERROR_IN_USE, EBUSY, "%s is open", "x"), -EBUSY);
        ck_assert_int_eq(f.code, ERROR_IN_USE);
        ck_assert_int_eq(f.error, EBUSY);
        ck_assert_str_eq(f.detail, "x is open");
        ck_assert_int_eq(failure_set(&f, ERROR_INTERNAL, -ENOENT, "y"), -ENOENT);
        ck_assert_int_eq(f.error, ENOENT);
        ck_assert_int_eq(failure_set(&f, ERROR_INTERNAL, 0, "z"), -EIO);
        ck_assert_int_eq(f.error, 0);
        ck_assert_int_eq(failure_set(NULL, ERROR_INTERNAL, EPERM, "z"), -EPERM);
}
END_TEST

START_TEST(test_failure_append) {
        Failure f = FAILURE_INIT;

        (void) failure_set(&f, ERROR_IN_USE, EBUSY, "a");
        failure_append(&f, "; %s", "b");
        ck_assert_str_eq(f.detail, "a; b");
        for (int i = 0; i < 1000; i++)
                failure_append(&f, "; %d", i);
        ck_assert_uint_eq(strlen(f.detail), sizeof f.detail - 1);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_device_name, 0, (int) ELEMENTSOF(names));
        tcase_add_loop_test(tcase, test_handle, 0, (int) ELEMENTSOF(handles));
        tcase_add_test(tcase, test_handle_too_long);
        tcase_add_loop_test(tcase, test_mac, 0, (int) ELEMENTSOF(macs));
        tcase_add_test(tcase, test_bus_driver);
        tcase_add_test(tcase, test_state);
        tcase_add_test(tcase, test_transport);
        tcase_add_test(tcase, test_uid);
        tcase_add_loop_test(tcase, test_no_uid, 0, (int) ELEMENTSOF(no_uids));
        tcase_add_test(tcase, test_new);
        tcase_add_test(tcase, test_reason);
        tcase_add_test(tcase, test_error_table);
        tcase_add_test(tcase, test_error_parse);
        tcase_add_test(tcase, test_failure_set);
        tcase_add_test(tcase, test_failure_append);
}

int main(void) {
        return unit_main("device", add);
}
