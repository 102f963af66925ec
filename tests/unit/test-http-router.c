/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/router.h"

#include <check.h>
#include <string.h>

#include "http/handlers.h"

static const struct {
        const char *method;
        const char *path;
        ErrorCode error;
        void (*handler)(HttpRequest *r, HttpInput *in);
        const char *param; /* or what Allow lists */
} paths[] = {
        { "GET", "/v1/devices", ERROR_NONE, http_device_list, "" },
        { "HEAD", "/v1/devices", ERROR_NONE, http_device_list, "" },
        { "POST", "/v1/devices", ERROR_NONE, http_device_post, "" },
        { "PUT", "/v1/devices/a", ERROR_NONE, http_device_put, "a" },
        { "PATCH", "/v1/devices/a.b", ERROR_NONE, http_device_patch, "a.b" },
        { "POST", "/v1/devices/a:renew", ERROR_NONE, http_device_renew, "a" },
        { "DELETE", "/v1/devices/a:renew", ERROR_METHOD_NOT_ALLOWED, NULL, "POST" },
        { "POST", "/v1/devices/:renew", ERROR_METHOD_NOT_ALLOWED, NULL, "GET, HEAD, PUT, PATCH, DELETE" },
        { "DELETE", "/v1/devices/a:b", ERROR_NONE, http_device_delete, "a:b" },
        { "GET", "/v1/devices/stats", ERROR_NONE, http_device_get, "stats" },
        { "GET", "/v1/devices/a/stats", ERROR_NONE, http_device_get_stats, "a" },
        { "GET", "/v1/mgmtdevs", ERROR_NONE, http_mgmtdev_list, "" },
        { "GET", "/v1/mgmtdevs/vdpasim_net", ERROR_NONE, http_mgmtdev_get, "vdpasim_net" },
        { "GET", "/v1/mgmtdevs/pci/0000:01:00.0", ERROR_NONE, http_mgmtdev_get, "pci/0000:01:00.0" },
        { "PATCH", "/v1/mgmtdevs/pci/0000:01:00.0", ERROR_NONE, http_mgmtdev_patch, "pci/0000:01:00.0" },
        { "DELETE", "/v1/mgmtdevs/vdpasim_net", ERROR_METHOD_NOT_ALLOWED, NULL, "GET, HEAD, PATCH" },
        { "GET", "/v1/mgmtdevs/../x", ERROR_NONE, http_mgmtdev_get, "../x" },
        { "GET", "/v1/mgmtdevs/pci%2F0000:01%3a00.0", ERROR_NONE, http_mgmtdev_get, "pci/0000:01:00.0" },
        { "GET", "/v1/mgmtdevs/pci/0000%3A01:00.0", ERROR_NONE, http_mgmtdev_get, "pci/0000:01:00.0" },
        { "GET", "/v1/mgmtdevs/pci%2Fa/b", ERROR_NONE, http_mgmtdev_get, "pci/a/b" },
        { "GET", "/v1/mgmtdevs/%2F", ERROR_NONE, http_mgmtdev_get, "/" },
        { "GET", "/v1/devices/%61", ERROR_NONE, http_device_get, "a" },
        { "GET", "/v1/devices/a%2Fstats", ERROR_NONE, http_device_get, "a/stats" },
        { "GET", "/v1/devices/a%2Fb/stats", ERROR_NONE, http_device_get_stats, "a/b" },
        { "GET", "/v1/devices/a/st%61ts", ERROR_NONE, http_device_get_stats, "a" },
        { "GET", "/v1/devices/%252F", ERROR_NONE, http_device_get, "%2F" },
        { "GET", "/%76%31/host", ERROR_NONE, http_host_get, "" },
        { "GET", "/openapi.yaml", ERROR_NONE, http_openapi_get, "" },
        { "GET", "", ERROR_NOT_FOUND },
        { "GET", "/", ERROR_NOT_FOUND },
        { "GET", "*", ERROR_NOT_FOUND },
        { "GET", "/v1/devices/", ERROR_NOT_FOUND },
        { "GET", "/v1//devices", ERROR_NOT_FOUND },
        { "GET", "/v1/devicesx", ERROR_NOT_FOUND },
        { "GET", "/v1/devices/a/", ERROR_NOT_FOUND },
        { "GET", "/v1/devices//stats", ERROR_NOT_FOUND },
        { "GET", "/v1/devices/a/b", ERROR_NOT_FOUND },
        { "GET", "/v1%2Fdevices", ERROR_NOT_FOUND },
        { "GET", "/v1/devices/%", ERROR_NONE, http_device_get, "%" },
        { "GET", "/v1/devices/a/stats/", ERROR_NOT_FOUND },
        { "GET", "/v1/mgmtdevs/", ERROR_NOT_FOUND },
        { "GET", "/v1/mgmtdevs/a/", ERROR_NOT_FOUND },
        { "GET", "/v1/mgmtdevs//a", ERROR_NOT_FOUND },
        { "GET", "/v1/mgmtdevs/a/b/c", ERROR_NOT_FOUND },
        { "GET", "http://host/v1/devices", ERROR_NOT_FOUND },
        { "PUT", "/v1/devices", ERROR_METHOD_NOT_ALLOWED, NULL, "GET, HEAD, POST" },
        { "POST", "/v1/devices/a", ERROR_METHOD_NOT_ALLOWED, NULL, "GET, HEAD, PUT, PATCH, DELETE" },
        { "get", "/healthz", ERROR_METHOD_NOT_ALLOWED, NULL, "GET, HEAD" },
        { "HEADX", "/healthz", ERROR_METHOD_NOT_ALLOWED, NULL, "GET, HEAD" },
};

