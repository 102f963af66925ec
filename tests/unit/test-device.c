/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A device, its states and its uid, and what can be wrong with it. */
#include "inventory/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/mgmtdev.h"
#include "unit.h"

/* 63 bytes, the longest name. */
#define LONG_NAME "a23456789012345678901234567890123456789012345678901234567890123"

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
