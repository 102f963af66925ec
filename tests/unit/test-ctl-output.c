/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tables and fields, at several widths. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "client/document.h"
#include "ctl/device-ids.h"
#include "ctl/fields.h"
#include "ctl/table.h"
#include "ctl/text.h"
#include "ctl/value.h"

static const Column columns[] = {
        { "NAME", "/name", .importance = 1, .min_width = 8 },
        { "N", "/n", .importance = 3, .min_width = 5, .align_right = true },
        { "STATE", "/state", .importance = 2, .min_width = 6, .style = style_of_state },
        { "LABELS", "/labels", .importance = 4, .min_width = 5 },
};

static const char *const rows =
        "{\"items\": [{\"name\": \"vm1\", \"n\": 5, \"state\": \"ready\", \"labels\": {\"tenant\": \"a\", "
        "\"zone\": \"b\"}},"
        "{\"name\": \"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\", \"n\": null, "
        "\"state\": \"failed\", \"labels\": {}},"
        "{\"name\": \"a\\u001bb\", \"n\": 12345, \"state\": \"creating\"}]}";

#define JAPANESE     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"
#define JAPANESE_CUT "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe2\x80\xa6"

static HsvDocument *document;

static HsvDocument *parse(const char *json) {
        char *text = strdup(json);
        HsvDocument *ret = NULL;

        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(document_new(text, strlen(text), &ret), 0);
        return ret;
}

static void set_up(void) {
        ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
        document = parse(rows);
}

static void tear_down(void) {
        document = hsv_document_free(document);
}

static const struct {
        size_t width;
        bool has_colours;
        const char *text;
} tables[] = {
        { 0, false,
          "NAME              N  STATE     LABELS\n"
          "vm1               5  ready     tenant=a,zone=b\n" JAPANESE "      -  failed    -\n"
          "a\\u001bb      12345  creating  -\n" },
        { 46, false,
          "NAME              N  STATE     LABELS\n"
          "vm1               5  ready     tenant=a,zone=b\n" JAPANESE "      -  failed    -\n"
          "a\\u001bb      12345  creating  -\n" },
        { 36, false,
          "NAME              N  STATE     LABE\xe2\x80\xa6\n"
          "vm1               5  ready     tena\xe2\x80\xa6\n" JAPANESE "      -  failed    -\n"
          "a\\u001bb      12345  creating  -\n" },
        { 29, false,
          "NAME              N  STATE\n"
          "vm1               5  ready\n" JAPANESE "      -  failed\n"
          "a\\u001bb      12345  creating\n" },
        { 22, true,
          "NAME          STATE\n"
          "vm1           \033[32mready\033[0m\n" JAPANESE "  \033[31mfailed\033[0m\n"
          "a\\u001bb      \033[33mcreating\033[0m\n" },
        { 18, false,
          "NAME        STATE\n"
          "vm1         ready\n"
          "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe2\x80\xa6   failed\n"
          "a\\u001bb    creat\xe2\x80\xa6\n" },
        { 8, false,
          "NAME\n"
          "vm1\n" JAPANESE_CUT "\n"
          "a\\u001bb\n" },
        { 1, false,
          "N\n"
          "v\n"
          "\n"
          "a\n" },
};

START_TEST(test_table) {
        _cleanup_(table_freep) Table *table = NULL;
        char *text = NULL;
        size_t size;
        Screen screen = {
                .file = open_memstream(&text, &size),
                .width = tables[_i].width,
                .is_terminal = true,
                .has_colours = tables[_i].has_colours,
        };

        ck_assert_int_eq(table_new(columns, ELEMENTSOF(columns), false, &table), 0);
        ck_assert_int_eq(table_add(table, hsv_value_get(hsv_document_root(document), "/items")), 0);
        ck_assert_uint_eq(table_count(table), 3);
        table_print(table, &screen);
        ck_assert_int_eq(fclose(screen.file), 0);
        ck_assert_str_eq(text, tables[_i].text);
        free(text);
}
END_TEST

/* Whatever the width: no line is wider. */
START_TEST(test_layout) {
        static const size_t natural[] = { 63, 10, 8, 200 };

        for (size_t total = 1; total < 400; total++) {
                size_t widths[ELEMENTSOF(natural)], sum = 0, n = 0;

                table_layout(columns, natural, ELEMENTSOF(natural), total, widths);
                for (size_t i = 0; i < ELEMENTSOF(natural); i++) {
                        ck_assert_uint_le(widths[i], natural[i]);
                        sum += widths[i];
                        n += widths[i] > 0;
                }
                ck_assert_uint_ge(n, 1);
                ck_assert_uint_le(sum + 2 * (n - 1), total);
        }
}
END_TEST

START_TEST(test_many_rows) {
        _cleanup_(table_freep) Table *table = NULL;

        ck_assert_int_eq(table_new(columns, ELEMENTSOF(columns), false, &table), 0);
        for (unsigned i = 0; i < 100; i++)
                ck_assert_int_eq(table_add(table, hsv_value_get(hsv_document_root(document), "/items")), 0);
        ck_assert_uint_eq(table_count(table), 300);
        ck_assert_int_eq(table_add(table, NULL), 0);
        ck_assert_uint_eq(table_count(table), 300);
}
END_TEST

