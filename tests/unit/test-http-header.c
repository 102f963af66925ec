/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/header.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "http/url.h"
#include "util/macro.h"

static const struct {
        const char *value;
        int r;
        bool any;
        uint64_t revision;
} if_matches[] = {
        { "\"1\"", 0, false, 1 },
        { "\"0\"", 0, false, 0 },
        { "\"18446744073709551615\" ", 0, false, UINT64_MAX },
        { "*", 0, true, 0 },
        { "* ", 0, true, 0 },
        { "\"18446744073709551616\"", -EINVAL },
        { "\"01\"", -EINVAL },
        { "\"\"", -EINVAL },
        { "\" 1\"", -EINVAL },
        { "\"-1\"", -EINVAL },
        { "\"1", -EINVAL },
        { "1", -EINVAL },
        { "W/\"1\"", -EINVAL },
        { "\"1\", \"2\"", -EINVAL },
        { "**", -EINVAL },
        { "", -EINVAL },
};

START_TEST(test_if_match) {
        bool any = false;
        uint64_t revision = 7;

        ck_assert_int_eq(if_match_parse(if_matches[_i].value, &any, &revision), if_matches[_i].r);
        ck_assert_int_eq(any, if_matches[_i].any);
        ck_assert_uint_eq(revision, if_matches[_i].r == 0 ? if_matches[_i].revision : 7);
}
END_TEST

static const struct {
        const char *value;
        bool has;
} if_none_matches[] = {
        { "\"12\"", true },       { "W/\"12\"", true }, { "*", true },        { "\"1\", W/\"12\" , \"3\"", true },
        { "\"1\",\"12\"", true }, { "\"1\"", false },   { "\"123\"", false }, { "\"12\"x", false },
        { "12", false },          { "", false },        { "\"12", false },    { " , ,", false },
        { "abc, \"12\"", true },
};

START_TEST(test_if_none_match) {
        ck_assert_int_eq(if_none_match_has(if_none_matches[_i].value, 12), if_none_matches[_i].has);
}
END_TEST

START_TEST(test_etag) {
        char etag[ETAG_MAX];

        ck_assert_str_eq(etag_format(UINT64_MAX, etag), "\"18446744073709551615\"");
}
END_TEST

static const struct {
        const char *value;
        bool is_json;
} media_types[] = {
        { "application/json", true },
        { "Application/JSON; charset=utf-8", true },
        { "application/json ;x", true },
        { "application/jsonx", false },
        { "application/json, text/plain", false },
        { "application/", false },
        { "text/plain", false },
        { "", false },
};

START_TEST(test_media_type) {
        ck_assert_int_eq(media_type_is(media_types[_i].value, "application/json"), media_types[_i].is_json);
}
END_TEST

static const struct {
        const char *value;
        bool has;
} lists[] = {
        { "return=minimal", true },
        { "Return=Minimal", true },
        { " respond-async,\treturn=minimal;x=1 , wait=10", true },
        { "return=minimal ,", true },
        { "return=minimally", false },
        { "xreturn=minimal", false },
        { "respond-async return=minimal", false },
        { "return=representation", false },
        { ",,", false },
        { "", false },
        { NULL, false },
};

START_TEST(test_list) {
        ck_assert_int_eq(list_names(lists[_i].value, "return=minimal"), lists[_i].has);
}
END_TEST

static const struct {
        const char *host;
        bool is_loopback;
} hosts[] = {
        { "localhost", true },
        { "LOCALHOST:80", true },
        { "127.0.0.1", true },
        { "127.255.0.9:65535", true },
        { "[::1]", true },
        { "[::1]:8080", true },
        { "localhost:", true },
        { "localhost.", false },
        { "localhost.example", false },
        { "127.0.0.1.example", false },
        { "example:127.0.0.1", false },
        { "127.1", false },
        { "128.0.0.1", false },
        { "0.0.0.0", false },
        { "[::2]", false },
        { "[::1", false },
        { "::1", false },
        { "[::1]x", false },
        { "localhost:80x", false },
        { "user@localhost", false },
        { "", false },
        { "[", false },
        { ":80", false },
        { "a-name-that-is-longer-than-any-that-could-be-right-and-then-some-more", false },
};

START_TEST(test_host) {
        ck_assert_int_eq(host_is_loopback(hosts[_i].host), hosts[_i].is_loopback);
}
END_TEST

static const struct {
        const char *text;
        const char *unescaped;
} urls[] = {
        { "", "" },           { "a%2Fb%3a", "a/b:" }, { "%41%", "A%" },  { "%4", "%4" }, { "%zz%4g", "%zz%4g" },
        { "a%00b", "a%00b" }, { "%25%30%30", "%00" }, { "%ff", "\xff" },
};

START_TEST(test_unescape) {
        char text[32];

        strcpy(text, urls[_i].text);
        ck_assert_uint_eq(url_unescape(text), strlen(urls[_i].unescaped));
        ck_assert_str_eq(text, urls[_i].unescaped);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("http-header");
        TCase *tcase = tcase_create("header");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_loop_test(tcase, test_if_match, 0, (int) ELEMENTSOF(if_matches));
        tcase_add_loop_test(tcase, test_if_none_match, 0, (int) ELEMENTSOF(if_none_matches));
        tcase_add_test(tcase, test_etag);
        tcase_add_loop_test(tcase, test_media_type, 0, (int) ELEMENTSOF(media_types));
        tcase_add_loop_test(tcase, test_list, 0, (int) ELEMENTSOF(lists));
        tcase_add_loop_test(tcase, test_host, 0, (int) ELEMENTSOF(hosts));
        tcase_add_loop_test(tcase, test_unescape, 0, (int) ELEMENTSOF(urls));
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
