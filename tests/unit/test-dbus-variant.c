/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dbus/variant.h"

static sd_bus *bus;
static int peer = -1;

/* A connection that nobody answers, for messages need one. */
static void setup(void) {
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        peer = fds[1];
        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, fds[0], fds[0]), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
}

static void teardown(void) {
        sd_bus_close(bus);
        bus = sd_bus_unref(bus);
        close(peer);
}

static sd_bus_message *new_message(void) {
        sd_bus_message *m;

        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &m, NULL, "/", NULL, "M"), 0);
        return m;
}

static void seal(sd_bus_message *m) {
        ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
        ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
}

static json_t *read_object(sd_bus_message *m, JsonFaults *faults) {
        json_t *object = NULL;
        JsonDecoder d;

        *faults = (JsonFaults){};
        json_decoder_init(&d, faults);
        ck_assert_int_ge(variant_read_object(m, &d, &object), 0);
        ck_assert_int_gt(sd_bus_message_at_end(m, true), 0);
        return object;
}

static const char *const round_trips[] = {
        "{}",
        "{\"s\": \"x\", \"empty\": \"\", \"utf8\": \"\\u00e4\\ud83d\\ude00\"}",
        "{\"i\": 0, \"min\": -9223372036854775808, \"max\": 9223372036854775807}",
        "{\"t\": true, \"f\": false, \"r\": 1.5}",
        "{\"a\": [], \"b\": [1, \"x\", [true], {}], \"o\": {\"o\": {\"o\": {}}}}",
        "{\"nulls\": [null]}",
};

START_TEST(test_round_trip) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_json_ json_t *before = json_loads(round_trips[_i], 0, NULL), *after = NULL;
        JsonFaults faults;

        ck_assert_ptr_nonnull(before);
        ck_assert_int_ge(variant_append_object(m, before), 0);
        seal(m);
        ck_assert_str_eq(sd_bus_message_get_signature(m, true), "a{sv}");
        after = read_object(m, &faults);
        ck_assert_uint_eq(faults.n, 0);
        ck_assert(json_equal(before, after));
}
END_TEST

START_TEST(test_null_members_are_left_out) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_json_ json_t *before = json_pack("{s:n, s:i}", "n", "i", 1), *after = NULL;
        JsonFaults faults;

        ck_assert_int_ge(variant_append_object(m, before), 0);
        seal(m);
        after = read_object(m, &faults);
        ck_assert_uint_eq(json_object_size(after), 1);
}
END_TEST

START_TEST(test_all_types) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_json_ json_t *object = NULL, *expected = NULL;
        JsonFaults faults;

        ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 13, "y", "y", 255, "n", "n", -2, "q", "q", 65535, "i",
                                               "i", -4, "u", "u", UINT32_MAX, "x", "x", INT64_C(-6), "t", "t",
                                               UINT64_C(7), "b", "b", 1, "o", "o", "/p", "null", "g", "", "v", "v",
                                               "s", "in", "as", "as", 2, "a", "b", "a{ss}", "a{ss}", 1, "k", "v"),
                         0);
        seal(m);
        object = read_object(m, &faults);
        expected = json_loads("{\"y\": 255, \"n\": -2, \"q\": 65535, \"i\": -4, \"u\": 4294967295, \"x\": -6, "
                              "\"t\": 7, \"b\": true, \"o\": \"/p\", \"null\": null, \"v\": \"in\", "
                              "\"as\": [\"a\", \"b\"], \"a{ss}\": {\"k\": \"v\"}}",
                              0, NULL);
        ck_assert_uint_eq(faults.n, 0);
        ck_assert(json_equal(object, expected));
}
END_TEST

/* What cannot be is a fault where it stands, and what comes after it is read. */
START_TEST(test_faults) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_json_ json_t *object = NULL;
        static const char *const expected[][2] = {
                { "/t", "out-of-range" }, { "/g", "wrong-type" },   { "/r", "wrong-type" },
                { "/k", "wrong-type" },   { "/d", "out-of-range" }, { "/last", "duplicate" },
        };
        JsonFaults faults;

        ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 7, "t", "t", UINT64_MAX, "g", "g", "s", "r", "(ss)", "a",
                                               "b", "k", "a{us}", 1, 1, "x", "d", "d", 1.0 / 0.0, "last", "s", "1",
                                               "last", "s", "2"),
                         0);
        seal(m);
        object = read_object(m, &faults);
        ck_assert_uint_eq(faults.n, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                ck_assert_str_eq(faults.fault[i].pointer, expected[i][0]);
                ck_assert_str_eq(faults.fault[i].code, expected[i][1]);
        }
        ck_assert_uint_eq(json_object_size(object), 1);
}
END_TEST

static void append_nested(sd_bus_message *m, unsigned depth) {
        for (unsigned i = 0; i < depth; i++)
                ck_assert_int_ge(sd_bus_message_open_container(m, SD_BUS_TYPE_VARIANT, i + 1 < depth ? "v" : "s"),
                                 0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", "x"), 0);
        for (unsigned i = 0; i < depth; i++)
                ck_assert_int_ge(sd_bus_message_close_container(m), 0);
}

START_TEST(test_depth) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_json_ json_t *object = NULL;
        bool too_deep = _i > VARIANT_DEPTH_MAX;
        JsonFaults faults;

        ck_assert_int_ge(sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}"), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv"), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", "k"), 0);
        append_nested(m, (unsigned) _i);
        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        seal(m);
        object = read_object(m, &faults);
        ck_assert_uint_eq(faults.n, too_deep);
        ck_assert_uint_eq(json_object_size(object), !too_deep);
        if (too_deep)
                ck_assert_str_eq(faults.fault[0].code, "too-deep");
}
END_TEST

START_TEST(test_number) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_json_ json_t *object = NULL;
        JsonFaults faults;

        ck_assert_int_ge(sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}"), 0);
        for (int i = 0; i < 4 * VARIANT_VALUES_MAX; i++) {
                char key[16];

                (void) snprintf(key, sizeof key, "%d", i);
                ck_assert_int_ge(sd_bus_message_append(m, "{sv}", key, "i", i), 0);
        }
        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        seal(m);
        object = read_object(m, &faults);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].code, "too-many");
        ck_assert_uint_le(json_object_size(object), VARIANT_VALUES_MAX);
}
END_TEST

START_TEST(test_length) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();
        _cleanup_json_ json_t *object = NULL;
        char text[VARIANT_STRING_MAX + 2];
        JsonFaults faults;

        memset(text, 'x', sizeof text);
        text[VARIANT_STRING_MAX + 1] = '\0';
        ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 2, "long", "s", text, "fits", "s", text + 1), 0);
        seal(m);
        object = read_object(m, &faults);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].pointer, "/long");
        ck_assert_uint_eq(json_string_length(json_object_get(object, "fits")), VARIANT_STRING_MAX);
}
END_TEST

START_TEST(test_out_of_memory) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = new_message();

        ck_assert_int_eq(variant_append_object_new(m, NULL), -ENOMEM);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("dbus-variant");
        TCase *tcase = tcase_create("variant");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_round_trip, 0, (int) ELEMENTSOF(round_trips));
        tcase_add_test(tcase, test_null_members_are_left_out);
        tcase_add_test(tcase, test_all_types);
        tcase_add_test(tcase, test_faults);
        tcase_add_loop_test(tcase, test_depth, 1, VARIANT_DEPTH_MAX + 8);
        tcase_add_test(tcase, test_number);
        tcase_add_test(tcase, test_length);
        tcase_add_test(tcase, test_out_of_memory);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
