/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/query.h"

#include <check.h>
#include <string.h>

static JsonFaults faults;
static HttpQuery query;

static void setup(void) {
        faults = (JsonFaults){};
        http_query_init(&query, &faults);
}

static void assert_fault(const char *pointer, const char *code) {
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].pointer, pointer);
        ck_assert_str_eq(faults.fault[0].code, code);
}

static const struct {
        const char *text;
        const char *items; /* "key=value;", and no "=" if there is no value */
} texts[] = {
        { "", "" },
        { "a", "a;" },
        { "a=", "a=;" },
        { "a=b&c=d", "a=b;c=d;" },
        { "&a&&b=1&", "a;b=1;" },
        { "=", "=;" },
        { "a=b=c", "a=b=c;" },
        { "a+b=c+d", "a b=c d;" },
        { "a%3Db=c%26d%3Bx", "a=b=c&d;x;" },
        { "a=%2B%252B", "a=+%2B;" },
        { "a=%00%zz%", "a=%00%zz%;" },
};

START_TEST(test_parse) {
        char text[64], items[64] = "";

        strcpy(text, texts[_i].text);
        http_query_parse(&query, text);
        for (size_t i = 0; i < query.n; i++) {
                strcat(items, query.item[i].key);
                if (query.item[i].value)
                        strcat(strcat(items, "="), query.item[i].value);
                strcat(items, ";");
        }
        ck_assert_str_eq(items, texts[_i].items);
        ck_assert_uint_eq(faults.n, 0);
}
END_TEST

START_TEST(test_parse_nothing) {
        http_query_parse(&query, NULL);
        ck_assert_uint_eq(query.n, 0);
}
END_TEST

START_TEST(test_parse_too_many) {
        char text[2 * 10000 + 1];

        for (size_t i = 0; i < 10000; i++)
                memcpy(text + 2 * i, "a&", 3);
        http_query_parse(&query, text);
        ck_assert_uint_eq(query.n, HTTP_QUERY_MAX);
        ck_assert_uint_eq(faults.n + faults.n_omitted, 10000 - HTTP_QUERY_MAX);
        ck_assert_str_eq(faults.fault[0].code, "too-many");
}
END_TEST

START_TEST(test_take) {
        const char *text = NULL;
        int64_t n = 0;
        bool b = false;

        http_query_add(&query, "s", "");
        http_query_add(&query, "n", "1000");
        http_query_add(&query, "b", "true");
        ck_assert(http_query_take_string(&query, "s", &text));
        ck_assert_str_eq(text, "");
        ck_assert(http_query_take_integer(&query, "n", 1, 1000, &n));
        ck_assert_int_eq(n, 1000);
        ck_assert(http_query_take_bool(&query, "b", &b));
        ck_assert(b);
        ck_assert(!http_query_take_string(&query, "t", &text));
        http_query_end(&query);
        ck_assert_uint_eq(faults.n, 0);
}
END_TEST

static const struct {
        const char *value;
        const char *code;
} integers[] = {
        { "0", "out-of-range" }, { "11", "out-of-range" }, { "99999999999999999999", "out-of-range" },
        { "-1", "wrong-type" },  { " 1", "wrong-type" },   { "+1", "wrong-type" },
        { "1 ", "wrong-type" },  { "1%00", "wrong-type" }, { "0x1", "wrong-type" },
        { "", "wrong-type" },    { NULL, "missing" },
};

START_TEST(test_integer) {
        int64_t n = 7;

        http_query_add(&query, "n", integers[_i].value);
        ck_assert(!http_query_take_integer(&query, "n", 1, 10, &n));
        ck_assert_int_eq(n, 7);
        http_query_end(&query);
        assert_fault("/query/n", integers[_i].code);
}
END_TEST

START_TEST(test_bool) {
        bool b = false;

        http_query_add(&query, "b", "True");
        ck_assert(!http_query_take_bool(&query, "b", &b));
        http_query_end(&query);
        assert_fault("/query/b", "wrong-type");
}
END_TEST

START_TEST(test_duplicate) {
        const char *text;

        http_query_add(&query, "a", "1");
        http_query_add(&query, "a", "1");
        ck_assert(!http_query_take_string(&query, "a", &text));
        http_query_end(&query);
        assert_fault("/query/a", "duplicate");
}
END_TEST

START_TEST(test_repeated) {
        const char *text;

        http_query_add(&query, "a", "1");
        http_query_add(&query, "a", NULL);
        http_query_add(&query, "a", "3");
        ck_assert(http_query_take_next(&query, "a", &text));
        ck_assert_str_eq(text, "1");
        ck_assert(http_query_take_next(&query, "a", &text));
        ck_assert_str_eq(text, "3");
        ck_assert(!http_query_take_next(&query, "a", &text));
        assert_fault("/query/a", "missing");
}
END_TEST

START_TEST(test_unknown) {
        http_query_add(&query, "a/~", "1");
        http_query_end(&query);
        assert_fault("/query/a~1~0", "unknown-parameter");
}
END_TEST

START_TEST(test_too_many) {
        for (size_t i = 0; i < HTTP_QUERY_MAX + 100; i++)
                http_query_add(&query, "a", "1");
        ck_assert_uint_eq(faults.n, JSON_FAULTS_MAX);
        ck_assert_uint_eq(faults.n_omitted, 100 - JSON_FAULTS_MAX);
        ck_assert_str_eq(faults.fault[0].code, "too-many");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("http-query");
        TCase *tcase = tcase_create("query");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_loop_test(tcase, test_parse, 0, (int) ELEMENTSOF(texts));
        tcase_add_test(tcase, test_parse_nothing);
        tcase_add_test(tcase, test_parse_too_many);
        tcase_add_test(tcase, test_take);
        tcase_add_loop_test(tcase, test_integer, 0, (int) ELEMENTSOF(integers));
        tcase_add_test(tcase, test_bool);
        tcase_add_test(tcase, test_duplicate);
        tcase_add_test(tcase, test_repeated);
        tcase_add_test(tcase, test_unknown);
        tcase_add_test(tcase, test_too_many);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
