/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/json.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

typedef enum Take { TAKE_STRING, TAKE_INTEGER, TAKE_BOOL, TAKE_OBJECT, TAKE_ARRAY } Take;

/* Takes the member "m" with narrow bounds: strings of 3 bytes, numbers from -2 to 5, arrays of 2 items. */
static bool take(Take what, JsonDecoder *d, json_t *object, json_t **ret) {
        const char *string = NULL;
        int64_t integer = 0;
        bool boolean = false;

        *ret = NULL;
        switch (what) {
        case TAKE_STRING:
                if (!json_take_string(d, object, "m", 3, &string))
                        return false;
                *ret = json_string(string);
                return true;
        case TAKE_INTEGER:
                if (!json_take_integer(d, object, "m", -2, 5, &integer))
                        return false;
                *ret = json_integer(integer);
                return true;
        case TAKE_BOOL:
                if (!json_take_bool(d, object, "m", &boolean))
                        return false;
                *ret = json_boolean(boolean);
                return true;
        case TAKE_OBJECT:
                return json_take_object(d, object, "m", ret) && json_incref(*ret);
        case TAKE_ARRAY:
                return json_take_array(d, object, "m", 2, ret) && json_incref(*ret);
        }
        return false;
}

static const struct {
        Take what;
        const char *value;
        const char *code; /* of the fault; NULL: it is taken */
} values[] = {
        { TAKE_STRING, "\"\"", NULL },
        { TAKE_STRING, "\"abc\"", NULL },
        { TAKE_STRING, "\"abcd\"", "too-long" },
        { TAKE_STRING, "\"\\u00e4\\u00e4\"", "too-long" },
        { TAKE_STRING, "\"a\\u0000b\"", "bad-string" },
        { TAKE_STRING, "\"\\u0000\"", "bad-string" },
        { TAKE_STRING, "1", "wrong-type" },
        { TAKE_STRING, "[]", "wrong-type" },
        { TAKE_INTEGER, "-2", NULL },
        { TAKE_INTEGER, "0", NULL },
        { TAKE_INTEGER, "5", NULL },
        { TAKE_INTEGER, "-3", "out-of-range" },
        { TAKE_INTEGER, "6", "out-of-range" },
        { TAKE_INTEGER, "9223372036854775807", "out-of-range" },
        { TAKE_INTEGER, "-9223372036854775808", "out-of-range" },
        { TAKE_INTEGER, "1.0", "wrong-type" },
        { TAKE_INTEGER, "\"1\"", "wrong-type" },
        { TAKE_INTEGER, "true", "wrong-type" },
        { TAKE_BOOL, "true", NULL },
        { TAKE_BOOL, "false", NULL },
        { TAKE_BOOL, "0", "wrong-type" },
        { TAKE_BOOL, "\"true\"", "wrong-type" },
        { TAKE_OBJECT, "{}", NULL },
        { TAKE_OBJECT, "{\"a\":{\"b\":1}}", NULL },
        { TAKE_OBJECT, "[]", "wrong-type" },
        { TAKE_ARRAY, "[]", NULL },
        { TAKE_ARRAY, "[1,\"2\"]", NULL },
        { TAKE_ARRAY, "[1,2,3]", "out-of-range" },
        { TAKE_ARRAY, "{}", "wrong-type" },
};

static json_t *object_of(const char *value) {
        json_t *object = json_object();

        ck_assert_int_eq(
                json_object_set_new(object, "m", json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)), 0);
        return object;
}

START_TEST(test_take) {
        _cleanup_json_ json_t *object = object_of(values[_i].value), *taken = NULL;
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        ck_assert_int_eq(take(values[_i].what, &d, object, &taken), !values[_i].code);
        json_end(&d, object);
        if (!values[_i].code) {
                ck_assert(json_equal(taken, json_object_get(object, "m")));
                ck_assert_uint_eq(faults.n, 0);
                return;
        }
        ck_assert_ptr_null(taken);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].pointer, "/m");
        ck_assert_str_eq(faults.fault[0].code, values[_i].code);
        ck_assert_uint_gt(strlen(faults.fault[0].detail), 0);
}
END_TEST

/* null is as good as nothing, for each kind. */
START_TEST(test_take_absent) {
        _cleanup_json_ json_t *null = object_of("null"), *empty = json_object(), *taken = NULL;
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        ck_assert(!take((Take) _i, &d, null, &taken));
        ck_assert(!take((Take) _i, &d, empty, &taken));
        json_end(&d, null);
        ck_assert_ptr_null(taken);
        ck_assert_uint_eq(faults.n, 0);
}
END_TEST

START_TEST(test_unknown) {
        _cleanup_json_ json_t *object = json_pack("{s:i, s:n, s:{}}", "b", 1, "c", "a");
        JsonFaults faults = {};
        JsonDecoder d;
        int64_t n;

        json_decoder_init(&d, &faults);
        ck_assert(json_take_integer(&d, object, "b", 0, 1, &n));
        json_end(&d, object);
        ck_assert_uint_eq(faults.n, 2);
        ck_assert_str_eq(faults.fault[0].code, "unknown-field");
        ck_assert_str_eq(faults.fault[0].pointer, "/c");
        ck_assert_str_eq(faults.fault[1].pointer, "/a");
}
END_TEST

