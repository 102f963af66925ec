/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is drawn on a terminal (colours, bars, progress), and YAML. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/bar.h"
#include "ctl/format.h"
#include "ctl/progress.h"
#include "ctl/yaml.h"
#include "util/macro.h"

static void set_up(void) {
        ck_assert_ptr_nonnull(setlocale(LC_ALL, "C"));
        ck_assert_int_eq(unsetenv("NO_COLOR"), 0);
}

static const struct {
        uint64_t part, whole;
        const char *bar;
        Style style;
} bars[] = {
        { 0, 10, "..........", STYLE_GOOD },          { 1, 10, "#.........", STYLE_GOOD },
        { 5, 10, "#####.....", STYLE_GOOD },          { 8, 10, "########..", STYLE_BUSY },
        { 10, 10, "##########", STYLE_BAD },          { 1, 1000000, "#.........", STYLE_GOOD },
        { 999999, 1000000, "#########.", STYLE_BAD }, { 3, 2, "##########", STYLE_BAD },
        { 0, 0, "..........", STYLE_GOOD },           { UINT64_MAX - 1, UINT64_MAX, "#########.", STYLE_BAD },
};

START_TEST(test_bar) {
        _cleanup_free_ char *bar = bar_format(bars[_i].part, bars[_i].whole, 10);

        ck_assert_str_eq(bar, bars[_i].bar);
        ck_assert_int_eq(bar_style(bars[_i].part, bars[_i].whole), bars[_i].style);
}
END_TEST

START_TEST(test_bar_in_utf8) {
        _cleanup_free_ char *bar = NULL, *none = NULL;

        ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
        bar = bar_format(1, 2, 2);
        ck_assert_str_eq(bar, "\xe2\x96\x88\xe2\x96\x91");
        none = bar_format(1, 2, 0);
        ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(test_progress_in_a_file) {
        char *text = NULL;
        size_t size;
        Screen screen = { .file = open_memstream(&text, &size) };
        Progress p;

        progress_init(&p, &screen, "made", 1000);
        for (size_t i = 0; i < 1000; i++)
                progress_step(&p, i != 450);
        progress_hide(&p);
        progress_init(&p, &screen, "made", 999);
        for (size_t i = 0; i < 999; i++)
                progress_step(&p, true);
        ck_assert_int_eq(fclose(screen.file), 0);
        ck_assert_ptr_nonnull(strstr(text, "hsvdpactl: 400 of 1000 made\nhsvdpactl: 499 of 1000 made, 1 failed\n"));
        ck_assert_ptr_null(strstr(text, "999"));
        ck_assert_ptr_null(strstr(text, "\033"));
        free(text);
}
END_TEST

START_TEST(test_progress_on_a_terminal) {
        char *text = NULL;
        size_t size;
        Screen screen = { .file = open_memstream(&text, &size), .is_terminal = true };
        Progress p;

        progress_init(&p, &screen, "made", 4);
        progress_step(&p, false);
        progress_step(&p, true);
        progress_hide(&p);
        progress_hide(&p);
        ck_assert_int_eq(fclose(screen.file), 0);
        /* The second came too early to be drawn. */
        ck_assert_str_eq(text, "\r######.................. 1 of 4 made, 1 failed\033[K\r\033[K");
        free(text);
}
END_TEST

START_TEST(test_colours) {
        FILE *file = tmpfile();
        Screen s;

        ck_assert_ptr_nonnull(file);
        screen_open(&s, file, COLOR_AUTO);
        ck_assert(!s.has_colours);
        ck_assert_uint_eq(s.width, 0);
        ck_assert_uint_eq(screen_height(&s), 0);
        screen_open(&s, file, COLOR_ALWAYS);
        ck_assert(s.has_colours);
        ck_assert_int_eq(setenv("NO_COLOR", "1", 1), 0);
        screen_open(&s, file, COLOR_ALWAYS);
        ck_assert(s.has_colours);
        screen_open(&s, file, COLOR_NEVER);
        ck_assert(!s.has_colours);
        ck_assert_int_eq(fclose(file), 0);

        ck_assert_int_eq(color_choice_parse("never"), COLOR_NEVER);
        ck_assert_int_eq(color_choice_parse("sometimes"), _COLOR_CHOICE_INVALID);
        ck_assert_int_eq(format_parse("yaml"), FORMAT_YAML);
        ck_assert_int_eq(format_parse(""), _FORMAT_INVALID);
        ck_assert_str_eq(format_name(FORMAT_WIDE), "wide");
}
END_TEST

static const struct {
        const char *json;
        const char *yaml;
} documents[] = {
        { "{}", "{}\n" },
        { "[]", "[]\n" },
        { "{\"name\": \"vm1\", \"n\": -3, \"r\": 1.5, \"t\": true, \"z\": null}",
          "name: vm1\n'n': -3\nr: 1.5\nt: true\nz: null\n" },
        { "{\"a\": [\"MAC\", {\"b\": []}]}", "a:\n- MAC\n- b: []\n" },
        /* What would be read as another type. */
        { "{\"a\": \"no\", \"b\": \"NULL\", \"c\": \"1\", \"d\": \"0660\", \"y\": \"1e3\"}",
          "a: 'no'\nb: 'NULL'\nc: '1'\nd: '0660'\n'y': '1e3'\n" },
        { "{\"mac\": \"12:00:00:00:00:20\", \"created\": \"2026-01-01T00:00:00Z\"}",
          "mac: '12:00:00:00:00:20'\ncreated: '2026-01-01T00:00:00Z'\n" },
        { "{\"a\": \"\", \"b\": \"~\", \"c\": \".inf\", \"d\": \"- x\"}", "a: ''\nb: '~'\nc: '.inf'\nd: '- x'\n" },
        { "{\"a\": \"/dev/x\", \"b\": \"pci/0000:01:00.0\", \"c\": \"k: v\", \"d\": \"x #y\"}",
          "a: /dev/x\nb: pci/0000:01:00.0\nc: 'k: v'\nd: 'x #y'\n" },
        { "{\"a\": \"x\\u0007\", \"b\": \"l1\\nl2\", \"c\": \"it's\"}", "a: \"x\\a\"\nb: 'l1\n\n  l2'\nc: it's\n" },
};

START_TEST(test_yaml) {
        _cleanup_free_ char *yaml = yaml_from_json(documents[_i].json);

        ck_assert_str_eq(yaml, documents[_i].yaml);
}
END_TEST

START_TEST(test_yaml_of_no_json) {
        ck_assert_ptr_null(yaml_from_json("{"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl-screen");
        TCase *tcase = tcase_create("screen");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, test_bar, 0, (int) ELEMENTSOF(bars));
        tcase_add_test(tcase, test_bar_in_utf8);
        tcase_add_test(tcase, test_progress_in_a_file);
        tcase_add_test(tcase, test_progress_on_a_terminal);
        tcase_add_test(tcase, test_colours);
        tcase_add_loop_test(tcase, test_yaml, 0, (int) ELEMENTSOF(documents));
        tcase_add_test(tcase, test_yaml_of_no_json);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
