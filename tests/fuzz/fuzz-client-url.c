/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The URL of a daemon, and paths that are made of names and handles: what is put in stays in its segment. */
#include <string.h>

#include "client/url.h"
#include "fuzz.h"

static void check_path(const char *text) {
        _cleanup_free_ char *path = NULL, *handle = NULL;

        if (path_append_segment("/v1/devices", text, &path) == 0) {
                fuzz_expect(strncmp(path, "/v1/devices/", 12) == 0 && path[12] && !strpbrk(path + 12, "/?#"));
                fuzz_expect(path_append_parameter(&path, "uid", 3, text) == 0 && strchr(path, '?') &&
                            !strchr(strchr(path, '?') + 1, '/'));
        }
        if (path_append_handle("/v1/mgmtdevs", text, &handle) == 0)
                fuzz_expect(!strpbrk(handle, "?#"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        _cleanup_free_ char *text = fuzz_take_text(&in);
        ServerUrl url = {};

        if (server_url_parse(text, &url) == 0)
                fuzz_expect(url.base && strlen(url.base) > 0 && url.base[strlen(url.base) - 1] != '/');
        server_url_done(&url);
        check_path(text);
        return 0;
}
