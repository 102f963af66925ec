/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a command line is about: items out of files, when to try again, and what a word can become. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "ctl/clock.h"
#include "ctl/complete.h"
#include "ctl/item.h"
#include "ctl/patience.h"

#define WORDS_MAX 8

/* Reads text as a file of items. */
static ExitCode read_text(const char *text, const char *defaults, ItemList *list) {
        char path[] = "/tmp/test-items-XXXXXX";
        json_t *json = defaults ? json_loads(defaults, 0, NULL) : NULL;
        int fd = mkstemp(path);
        ExitCode code;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        ck_assert_int_eq(close(fd), 0);
        code = item_list_read(list, path, json);
        ck_assert_int_eq(unlink(path), 0);
        json_decref(json);
        return code;
}

START_TEST(test_items) {
        _cleanup_(item_list_done) ItemList list = {};

        ck_assert_int_eq(read_text("{\"name\": \"a\", \"uid\": \"u\", \"revision\": 1, \"status\": {},"
                                   " \"spec\": {\"class\": \"fs\", \"net\": {\"mtu\": 9}}}\n"
                                   "[\"b\", {\"spec\": {}}]",
                                   "{\"class\": \"net\", \"net\": {\"mtu\": 1, \"max_vqp\": 2}}", &list),
                         EXIT_CODE_OK);
        ck_assert_uint_eq(list.n, 3);
        ck_assert_str_eq(list.item[0].name, "a");
        ck_assert_str_eq(list.item[0].uid, "u");
        ck_assert_str_eq(list.item[0].spec, "{\"class\":\"fs\",\"net\":{\"mtu\":9,\"max_vqp\":2}}");
        ck_assert_str_eq(list.item[1].name, "b");
        ck_assert_ptr_null(list.item[1].uid);
        ck_assert_str_eq(list.item[1].spec, "{\"class\":\"net\",\"net\":{\"mtu\":1,\"max_vqp\":2}}");
        ck_assert_ptr_null(list.item[2].name);
}
END_TEST

START_TEST(test_no_items) {
        _cleanup_(item_list_done) ItemList list = {};

        ck_assert_int_eq(read_text("", NULL, &list), EXIT_CODE_OK);
        ck_assert_int_eq(read_text(" \n ", NULL, &list), EXIT_CODE_OK);
        ck_assert_int_eq(read_text("{\"items\": []}", NULL, &list), EXIT_CODE_OK);
        ck_assert_uint_eq(list.n, 0);
}
END_TEST

static const char *const bad_texts[] = {
        "{", "1", "[[]]", "{}", "{\"name\": null}", "{\"name\": \"a\"} x", "\"a\\u0000\""
};

START_TEST(test_bad_items) {
        _cleanup_(item_list_done) ItemList list = {};

        ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
        ck_assert_int_eq(read_text(bad_texts[_i], NULL, &list), EXIT_CODE_USAGE);
        ck_assert_int_eq(item_list_read(&list, "/nonexistent", NULL), EXIT_CODE_USAGE);
}
END_TEST

static const struct {
        int r;
        unsigned http_status;
        const char *problem;
        bool was_sent, can_repeat, again;
} failures[] = {
        { HSV_REFUSED, 409, "{\"code\": \"in-use\"}", true, false, true },
        { HSV_REFUSED, 409, "{\"code\": \"no-capacity\"}", true, false, true },
        { HSV_REFUSED, 503, "{\"code\": \"overloaded\"}", true, false, true },
        { HSV_REFUSED, 409, "{\"code\": \"already-exists\"}", true, true, false },
        { HSV_REFUSED, 400, "nonsense", true, true, false },
        { -ECONNREFUSED, 0, NULL, false, false, true },
        { -ENOENT, 0, NULL, false, false, true },
        { -EACCES, 0, NULL, false, true, false },
        { -ECONNRESET, 0, NULL, true, false, false },
        { -ECONNRESET, 0, NULL, true, true, true },
        { -ENOMEM, 0, NULL, false, true, false },
};

START_TEST(test_patience) {
        Patience p = patience_begin(true, 0), none = patience_begin(false, 0);
        int r = failures[_i].r;
        HsvError e = {};

        if (failures[_i].problem)
                (void) error_set_answer(&e, failures[_i].http_status, failures[_i].problem,
                                        strlen(failures[_i].problem));
        e.was_sent = failures[_i].was_sent;
        ck_assert_int_eq(patience_again(&p, &e, r, failures[_i].can_repeat), failures[_i].again);
        ck_assert(!patience_again(&none, &e, r, true));
        p.end_ms = clock_ms();
        ck_assert(!patience_again(&p, &e, r, true));
        error_done(&e);
}
END_TEST

START_TEST(test_pauses) {
        Patience p = patience_begin(true, 1);
        uint64_t begin = clock_ms();

        ck_assert(!patience_is_over(&p));
        while (!patience_is_over(&p))
                patience_pause(&p);
        ck_assert_uint_ge(clock_ms() - begin, 900);
        /* Past the end there is nothing to wait for. */
        begin = clock_ms();
        patience_pause(&p);
        ck_assert_uint_lt(clock_ms() - begin, 900);
}
END_TEST

static const Option common[] = {
        { "url", "URL", "where" },
        { "output", "FORMAT", "how", 'o', VALUES_FORMATS },
        { "help", NULL, "help", 'h' },
        {},
};

static const struct {
        const char *words[WORDS_MAX];
        const char *candidates;
} completions[] = {
        { { "" }, "device\tDevices\nhost\tThe host and its daemon\n" },
        { { "d" }, "device\tDevices\n" },
        { { "x" }, "" },
        { { "x", "" }, "" },
        { { "-o", "w" }, "wide\n" },
        { { "-oj", "h" }, "host\tThe host and its daemon\n" },
        { { "--output=y" }, "--output=yaml\n" },
        { { "--o" }, "--output\thow\n" },
        { { "--x=" }, "" },
        { { "--help=" }, "" },
        { { "-" }, "--url\twhere\n--output\thow\n--help\thelp\n" },
        { { "-o" }, "" },
        { { "--", "-" }, "" },
        { { "device", "delete", "--fi" },
          "--file\tdelete the devices that FILE (- is standard input) lists as JSON\n" },
        { { "device", "delete", "--file", "" }, ":files\n" },
        { { "device", "wait", "x", "--for", "go" }, "gone\n" },
};

START_TEST(test_complete) {
        static const Noun *const nouns[] = { &noun_device, &noun_host, NULL };
        char *words[WORDS_MAX], *text = NULL;
        size_t n = 0, size;
        FILE *file = open_memstream(&text, &size);

        for (; completions[_i].words[n]; n++)
                words[n] = (char *) completions[_i].words[n];
        complete(file, nouns, common, n, words);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_str_eq(text, completions[_i].candidates);
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl-item");
        TCase *tcase = tcase_create("item");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_set_timeout(tcase, 30);
        tcase_add_test(tcase, test_items);
        tcase_add_test(tcase, test_no_items);
        tcase_add_loop_test(tcase, test_bad_items, 0, (int) ELEMENTSOF(bad_texts));
        tcase_add_loop_test(tcase, test_patience, 0, (int) ELEMENTSOF(failures));
        tcase_add_test(tcase, test_pauses);
        tcase_add_loop_test(tcase, test_complete, 0, (int) ELEMENTSOF(completions));
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
