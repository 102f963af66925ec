/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls about the host and its management devices. */

#include "client/request.h"

int hsv_host_get(HsvClient *client, HsvDocument **ret) {
        return client_get(client, "/v1/host", ret);
}

int hsv_mgmtdev_list(HsvClient *client, HsvDocument **ret) {
        return client_get(client, "/v1/mgmtdevs", ret);
}

int hsv_mgmtdev_get(HsvClient *client, const char *handle, HsvDocument **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = path_append_handle("/v1/mgmtdevs", handle, &path);
        if (r < 0)
                return client_fail_argument(client, r, "The handle is empty, or one of its halves");
        return client_get(client, path, ret);
}
