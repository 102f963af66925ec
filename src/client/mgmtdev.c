/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls about the host and its management devices. */

#include <errno.h>
#include <unistd.h>

#include "client/request.h"

int hsv_host_get(HsvClient *client, HsvDocument **ret) {
        return client_get(client, "/v1/host", ret);
}

static int write_all(void *userdata, const char *data, size_t n) {
        const int *fd = userdata;

        for (size_t done = 0; done < n;) {
                ssize_t k = write(*fd, data + done, n - done);

                if (k < 0 && errno != EINTR)
                        return -errno;
                if (k > 0)
                        done += (size_t) k;
        }
        return 0;
}

int hsv_host_backup(HsvClient *client, int fd) {
        const Sink sink = { .take = write_all, .userdata = &fd };

        return client_call(client, &(Request){ .method = "GET", .path = "/v1/backup", .sink = &sink }, NULL, NULL);
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
        int r;

        r = mgmtdev_path(client, handle, &path);
        if (r < 0)
                return r;
        r = client_parse_object(client, "patch", patch, &body);
        if (r < 0)
                return r;
        return client_call(client,
                           &(Request){ .method = "PATCH", .path = path, .body = body, .if_revision = if_revision },
                           NULL, ret);
}