static const struct {
        const char *pointer;
        const char *text;
} values[] = {
        { "/s", "x\\u0007" }, { "/empty", "-" },  { "/i", "-3" },          { "/r", "1.5" },
        { "/t", "yes" },      { "/f", "no" },     { "/n", "-" },           { "/none", "-" },
        { "/a", "p+q" },      { "/none/x", "-" }, { "/o", "k=v+l: 1, 2" },
};

START_TEST(test_value) {
        _cleanup_(hsv_document_freep)
                HsvDocument *d = parse("{\"s\": \"x\\u0007\", \"empty\": \"\", \"i\": -3, \"r\": 1.5, \"t\": true, "
                                       "\"f\": false, \"n\": null,"
                                       "\"a\": [\"p\", \"q\"], \"o\": {\"k\": \"v\", \"l\": [1, 2]}}");
        _cleanup_free_ char *text = value_format(hsv_value_get(hsv_document_root(d), values[_i].pointer), "+");

        ck_assert_str_eq(text, values[_i].text);
}
END_TEST

static const struct {
        char *(*format)(const HsvValue *value);
        const char *json;
        const char *text;
} ids[] = {
        { device_format_asids, "[]", "-" },
        { device_format_asids,
          "[{\"group\": 0, \"asid\": 17, \"kind\": \"pasid\"}, {\"group\": 1, \"asid\": 90, \"kind\": \"pasid\"}]",
          "group 0: 17, group 1: 90 (pasid)" },
        { device_format_asids, "[{\"group\": 0, \"asid\": 3}, {\"group\": 1, \"asid\": 4}]", "group 0-1: 3-4" },
        { device_format_msis,
          "[{\"vq\": 0, \"entry\": 40}, {\"vq\": 1, \"entry\": 41}, {\"vq\": 2, \"entry\": 42}, {\"vq\": 3, "
          "\"entry\": "
          "7}, {\"config\": true, \"entry\": 8}]",
          "vq 0-2: 40-42, vq 3: 7, config: 8" },
        /* Shared: the same one for several. */
        { device_format_msis,
          "[{\"vq\": 0, \"entry\": 5}, {\"vq\": 1, \"entry\": 5}, {\"config\": true, \"entry\": 5}]",
          "vq 0: 5, vq 1: 5, config: 5" },
        { device_format_groups, "[0]", "vq 0: group 0" },
        { device_format_groups, "[0, 0, 1]", "vq 0-1: group 0, vq 2: group 1" },
        { device_format_groups, "[3, 0, 0, 0]", "vq 0: group 3, vq 1-3: group 0" },
};

START_TEST(test_ids) {
        _cleanup_free_ char *json = text_format("{\"ids\": %s}", ids[_i].json);
        _cleanup_(hsv_document_freep) HsvDocument *d = parse(json);
        _cleanup_free_ char *text = ids[_i].format(hsv_value_get(hsv_document_root(d), "/ids"));

        ck_assert_str_eq(text, ids[_i].text);
}
END_TEST

START_TEST(test_fields) {
        static const Field fields[] = {
                { "Name", "/name" },
                { "State", "/state", .style = style_of_state },
                { "Gone", "/none" },
                { "Null", "/null" },
                { "Kept null", "/null", .keep_null = true },
                { "Vendor", "/vendor", .is_hex = true },
                { "Words", "/words" },
                { "Labels", "/labels" },
        };
        _cleanup_(hsv_document_freep) HsvDocument *d = parse(
                "{\"name\": \"vm1\", \"state\": \"lost\", \"null\": null, \"vendor\": 6900,"
                "\"words\": [\"one\", \"two\", \"three\"], \"labels\": {\"a\": \"b\", \"c\": \"d\"}}");
        char *text = NULL;
        size_t size;
        Screen screen = { .file = open_memstream(&text, &size), .width = 20, .has_colours = true };

        ck_assert_int_eq(fields_print(&screen, hsv_document_root(d), fields, ELEMENTSOF(fields)), 0);
        ck_assert_int_eq(fclose(screen.file), 0);
        ck_assert_str_eq(text, "Name:       vm1\n"
                               "State:      \033[31mlost\033[0m\n"
                               "Kept null:  -\n"
                               "Vendor:     0x1af4\n"
                               "Words:      one,\n"
                               "            two,\n"
                               "            three\n"
                               "Labels:     a=b\n"
                               "            c=d\n");
        free(text);
}
END_TEST

START_TEST(test_json) {
        char *text = NULL;
        size_t size;
        Screen screen = { .file = open_memstream(&text, &size) };

        ck_assert_int_eq(screen_print_document(&screen, "{\"a\": \"\x7f\"}"), 0);
        screen.is_terminal = true;
        ck_assert_int_eq(screen_print_document(&screen, "{\"a\": \"\x7f\"}\n"), 0);
        ck_assert_int_eq(fclose(screen.file), 0);
        ck_assert_str_eq(text, "{\"a\": \"\x7f\"}\n{\"a\": \"\\u007f\"}\n");
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl-output");
        TCase *tcase = tcase_create("output");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, test_table, 0, (int) ELEMENTSOF(tables));
        tcase_add_test(tcase, test_layout);
        tcase_add_test(tcase, test_many_rows);
        tcase_add_loop_test(tcase, test_value, 0, (int) ELEMENTSOF(values));
        tcase_add_loop_test(tcase, test_ids, 0, (int) ELEMENTSOF(ids));
        tcase_add_test(tcase, test_fields);
        tcase_add_test(tcase, test_json);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
