/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is made of the text of an answer: documents and errors. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "client/document.h"
#include "client/error.h"

static int make(const char *json, HsvDocument **ret) {
        char *text = strdup(json);
        int r;

        ck_assert_ptr_nonnull(text);
        r = document_new(text, strlen(text), ret);
        if (r < 0)
                free(text);
        return r;
}

START_TEST(test_values) {
        _cleanup_(hsv_document_freep) HsvDocument *document = NULL;
        const char *text =
                "{\"s\": \"x\", \"i\": -7, \"r\": 1.5, \"t\": true, \"f\": false, \"n\": null, \"e\": {}}";
        const HsvValue *root;
        int64_t number = 0;

        ck_assert_int_eq(make(text, &document), 0);
        ck_assert_str_eq(hsv_document_text(document), text);
        root = hsv_document_root(document);
        ck_assert_int_eq(hsv_value_kind(root), HSV_KIND_OBJECT);
        ck_assert_int_eq(hsv_value_kind(hsv_value_get(root, "/r")), HSV_KIND_REAL);
        ck_assert_int_eq(hsv_value_kind(hsv_value_get(root, "/n")), HSV_KIND_NULL);
        ck_assert_int_eq(hsv_value_kind(hsv_value_get(root, "/f")), HSV_KIND_BOOL);
        ck_assert_int_eq(hsv_value_kind(hsv_value_get(root, "/e")), HSV_KIND_OBJECT);
        ck_assert_int_eq(hsv_value_kind(hsv_value_get(root, "/none")), HSV_KIND_ABSENT);
        ck_assert_str_eq(hsv_value_string(hsv_value_get(root, "/s")), "x");
        ck_assert_ptr_null(hsv_value_string(hsv_value_get(root, "/i")));
        ck_assert_int_eq(hsv_value_integer(hsv_value_get(root, "/i"), &number), 0);
        ck_assert_int_eq(number, -7);
        ck_assert_int_eq(hsv_value_integer(hsv_value_get(root, "/r"), &number), -EINVAL);
        ck_assert_int_eq(hsv_value_integer(hsv_value_get(root, "/none"), &number), -ENOENT);
        ck_assert_int_eq(number, -7);
        ck_assert(hsv_value_is_true(hsv_value_get(root, "/t")));
        ck_assert(!hsv_value_is_true(hsv_value_get(root, "/f")));
        ck_assert(!hsv_value_is_true(hsv_value_get(root, "/s")));
}
END_TEST

START_TEST(test_pointers) {
        _cleanup_(hsv_document_freep) HsvDocument *document = NULL;
        static const char *const wrong[] = {
                "a", "/a/b", "/l/00", "/l/-1", "/l/3", "/l/", "/l/99999999999999999999", "/m~", "/m~2", "/l/0/x/y"
        };
        char far[1200];
        const HsvValue *root;
        int64_t number = 0;

        ck_assert_int_eq(make("{\"a\": 1, \"l\": [10, {\"x\": 11}, 12], \"m/~\": 13, \"\": 14}", &document), 0);
        root = hsv_document_root(document);
        ck_assert_ptr_eq(hsv_value_get(root, ""), root);
        ck_assert_int_eq(hsv_value_integer(hsv_value_get(root, "/l/2"), &number), 0);
        ck_assert_int_eq(number, 12);
        ck_assert_int_eq(hsv_value_integer(hsv_value_get(root, "/l/1/x"), &number), 0);
        ck_assert_int_eq(number, 11);
        ck_assert_int_eq(hsv_value_integer(hsv_value_get(root, "/m~1~0"), &number), 0);
        ck_assert_int_eq(number, 13);
        ck_assert_int_eq(hsv_value_integer(hsv_value_get(root, "/"), &number), 0);
        ck_assert_int_eq(number, 14);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                ck_assert_ptr_null(hsv_value_get(root, wrong[i]));

        memset(far, 'k', sizeof far - 1);
        far[0] = '/';
        far[sizeof far - 1] = '\0';
        ck_assert_ptr_null(hsv_value_get(root, far));
}
END_TEST

START_TEST(test_parts) {
        _cleanup_(hsv_document_freep) HsvDocument *document = NULL;
        _cleanup_free_ char *text = NULL;
        const HsvValue *labels, *list;

        ck_assert_int_eq(make("{\"labels\": {\"z\": \"1\", \"a\": \"2\"}, \"list\": [true, [3]]}", &document), 0);
        labels = hsv_value_get(hsv_document_root(document), "/labels");
        list = hsv_value_get(hsv_document_root(document), "/list");
        ck_assert_uint_eq(hsv_value_count(labels), 2);
        ck_assert_str_eq(hsv_value_key(labels, 0), "z");
        ck_assert_str_eq(hsv_value_key(labels, 1), "a");
        ck_assert_str_eq(hsv_value_string(hsv_value_at(labels, 1)), "2");
        ck_assert_ptr_null(hsv_value_key(labels, 2));
        ck_assert_ptr_null(hsv_value_at(labels, 2));
        ck_assert_uint_eq(hsv_value_count(list), 2);
        ck_assert(hsv_value_is_true(hsv_value_at(list, 0)));
        ck_assert_ptr_null(hsv_value_at(list, 2));
        ck_assert_ptr_null(hsv_value_key(list, 0));
        ck_assert_uint_eq(hsv_value_count(hsv_value_at(list, 0)), 0);

        text = hsv_value_encode(list);
        ck_assert_str_eq(text, "[true,[3]]");
}
END_TEST

