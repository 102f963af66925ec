/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is written must be what jansson writes of the same values, to the byte. */
#include "util/json-writer.h"

#include <string.h>

#include "unit.h"
#include "util/json.h"

static void write_any(JsonWriter *w, const char *key, const json_t *value) {
        const char *member;
        json_t *item;
        size_t i;

        switch (json_typeof(value)) {
        case JSON_OBJECT:
                json_write_open(w, key, '{');
                json_object_foreach((json_t *) value, member, item)
                        write_any(w, member, item);
                json_write_close(w, '}');
                return;
        case JSON_ARRAY:
                json_write_open(w, key, '[');
                json_array_foreach(value, i, item)
                        write_any(w, NULL, item);
                json_write_close(w, ']');
                return;
        case JSON_STRING:
                json_write_string(w, key, json_string_value(value));
                return;
        case JSON_INTEGER:
                json_write_integer(w, key, json_integer_value(value));
                return;
        case JSON_NULL:
                json_write_null(w, key);
                return;
        case JSON_TRUE:
        case JSON_FALSE:
                json_write_bool(w, key, json_is_true(value));
                return;
        case JSON_REAL: /* the API has none */
                ck_abort();
        }
}

static void check_same(const json_t *value) {
        _cleanup_free_ char *expected = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY), *text = NULL;
        JsonWriter w = {};

        write_any(&w, NULL, value);
        text = json_writer_take(&w);
        ck_assert_str_eq(text, expected);
        ck_assert_ptr_null(w.text);
}

static const char *const values[] = {
        "{}",
        "[]",
        "[[],{},[{}],{\"a\":[]}]",
        "{\"a\":1,\"b\":{\"c\":[1,2,null],\"d\":true},\"e\":false}",
        "[0,1,-1,9,10,-10,9223372036854775807,-9223372036854775808]",
        "[\"\",\"plain text\",\"\\\"\",\"\\\\\",\"a/b\",\"\\b\\f\\n\\r\\t\",\"\\u0001\\u001f\\u007f\",\"~\"]",
        "[\"\\u00e4\",\"\\u20ac x\",\"\\ud83d\\ude00\"]",
        "\"alone\"",
        "7",
};

START_TEST(test_values) {
        _cleanup_json_ json_t *value = json_loads(values[_i], JSON_DECODE_ANY, NULL);

        ck_assert_ptr_nonnull(value);
        check_same(value);
}
END_TEST

static json_t *random_value(unsigned depth) {
        char text[8] = "";
        json_t *value;

        switch (unit_random(depth > 0 ? 6 : 4)) {
        case 0:
                return json_integer((json_int_t) ((uint64_t) unit_random(UINT32_MAX) << unit_random(33)));
        case 1:
                return json_boolean(unit_random(2));
        case 2:
                return json_null();
        case 3:
                for (size_t i = 0, n = unit_random(sizeof text); i < n; i++)
                        text[i] = (char) (1 + unit_random(127));
                return json_string(text);
        case 4:
                value = json_array();
                for (unsigned n = unit_random(5); n > 0; n--)
                        (void) json_array_append_new(value, random_value(depth - 1));
                return value;
        default:
                value = json_object();
                for (unsigned n = unit_random(5); n > 0; n--) {
                        const char key[] = { 'k', (char) ('a' + n), '\0' };

                        (void) json_object_set_new(value, key, random_value(depth - 1));
                }
                return value;
        }
}

START_TEST(test_random) {
        for (unsigned n = unit_is_slow() ? 200 : 20000; n > 0; n--) {
                _cleanup_json_ json_t *value = random_value(5);

                check_same(value);
        }
}
END_TEST

/* What others wrote. */
START_TEST(test_not_utf8) {
        _cleanup_json_writer_ JsonWriter w = {};
        _cleanup_free_ char *text = NULL;

        json_write_string(&w, NULL, "a\xff\"b");
        text = json_writer_take(&w);
        ck_assert_str_eq(text, "\"a?\\\"b\"");
}
END_TEST

START_TEST(test_no_string) {
        _cleanup_free_ char *text = NULL;
        JsonWriter w = {};

        json_write_open(&w, NULL, '{');
        json_write_string(&w, "a", NULL);
        json_write_close(&w, '}');
        text = json_writer_take(&w);
        ck_assert_str_eq(text, "{\"a\":null}");
}
END_TEST

START_TEST(test_frame) {
        _cleanup_free_ char *text = NULL;
        JsonWriter w = {};

        json_write_frame(&w, "data: ", 6);
        json_write_integer(&w, NULL, 1);
        json_write_frame(&w, "\n", 1);
        json_write_value(&w, NULL, "[2]", 3);
        text = json_writer_take(&w);
        ck_assert_str_eq(text, "data: 1\n[2]");
}
END_TEST

START_TEST(test_parse) {
        _cleanup_json_ json_t *value = NULL;
        JsonWriter w = {};

        json_write_open(&w, NULL, '[');
        json_write_integer(&w, NULL, 5);
        json_write_close(&w, ']');
        value = json_writer_parse(&w);
        ck_assert_int_eq(json_integer_value(json_array_get(value, 0)), 5);
        ck_assert_ptr_null(w.text);
}
END_TEST

/* A tree that is not there for want of memory: there is no text then, and not one that lacks it. */
START_TEST(test_no_memory) {
        JsonWriter w = {};

        json_write_open(&w, NULL, '{');
        json_write_tree(&w, "a", NULL);
        json_write_close(&w, '}');
        ck_assert_ptr_null(json_writer_take(&w));

        json_write_tree(&w, NULL, NULL);
        ck_assert_ptr_null(json_writer_parse(&w));
        json_write_tree(&w, NULL, NULL);
        json_writer_done(&w);
        ck_assert(!w.has_failed);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_values, 0, (int) ELEMENTSOF(values));
        tcase_add_test(tcase, test_random);
        tcase_add_test(tcase, test_not_utf8);
        tcase_add_test(tcase, test_no_string);
        tcase_add_test(tcase, test_frame);
        tcase_add_test(tcase, test_parse);
        tcase_add_test(tcase, test_no_memory);
}

int main(void) {
        return unit_main("json-writer", add);
}
