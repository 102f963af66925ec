/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/body.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "http/reply.h"

static const struct {
        const char *text;
        ErrorCode error;
        const char *pointer;
        const char *code;
} bodies[] = {
        { "", ERROR_INVALID_REQUEST, "", "missing" },
        { "[]", ERROR_INVALID_REQUEST, "", "wrong-type" },
        { "null", ERROR_INVALID_REQUEST, "", "wrong-type" },
        { "\"x\"", ERROR_INVALID_REQUEST, "", "wrong-type" },
        { "{\"spec\":", ERROR_MALFORMED_JSON, "", "malformed" },
        { "{} {}", ERROR_MALFORMED_JSON, "", "malformed" },
        { "{\"a\":\"\xff\"}", ERROR_MALFORMED_JSON, "", "malformed" },
        { "{\"a\":1,}", ERROR_MALFORMED_JSON, "", "malformed" },
        { "{\"a\":01}", ERROR_MALFORMED_JSON, "", "malformed" },
        { "{\"a\":1,\"a\":1}", ERROR_INVALID_REQUEST, "/a", "duplicate" },
        { "{\"spec\":{\"net\":{\"mac\":\"}\",\"b\":{},\"mac\":2}}}", ERROR_INVALID_REQUEST, "/spec/net/mac",
          "duplicate" },
        { "{\"a\":[1,[],{\"\\\"{\":2},{\"x/~\":3 , \"x/~\" :4}]}", ERROR_INVALID_REQUEST, "/a/3/x~1~0",
          "duplicate" },
        { "{\"a\":{\"\\u0062\":1,\"b\":1}}", ERROR_INVALID_REQUEST, "/a/b", "duplicate" },
        { "{\"a\":{},\"b\":[0,99999999999999999999]}", ERROR_INVALID_REQUEST, "/b/1", "out-of-range" },
        { "{\"a\":1e999}", ERROR_INVALID_REQUEST, "/a", "out-of-range" },
        { "{\"a\":{\"b\":\"x\\u0000\"}}", ERROR_INVALID_REQUEST, "/a/b", "bad-string" },
        { "{\"a\":{\"b\\u0000\":1}}", ERROR_INVALID_REQUEST, "/a", "bad-string" },
};

START_TEST(test_fault) {
        JsonFaults faults = {};
        Failure f = FAILURE_INIT;
        json_t *body = NULL;

        ck_assert_int_lt(http_body_parse(bodies[_i].text, strlen(bodies[_i].text), &faults, &f, &body), 0);
        ck_assert_ptr_null(body);
        ck_assert_int_eq(f.code, bodies[_i].error);
        ck_assert_uint_eq(faults.n, 1);
        ck_assert_str_eq(faults.fault[0].pointer, bodies[_i].pointer);
        ck_assert_str_eq(faults.fault[0].code, bodies[_i].code);
}
END_TEST

START_TEST(test_object) {
        _cleanup_json_ json_t *body = NULL;
        JsonFaults faults = {};
        Failure f = FAILURE_INIT;

        /* Not terminated: only the given bytes count. */
        ck_assert_int_eq(http_body_parse("{\"a\":1}}", 7, &faults, &f, &body), 0);
        ck_assert_int_eq(json_integer_value(json_object_get(body, "a")), 1);
        ck_assert_uint_eq(faults.n, 0);
}
END_TEST

/* A body can be nested as deeply as it is long. */
static void check_deep(const char *piece) {
        size_t n = 100000, size = strlen(piece);
        _cleanup_free_ char *text = malloc(n * size);
        JsonFaults faults = {};
        Failure f = FAILURE_INIT;
        json_t *body;

        ck_assert_ptr_nonnull(text);
        for (size_t i = 0; i < n; i++)
                memcpy(text + i * size, piece, size);
        ck_assert_int_lt(http_body_parse(text, n * size, &faults, &f, &body), 0);
        ck_assert_int_eq(f.code, ERROR_INVALID_REQUEST);
        ck_assert_str_eq(faults.fault[0].code, "too-deep");
}

START_TEST(test_deep) {
        check_deep("[");
        check_deep("{\"a\":");
        check_deep("{\"a-long-key-that-fills-the-pointer-before-its-levels-are-through\":");
}
END_TEST

START_TEST(test_problem) {
        Failure f = { .code = ERROR_INVALID_REQUEST, .detail = "cut in the middle: \xc3" };
        JsonFaults faults = {};
        _cleanup_json_ json_t *plain = http_problem_encode(&f, &faults), *listed = NULL;
        JsonDecoder d;

        ck_assert_str_eq(json_string_value(json_object_get(plain, "code")), "invalid-request");
        ck_assert_int_eq(json_integer_value(json_object_get(plain, "status")), 400);
        ck_assert_str_eq(json_string_value(json_object_get(plain, "detail")), "cut in the middle: ?");
        ck_assert_ptr_null(json_object_get(plain, "errors"));

        json_decoder_init(&d, &faults);
        for (size_t i = 0; i < JSON_FAULTS_MAX + 3; i++)
                json_fault(&d, "\xe2\x82", "missing", "is required");
        listed = http_problem_encode(&f, &faults);
        ck_assert_uint_eq(json_array_size(json_object_get(listed, "errors")), JSON_FAULTS_MAX);
        ck_assert_int_eq(json_integer_value(json_object_get(listed, "errors_omitted")), 3);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("http-body");
        TCase *tcase = tcase_create("body");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_loop_test(tcase, test_fault, 0, (int) ELEMENTSOF(bodies));
        tcase_add_test(tcase, test_object);
        tcase_add_test(tcase, test_deep);
        tcase_add_test(tcase, test_problem);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
