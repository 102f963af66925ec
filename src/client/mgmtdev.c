/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls about the host and its management devices. */

#include <errno.h>

#include "client/request.h"

int hsv_host_get(HsvClient *client, HsvDocument **ret) {
        return client_get(client, "/v1/host", ret);
}

int hsv_mgmtdev_list(HsvClient *client, HsvDocument **ret) {
        return client_get(client, "/v1/mgmtdevs", ret);
}

static int mgmtdev_path(HsvClient *client, const char *handle, char **ret) {
        int r = path_append_handle("/v1/mgmtdevs", handle, ret);

        return r < 0 ? client_fail_argument(client, r, "The handle is empty, or one of its halves") : 0;
}

int hsv_mgmtdev_get(HsvClient *client, const char *handle, HsvDocument **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = mgmtdev_path(client, handle, &path);
        return r < 0 ? r : client_get(client, path, ret);
}

int hsv_mgmtdev_update(HsvClient *client, const char *handle, const char *patch, uint64_t if_revision,
                       HsvDocument **ret) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *path = NULL;
        json_error_t error;
        int r;

        r = mgmtdev_path(client, handle, &path);
        if (r < 0)
                return r;
        body = json_loads(patch, JSON_REJECT_DUPLICATES, &error);
        if (!body && json_error_code(&error) == json_error_out_of_memory)
                return error_set(&client->error, ENOMEM, "Out of memory");
        if (!json_is_object(body))
                return error_set(&client->error, EINVAL, "The patch is not a JSON object");
        return client_call(client,
                           &(Request){ .method = "PATCH", .path = path, .body = body, .if_revision = if_revision },
                           NULL, ret);
}
