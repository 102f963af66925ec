/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/url.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static const struct {
        const char *text;
        int r;
        const char *base;
        const char *socket_path;
} urls[] = {
        { "unix:/run/hsvdpa/api.sock", 0, "http://localhost", "/run/hsvdpa/api.sock" },
        { "unix:///run/x", 0, "http://localhost", "///run/x" },
        { "unix:/a b?c", 0, "http://localhost", "/a b?c" },
        { "unix:", -EINVAL },
        { "unix:run/x", -EINVAL },
        { "http://127.0.0.1:8080", 0, "http://127.0.0.1:8080", NULL },
        { "http://127.0.0.1:8080/", 0, "http://127.0.0.1:8080", NULL },
        { "HTTP://localhost", 0, "http://localhost", NULL },
        { "http://[::1]:80", 0, "http://[::1]:80", NULL },
        { "http://", -EINVAL },
        { "http://host:port", -EINVAL },
        { "http://host:99999", -EINVAL },
        { "http://host/path", -EINVAL },
        { "http://host?query", -EINVAL },
        { "http://host#fragment", -EINVAL },
        { "http://user@host", -EINVAL },
        { "http://user:password@host", -EINVAL },
        { "http://a b", -EINVAL },
        { "https://host", -EPROTONOSUPPORT },
        { "file:///etc/passwd", -EPROTONOSUPPORT },
        { "/run/hsvdpa/api.sock", -EINVAL },
        { "localhost:80", -EINVAL },
        { "", -EINVAL },
};

START_TEST(test_parse) {
        _cleanup_(server_url_done) ServerUrl url = {};

        ck_assert_int_eq(server_url_parse(urls[_i].text, &url), urls[_i].r);
        ck_assert_pstr_eq(url.base, urls[_i].base);
        ck_assert_pstr_eq(url.socket_path, urls[_i].socket_path);
}
END_TEST

START_TEST(test_long_socket_path) {
        _cleanup_(server_url_done) ServerUrl url = {};
        char text[5 + 109] = "unix:";

        /* sun_path has 108 bytes, one of them for the NUL. */
        memset(text + 5, '/', 108);
        ck_assert_int_eq(server_url_parse(text, &url), -ENAMETOOLONG);
        ck_assert_ptr_null(url.base);
        text[5 + 107] = '\0';
        ck_assert_int_eq(server_url_parse(text, &url), 0);
}
END_TEST

START_TEST(test_segments) {
        _cleanup_free_ char *plain = NULL, *odd = NULL, *one = NULL, *two = NULL, *three = NULL;
        char *none = NULL;

        ck_assert_int_eq(path_append_segment("/v1/devices", "vm1", &plain), 0);
        ck_assert_str_eq(plain, "/v1/devices/vm1");
        ck_assert_int_eq(path_append_segment("/v1/devices", "a/b?c#d%e\n\xc3\xa4", &odd), 0);
        ck_assert_str_eq(odd, "/v1/devices/a%2Fb%3Fc%23d%25e%0A%C3%A4");
        ck_assert_int_eq(path_append_segment("/v1/devices", "", &none), -EINVAL);

        ck_assert_int_eq(path_append_handle("/v1/mgmtdevs", "vdpasim_net", &one), 0);
        ck_assert_str_eq(one, "/v1/mgmtdevs/vdpasim_net");
        ck_assert_int_eq(path_append_handle("/v1/mgmtdevs", "pci/0000:01:00.0", &two), 0);
        ck_assert_str_eq(two, "/v1/mgmtdevs/pci/0000%3A01%3A00.0");
        ck_assert_int_eq(path_append_handle("/v1/mgmtdevs", "a/b/c", &three), 0);
        ck_assert_str_eq(three, "/v1/mgmtdevs/a/b%2Fc");
        ck_assert_int_eq(path_append_handle("/v1/mgmtdevs", "", &none), -EINVAL);
        ck_assert_int_eq(path_append_handle("/v1/mgmtdevs", "/", &none), -EINVAL);
        ck_assert_int_eq(path_append_handle("/v1/mgmtdevs", "pci/", &none), -EINVAL);
        ck_assert_int_eq(path_append_handle("/v1/mgmtdevs", "/x", &none), -EINVAL);
        ck_assert_ptr_null(none);
}
END_TEST

START_TEST(test_parameters) {
        _cleanup_free_ char *path = strdup("/p");

        ck_assert_int_eq(path_append_parameter(&path, "label=", 5, "tenant=a&b"), 0);
        ck_assert_str_eq(path, "/p?label=tenant%3Da%26b");
        ck_assert_int_eq(path_append_parameter(&path, "owner", 5, ""), 0);
        ck_assert_str_eq(path, "/p?label=tenant%3Da%26b&owner=");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("client-url");
        TCase *tcase = tcase_create("url");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_loop_test(tcase, test_parse, 0, (int) ELEMENTSOF(urls));
        tcase_add_test(tcase, test_long_socket_path);
        tcase_add_test(tcase, test_segments);
        tcase_add_test(tcase, test_parameters);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}