static const struct {
        const char *members[3];
        const char *pointer;
} pointers[] = {
        { {}, "" },
        { { "" }, "/" },
        { { "spec", "net", "mac" }, "/spec/net/mac" },
        { { "a/b" }, "/a~1b" },
        { { "a~b" }, "/a~0b" },
        { { "~1", "/", "~/~" }, "/~01/~1/~0~1~0" },
        { { "\xc3\xa4 \"" }, "/\xc3\xa4 \"" },
};

START_TEST(test_pointer) {
        JsonDecoder d[ELEMENTSOF(pointers[0].members) + 1];
        JsonFaults faults = {};
        size_t n = 0;

        json_decoder_init(&d[0], &faults);
        for (; n < ELEMENTSOF(pointers[0].members) && pointers[_i].members[n]; n++)
                json_decoder_enter(&d[n + 1], &d[n], pointers[_i].members[n]);
        json_fault(&d[n], NULL, "code", "%s-%d", "detail", 1);
        ck_assert_str_eq(faults.fault[0].pointer, pointers[_i].pointer);
        ck_assert_str_eq(faults.fault[0].detail, "detail-1");
}
END_TEST

/* The member of a fault goes one step further than the decoder. */
START_TEST(test_pointer_of_member) {
        JsonFaults faults = {};
        JsonDecoder d, e;

        json_decoder_init(&d, &faults);
        json_decoder_enter(&e, &d, "labels");
        json_fault(&e, "a/b", "code", "detail");
        ck_assert_str_eq(faults.fault[0].pointer, "/labels/a~1b");
        ck_assert_str_eq(e.pointer, "/labels");
}
END_TEST

/* Whatever a client sends as a name, its pointer stays in its bounds, and text: it has to go into the answer. */
START_TEST(test_pointer_too_long) {
        static const char *const units[] = { "x", "~", "/", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };

        for (size_t u = 0; u < ELEMENTSOF(units); u++) {
                for (size_t shift = 0; shift < 4; shift++) {
                        char name[2048] = "abc";
                        _cleanup_json_ json_t *text = NULL;
                        JsonFaults faults = {};
                        JsonDecoder d;
                        size_t n;

                        name[shift] = '\0';
                        while (strlen(name) < 600)
                                strcat(name, units[u]);
                        json_decoder_init(&d, &faults);
                        json_fault(&d, name, "code", "detail");
                        text = json_string(faults.fault[0].pointer);
                        ck_assert_ptr_nonnull(text);
                        n = strlen(faults.fault[0].pointer);
                        ck_assert_uint_lt(n, JSON_POINTER_MAX);
                        ck_assert_uint_gt(n, JSON_POINTER_MAX - 8);
                        ck_assert_int_ne(faults.fault[0].pointer[n - 1], '~');
                }
        }
}
END_TEST

START_TEST(test_pointer_too_deep) {
        JsonFaults faults = {};
        JsonDecoder d[2];

        json_decoder_init(&d[0], &faults);
        for (unsigned i = 0; i < 1000; i++)
                json_decoder_enter(&d[(i + 1) % 2], &d[i % 2], "ab");
        json_fault(&d[0], "ab", "code", "detail");
        ck_assert_uint_lt(strlen(faults.fault[0].pointer), JSON_POINTER_MAX);
}
END_TEST

START_TEST(test_too_many_faults) {
        _cleanup_json_ json_t *object = json_object();
        JsonFaults faults = {};
        JsonDecoder d;

        for (int i = 0; i < JSON_FAULTS_MAX + 10; i++) {
                char name[16];

                (void) snprintf(name, sizeof name, "m%03d", i);
                ck_assert_int_eq(json_object_set_new(object, name, json_null()), 0);
        }
        json_decoder_init(&d, &faults);
        json_end(&d, object);
        ck_assert_uint_eq(faults.n, JSON_FAULTS_MAX);
        ck_assert_uint_eq(faults.n_omitted, 10);
        ck_assert_str_eq(faults.fault[JSON_FAULTS_MAX - 1].pointer, "/m031");
}
END_TEST

START_TEST(test_detail_too_long) {
        char text[1000];
        JsonFaults faults = {};
        JsonDecoder d;

        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        json_decoder_init(&d, &faults);
        json_fault(&d, NULL, "code", "%s", text);
        ck_assert_uint_eq(strlen(faults.fault[0].detail), sizeof faults.fault[0].detail - 1);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_take, 0, (int) ELEMENTSOF(values));
        tcase_add_loop_test(tcase, test_take_absent, TAKE_STRING, TAKE_ARRAY + 1);
        tcase_add_test(tcase, test_unknown);
        tcase_add_loop_test(tcase, test_pointer, 0, (int) ELEMENTSOF(pointers));
        tcase_add_test(tcase, test_pointer_of_member);
        tcase_add_test(tcase, test_pointer_too_long);
        tcase_add_test(tcase, test_pointer_too_deep);
        tcase_add_test(tcase, test_too_many_faults);
        tcase_add_test(tcase, test_detail_too_long);
}

int main(void) {
        return unit_main("json", add);
}
