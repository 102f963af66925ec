/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/text.h"

#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

static void set_up(void) {
        ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
}

static const struct {
        const char *text;
        const char *escaped;
} escapes[] = {
        { "", "" },
        { "plain text", "plain text" },
        { "\xc3\xa4\xe6\x97\xa5", "\xc3\xa4\xe6\x97\xa5" },
        { "\033[31mred", "\\u001b[31mred" },
        { "a\nb\tc\rd", "a\\u000ab\\u0009c\\u000dd" },
        { "\x7f", "\\u007f" },
        { "\xc2\x9b"
          "31m",
          "\\u009b31m" },
        { "\xe2\x80\xae"
          "abc",
          "\\u202eabc" },
        { "\xe2\x81\xa6", "\\u2066" },
        { "a\xff\xfe"
          "b",
          "a\\xff\\xfeb" },
        { "cut \xe6\x97", "cut \\xe6\\x97" },
};

START_TEST(test_escape) {
        _cleanup_free_ char *escaped = text_escape(escapes[_i].text, false);

        ck_assert_str_eq(escaped, escapes[_i].escaped);
}
END_TEST

START_TEST(test_escape_keeps_lines) {
        _cleanup_free_ char *escaped = text_escape("{\n\t\"a\": \"\033\x7f\r\"\n}\n", true);

        ck_assert_str_eq(escaped, "{\n\t\"a\": \"\\u001b\\u007f\\u000d\"\n}\n");
}
END_TEST

/* In the C locale nothing beyond ASCII is known to be harmless. */
START_TEST(test_escape_without_utf8) {
        _cleanup_free_ char *escaped = NULL;

        ck_assert_ptr_nonnull(setlocale(LC_ALL, "C"));
        escaped = text_escape("a\xc3\xa4", false);
        ck_assert_str_eq(escaped, "a\\xc3\\xa4");
        ck_assert_str_eq(text_ellipsis(), "...");
}
END_TEST

START_TEST(test_width) {
        size_t columns;

        ck_assert_uint_eq(text_width(""), 0);
        ck_assert_uint_eq(text_width("abc"), 3);
        ck_assert_uint_eq(text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
        /* A letter and its combining accent. */
        ck_assert_uint_eq(text_width("e\xcc\x81x"), 2);
        ck_assert_uint_eq(text_width("\xe2\x80\xa6"), 1);

        ck_assert_uint_eq(text_fit("abc", 2, &columns), 2);
        ck_assert_uint_eq(columns, 2);
        ck_assert_uint_eq(text_fit("abc", 9, &columns), 3);
        ck_assert_uint_eq(columns, 3);
        /* Half of a wide character is not there. */
        ck_assert_uint_eq(text_fit("a\xe6\x97\xa5\xe6\x9c\xac", 4, &columns), 4);
        ck_assert_uint_eq(columns, 3);
        ck_assert_uint_eq(text_fit("e\xcc\x81x", 1, &columns), 3);
        ck_assert_uint_eq(text_fit("", 1, &columns), 0);
        ck_assert_uint_eq(text_fit("x", 0, &columns), 0);
}
END_TEST

static const struct {
        const char *text;
        size_t indent;
        size_t width;
        const char *wrapped;
} wraps[] = {
        { "", 4, 10, "" },
        { "one two", 0, 0, "one two" },
        { "one two three", 0, 7, "one two\nthree" },
        { "one two three", 2, 9, "one two\n  three" },
        { "one two", 2, 8, "one\n  two" },
        { "averylongword a", 2, 6, "averylongword\n  a" },
        { "\xe6\x97\xa5 \xe6\x97\xa5 \xe6\x97\xa5", 0, 5, "\xe6\x97\xa5 \xe6\x97\xa5\n\xe6\x97\xa5" },
};

START_TEST(test_wrap) {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(file);
        text_wrap(file, wraps[_i].text, wraps[_i].indent, wraps[_i].width);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_str_eq(text, wraps[_i].wrapped);
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl-text");
        TCase *tcase = tcase_create("text");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, test_escape, 0, (int) ELEMENTSOF(escapes));
        tcase_add_test(tcase, test_escape_keeps_lines);
        tcase_add_test(tcase, test_escape_without_utf8);
        tcase_add_test(tcase, test_width);
        tcase_add_loop_test(tcase, test_wrap, 0, (int) ELEMENTSOF(wraps));
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