START_TEST(test_no_value) {
        ck_assert_ptr_null(hsv_document_root(NULL));
        ck_assert_ptr_null(hsv_value_get(NULL, "/x"));
        ck_assert_ptr_null(hsv_value_at(NULL, 0));
        ck_assert_ptr_null(hsv_value_key(NULL, 0));
        ck_assert_ptr_null(hsv_value_string(NULL));
        ck_assert_ptr_null(hsv_value_encode(NULL));
        ck_assert_uint_eq(hsv_value_count(NULL), 0);
        ck_assert_int_eq(hsv_value_kind(NULL), HSV_KIND_ABSENT);
        ck_assert(!hsv_value_is_true(NULL));
        ck_assert_ptr_null(hsv_document_free(NULL));
}
END_TEST

START_TEST(test_not_documents) {
        static const char *const texts[] = {
                "", "[]", "1", "{", "{\"a\": 1, \"a\": 2}", "{} x", "<html>", "{\"a\": \"\xff\"}"
        };
        HsvDocument *document = NULL;

        ck_assert_int_eq(make(texts[_i], &document), -EBADMSG);
        ck_assert_ptr_null(document);
}
END_TEST

START_TEST(test_problem) {
        HsvError e = {};
        const char *text = "{\"title\": \"t\", \"status\": 400, \"code\": \"invalid-request\", \"detail\": \"d\", "
                           "\"errors\": ["
                           "{\"pointer\": \"/spec/net/mac\", \"code\": \"bad-mac\", \"detail\": \"is none\"},"
                           "{\"pointer\": 7}, 8]}";

        ck_assert_int_eq(error_set_answer(&e, 400, text, strlen(text)), HSV_REFUSED);
        ck_assert_uint_eq(hsv_error_http_status(&e), 400);
        ck_assert(hsv_error_was_sent(&e));
        ck_assert_str_eq(hsv_error_code(&e), "invalid-request");
        ck_assert_str_eq(hsv_error_detail(&e), "d");
        ck_assert_uint_eq(hsv_error_count_faults(&e), 3);
        ck_assert_str_eq(hsv_error_fault_pointer(&e, 0), "/spec/net/mac");
        ck_assert_str_eq(hsv_error_fault_code(&e, 0), "bad-mac");
        ck_assert_str_eq(hsv_error_fault_detail(&e, 0), "is none");
        ck_assert_str_eq(hsv_error_fault_pointer(&e, 1), "");
        ck_assert_str_eq(hsv_error_fault_detail(&e, 2), "");
        ck_assert_str_eq(hsv_error_fault_code(&e, 3), "");
        error_done(&e);
}
END_TEST

START_TEST(test_no_problem) {
        static const char *const texts[] = { "", "<html>no</html>", "[1]", "\"x\"",
                                             "{\"code\": 1, \"errors\": {}}" };
        HsvError e = {};

        ck_assert_int_eq(error_set_answer(&e, 503, texts[_i], strlen(texts[_i])), HSV_REFUSED);
        ck_assert_str_eq(hsv_error_code(&e), "");
        ck_assert_ptr_nonnull(strstr(hsv_error_detail(&e), "503"));
        ck_assert_uint_eq(hsv_error_count_faults(&e), 0);
        error_done(&e);
}
END_TEST

START_TEST(test_errno) {
        HsvError e = {};

        ck_assert_int_eq(error_set_answer(&e, 404, "{\"title\": \"t\"}", 14), HSV_REFUSED);
        ck_assert_str_eq(hsv_error_detail(&e), "t");
        ck_assert_int_eq(error_set(&e, EACCES, "no %s", "way"), -EACCES);
        ck_assert_int_eq(error_set(&e, -EACCES, "no %s", "way"), -EACCES);
        ck_assert_str_eq(hsv_error_detail(&e), "no way");
        ck_assert_str_eq(hsv_error_code(&e), "");
        ck_assert_uint_eq(hsv_error_http_status(&e), 0);
        ck_assert(!hsv_error_was_sent(&e));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("client-answer");
        TCase *tcase = tcase_create("answer");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_test(tcase, test_values);
        tcase_add_test(tcase, test_pointers);
        tcase_add_test(tcase, test_parts);
        tcase_add_test(tcase, test_no_value);
        tcase_add_loop_test(tcase, test_not_documents, 0, 8);
        tcase_add_test(tcase, test_problem);
        tcase_add_loop_test(tcase, test_no_problem, 0, 5);
        tcase_add_test(tcase, test_errno);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
