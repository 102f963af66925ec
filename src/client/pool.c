/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls about pools. */

#include <errno.h>
#include <stdio.h>

#include "client/request.h"

#define POOLS "/v1/pools"

int hsv_pool_list(HsvClient *client, HsvDocument **ret) {
        return client_get(client, POOLS, ret);
}

static int pool_path(HsvClient *client, const char *name, char **ret) {
        int r = path_append_segment(POOLS, name, ret);

        return r < 0 ? client_fail_argument(client, r, "The pool's name is empty") : 0;
}

int hsv_pool_get(HsvClient *client, const char *name, HsvDocument **ret) {
        _cleanup_free_ char *path = NULL;
        int r = pool_path(client, name, &path);

        return r < 0 ? r : client_get(client, path, ret);
}

int hsv_pool_set(HsvClient *client, const char *name, const char *spec, HsvDocument **ret, bool *ret_created) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *path = NULL;
        unsigned status;
        int r;

        r = pool_path(client, name, &path);
        if (r == 0)
                r = client_spec_body(client, spec, &body);
        if (r < 0)
                return r;
        r = client_call(client, &(Request){ .method = "PUT", .path = path, .body = body }, &status, ret);
        if (r == 0 && ret_created)
                *ret_created = status == 201;
        return r;
}

int hsv_pool_delete(HsvClient *client, const char *name) {
        _cleanup_free_ char *path = NULL;
        int r = pool_path(client, name, &path);

        return r < 0 ? r : client_call(client, &(Request){ .method = "DELETE", .path = path }, NULL, NULL);
}

int hsv_pool_claim(HsvClient *client, const char *name, const char *spec, HsvDocument **ret) {
        _cleanup_free_ char *pool = NULL, *path = NULL;
        _cleanup_json_ json_t *body = NULL;
        int r;

        r = pool_path(client, name, &pool);
        if (r == 0)
                r = client_verb_path(client, pool, "claim", &path);
        if (r == 0)
                r = client_spec_body(client, spec, &body);
        if (r < 0)
                return r;
        return client_call(client, &(Request){ .method = "POST", .path = path, .body = body }, NULL, ret);
}

int hsv_pool_return(HsvClient *client, const char *name, const char *device, const char *uid) {
        _cleanup_free_ char *pool = NULL, *path = NULL;
        _cleanup_json_ json_t *body = NULL;
        int r;

        r = pool_path(client, name, &pool);
        if (r == 0)
                r = client_verb_path(client, pool, "return", &path);
        if (r < 0)
                return r;
        body = json_pack("{s:s, s:s*}", "device", device, "uid", uid);
        if (!body)
                return client_fail_argument(client, -EINVAL, "The name or the uid is not UTF-8");
        return client_call(client, &(Request){ .method = "POST", .path = path, .body = body }, NULL, NULL);
}
