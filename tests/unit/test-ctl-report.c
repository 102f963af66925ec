/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/report.h"

#include <check.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "client/error.h"

static void set_up(void) {
        ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
}

static const struct {
        unsigned http_status; /* 0: r and detail count */
        const char *answer;
        int r;
        bool was_sent;
        ExitCode exit_code;
        const char *text;
} reports[] = {
        { 404, "{\"code\": \"device-not-found\", \"detail\": \"There is no device vm1\"}", HSV_REFUSED, true,
          EXIT_CODE_NOT_FOUND,
          "hsvdpactl: device vm1: There is no device vm1 (device-not-found)\n"
          "Hint: 'hsvdpactl device list' shows the devices there are\n" },
        { 400,
          "{\"code\": \"invalid-request\", \"title\": \"Bad\", \"errors\": [{\"pointer\": \"/spec/net/mac\", "
          "\"code\": "
          "\"bad-mac\", \"detail\": \"is none\"}, {\"pointer\": \"\", \"code\": \"c\", \"detail\": "
          "\"d\\u001b[2J\"}]}",
          HSV_REFUSED, true, EXIT_CODE_REFUSED,
          "hsvdpactl: device vm1: Bad (invalid-request)\n"
          "  /spec/net/mac: is none (bad-mac)\n"
          "  (all of it): d\\u001b[2J (c)\n" },
        { 400,
          "{\"code\": \"invalid-request\", \"detail\": \"/spec: is not there\", \"errors\": [{\"pointer\": "
          "\"/spec\", \"code\": \"missing\", \"detail\": \"is not there\"}]}",
          HSV_REFUSED, true, EXIT_CODE_REFUSED, "hsvdpactl: device vm1: /spec: is not there (invalid-request)\n" },
        { 502, "{\"code\": \"new-code\\u009b\", \"detail\": \"line\\nbreak\"}", HSV_REFUSED, true,
          EXIT_CODE_REFUSED, "hsvdpactl: device vm1: line\\u000abreak (new-code\\u009b)\n" },
        { 409,
          "{\"code\": \"no-capacity\", \"detail\": \"No room\", \"candidates\": [{\"mgmtdev\": \"sim0\", "
          "\"reasons\": "
          "[{\"code\": \"cordoned\", \"detail\": \"it is cordoned\"}, {\"code\": \"no-capacity\", \"detail\": "
          "\"msis: need 9\"}]}, {\"mgmtdev\": \"sim1\"}], \"candidates_omitted\": 7}",
          HSV_REFUSED, true, EXIT_CODE_REFUSED,
          "hsvdpactl: device vm1: No room (no-capacity)\n"
          "  sim0: it is cordoned; msis: need 9\n"
          "  sim1\n"
          "  and 7 more\n"
          "Hint: 'hsvdpactl mgmtdev list' shows where there is room; --wait waits for it\n" },
        { 404, "<html>", HSV_REFUSED, true, EXIT_CODE_REFUSED,
          "hsvdpactl: device vm1: The daemon answered with HTTP status 404 and did not say why\n" },
        { 0, "Cannot connect", -ENOENT, false, EXIT_CODE_UNREACHABLE,
          "hsvdpactl: Cannot connect\n"
          "Hint: is hsvdpad running? 'systemctl status hsvdpad' tells; --url says where it listens\n" },
        { 0, "Cannot connect", -EACCES, false, EXIT_CODE_UNREACHABLE,
          "hsvdpactl: Cannot connect\n"
          "Hint: the socket is for root and the group hsvdpa: become a member, and log in again\n" },
        { 0, "No answer", -ECONNRESET, true, EXIT_CODE_NO_ANSWER, "hsvdpactl: device vm1: No answer\n" },
        { 0, "The name is empty", -EINVAL, false, EXIT_CODE_USAGE, "hsvdpactl: device vm1: The name is empty\n" },
        { 0, "Out of memory", -ENOMEM, false, EXIT_CODE_LOCAL, "hsvdpactl: device vm1: Out of memory\n" },
};

START_TEST(test_report) {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);
        HsvError e = {};

        if (reports[_i].http_status)
                (void) error_set_answer(&e, reports[_i].http_status, reports[_i].answer,
                                        strlen(reports[_i].answer));
        else
                (void) error_set(&e, reports[_i].r, "%s", reports[_i].answer);
        e.was_sent = reports[_i].was_sent;
        ck_assert_int_eq(report_print(file, &e, reports[_i].r, "device vm1", NULL), reports[_i].exit_code);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_str_eq(text, reports[_i].text);
        free(text);
        error_done(&e);
}
END_TEST

START_TEST(test_exit_codes) {
        for (int code = 0; code < _EXIT_CODE_MAX; code++)
                ck_assert_ptr_nonnull(exit_code_text((ExitCode) code));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl-report");
        TCase *tcase = tcase_create("report");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, test_report, 0, (int) ELEMENTSOF(reports));
        tcase_add_test(tcase, test_exit_codes);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
