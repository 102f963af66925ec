/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/url.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static void curl_url_cleanupp(CURLU **url) {
        curl_url_cleanup(*url);
}

static void curl_freep(char **text) {
        curl_free(*text);
}

void server_url_done(ServerUrl *url) {
        free(url->base);
        free(url->socket_path);
        *url = (ServerUrl){};
}

static int parse_unix(const char *path, ServerUrl *ret) {
        _cleanup_(server_url_done) ServerUrl url = {};

        if (path[0] != '/')
                return -EINVAL;
        if (strlen(path) >= sizeof(((struct sockaddr_un *) NULL)->sun_path))
                return -ENAMETOOLONG;

        /* HTTP wants a host name all the same. */
        url.base = strdup("http://localhost");
        url.socket_path = strdup(path);
        if (!url.base || !url.socket_path)
                return -ENOMEM;

        *ret = url;
        url = (ServerUrl){};
        return 0;
}

/* True for the parts of a URL that have no meaning here. A path of "/" is what curl makes of none. */
static bool has_surplus(CURLU *url) {
        static const CURLUPart parts[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                           CURLUPART_FRAGMENT };
        _cleanup_(curl_freep) char *path = NULL;

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                _cleanup_(curl_freep) char *text = NULL;

                if (curl_url_get(url, parts[i], &text, 0) == CURLUE_OK)
                        return true;
        }
        return curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK || strcmp(path, "/") != 0;
}

static int parse_http(const char *text, ServerUrl *ret) {
        _cleanup_(curl_url_cleanupp) CURLU *url = curl_url();
        _cleanup_(curl_freep) char *normal = NULL;
        CURLUcode code;

        if (!url)
                return -ENOMEM;
        code = curl_url_set(url, CURLUPART_URL, text, 0);
        if (code == CURLUE_OK && has_surplus(url))
                return -EINVAL;
        if (code == CURLUE_OK)
                code = curl_url_get(url, CURLUPART_URL, &normal, 0);
        if (code != CURLUE_OK)
                return code == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;

        /* Paths begin with the slash that ends here. */
        normal[strlen(normal) - 1] = '\0';
        ret->base = strdup(normal);
        if (!ret->base)
                return -ENOMEM;
        ret->socket_path = NULL;
        return 0;
}

int server_url_parse(const char *text, ServerUrl *ret) {
        if (strncmp(text, "unix:", 5) == 0)
                return parse_unix(text + 5, ret);
        if (strncasecmp(text, "http://", 7) == 0)
                return parse_http(text, ret);
        return strstr(text, "://") ? -EPROTONOSUPPORT : -EINVAL;
}

static char *escape(const char *text, size_t n) {
        _cleanup_(curl_freep) char *escaped = NULL;

        /* curl takes a length of 0 for "up to the NUL". */
        if (n == 0)
                return strdup("");
        escaped = n <= INT_MAX ? curl_easy_escape(NULL, text, (int) n) : NULL;
        return escaped ? strdup(escaped) : NULL;
}

int path_append_segment(const char *prefix, const char *text, char **ret) {
        _cleanup_free_ char *escaped = NULL;
        char *path;

        if (text[0] == '\0')
                return -EINVAL;
        escaped = escape(text, strlen(text));
        if (!escaped || asprintf(&path, "%s/%s", prefix, escaped) < 0)
                return -ENOMEM;
        *ret = path;
        return 0;
}

int path_append_handle(const char *prefix, const char *handle, char **ret) {
        const char *slash = strchr(handle, '/');
        _cleanup_free_ char *bus = NULL;
        int r;

        if (!slash)
                return path_append_segment(prefix, handle, ret);

        bus = strndup(handle, (size_t) (slash - handle));
        if (!bus)
                return -ENOMEM;

        _cleanup_free_ char *path = NULL;
        r = path_append_segment(prefix, bus, &path);
        if (r < 0)
                return r;
        return path_append_segment(path, slash + 1, ret);
}

int path_append_parameter(char **path, const char *name, size_t n_name, const char *value) {
        _cleanup_free_ char *name_text = escape(name, n_name), *value_text = escape(value, strlen(value));
        char *longer;

        if (!name_text || !value_text)
                return -ENOMEM;
        if (asprintf(&longer, "%s%c%s=%s", *path, strchr(*path, '?') ? '&' : '?', name_text, value_text) < 0)
                return -ENOMEM;
        free(*path);
        *path = longer;
        return 0;
}