START_TEST(test_find) {
        char param[HTTP_PARAM_MAX], allow[HTTP_ALLOW_MAX];
        const HttpRoute *route = NULL;

        ck_assert_int_eq(http_router_find(paths[_i].method, paths[_i].path, &route, param, allow), paths[_i].error);
        if (paths[_i].error == ERROR_NONE) {
                ck_assert(route->handler == paths[_i].handler);
                ck_assert_str_eq(param, paths[_i].param);
        } else {
                ck_assert_ptr_null(route);
                ck_assert_str_eq(allow, paths[_i].param ?: "");
        }
}
END_TEST

/* Cut, it must not become a name or a handle. */
START_TEST(test_long_param) {
        char path[4096] = "/v1/devices/", param[HTTP_PARAM_MAX], allow[HTTP_ALLOW_MAX];
        const HttpRoute *route;

        memset(path + strlen(path), 'a', sizeof path - strlen(path) - 1);
        ck_assert_int_eq(http_router_find("GET", path, &route, param, allow), ERROR_NONE);
        ck_assert_uint_eq(strlen(param), HTTP_PARAM_MAX - 1);
        ck_assert(!device_name_is_valid(param));
        ck_assert(!handle_is_valid(param));
}
END_TEST

/* What counts is how long it is when it is decoded. */
START_TEST(test_long_encoded_param) {
        char path[4096], param[HTTP_PARAM_MAX], allow[HTTP_ALLOW_MAX];
        const HttpRoute *route;

        strcpy(path, "/v1/devices/");
        for (size_t i = 1; i < 500; i++) {
                strcat(path, "%61");
                ck_assert_int_eq(http_router_find("GET", path, &route, param, allow), ERROR_NONE);
                ck_assert_uint_eq(strlen(param), i < HTTP_PARAM_MAX ? i : HTTP_PARAM_MAX - 1);
                ck_assert_uint_eq(strspn(param, "a%61"), strlen(param));
                ck_assert_int_eq(device_name_is_valid(param), i < DEVICE_NAME_MAX);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("http-router");
        TCase *tcase = tcase_create("router");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_loop_test(tcase, test_find, 0, (int) ELEMENTSOF(paths));
        tcase_add_test(tcase, test_long_param);
        tcase_add_test(tcase, test_long_encoded_param);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
