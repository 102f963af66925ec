/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls about one device. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/request.h"

#define DEVICES "/v1/devices"

static int device_path(HsvClient *client, const char *name, char **ret) {
        int r = path_append_segment(DEVICES, name, ret);

        return r < 0 ? client_fail_argument(client, r, "The device's name is empty") : 0;
}

int hsv_device_create(HsvClient *client, const char *name, const char *spec, HsvDocument **ret, bool *ret_created) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *path = NULL;
        unsigned status;
        int r;

        if (name) {
                r = device_path(client, name, &path);
                if (r < 0)
                        return r;
        }
        r = client_spec_body(client, spec, &body);
        if (r < 0)
                return r;
        r = client_call(client,
                        &(Request){ .method = name ? "PUT" : "POST", .path = name ? path : DEVICES, .body = body },
                        &status, ret);
        if (r == 0 && ret_created)
                *ret_created = status == 201;
        return r;
}

static int call_batch(HsvClient *client, const char *path, const char *batch, HsvDocument **ret) {
        _cleanup_json_ json_t *body = NULL;
        int r;

        r = client_parse_object(client, "batch", batch, &body);
        if (r < 0)
                return r;
        return client_call(client, &(Request){ .method = "POST", .path = path, .body = body }, NULL, ret);
}

int hsv_device_create_batch(HsvClient *client, const char *batch, HsvDocument **ret) {
        return call_batch(client, DEVICES ":batchCreate", batch, ret);
}

int hsv_device_delete_batch(HsvClient *client, const char *batch, HsvDocument **ret) {
        return call_batch(client, DEVICES ":batchDelete", batch, ret);
}

/* The path that a device, or one without a name, would be created at, for a dry run. */
static int plan_path(HsvClient *client, const char *name, char **ret) {
        _cleanup_free_ char *device = NULL;
        int r;

        if (name) {
                r = device_path(client, name, &device);
                if (r < 0)
                        return r;
        }
        if (asprintf(ret, "%s?dry_run=true", name ? device : DEVICES) < 0) {
                *ret = NULL;
                return error_set(&client->error, ENOMEM, "Out of memory");
        }
        return 0;
}

int hsv_device_plan(HsvClient *client, const char *name, const char *spec, HsvDocument **ret) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = client_spec_body(client, spec, &body);
        if (r < 0)
                return r;
        r = plan_path(client, name, &path);
        if (r < 0)
                return r;
        return client_call(client, &(Request){ .method = name ? "PUT" : "POST", .path = path, .body = body }, NULL,
                           ret);
}

int hsv_device_get_if_changed(HsvClient *client, const char *name, uint64_t revision, HsvDocument **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = device_path(client, name, &path);
        if (r < 0)
                return r;
        return client_call(client, &(Request){ .method = "GET", .path = path, .not_revision = revision }, NULL,
                           ret);
}

int hsv_device_get(HsvClient *client, const char *name, HsvDocument **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = device_path(client, name, &path);
        return r < 0 ? r : client_get(client, path, ret);
}

int hsv_device_get_in_use(HsvClient *client, const char *name, HsvDocument **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = device_path(client, name, &path);
        if (r < 0)
                return r;
        r = path_append_parameter(&path, "in_use", strlen("in_use"), "true");
        return r < 0 ? error_set(&client->error, r, "Out of memory") : client_get(client, path, ret);
}

/* Adds what the query says of a condition. */
static int append_condition(HsvClient *client, const HsvCondition *condition, char **path) {
        char generation[24];
        int r = 0;

        if (condition->uid)
                r = path_append_parameter(path, "uid", strlen("uid"), condition->uid);
        if (r == 0 && condition->generation > 0) {
                (void) snprintf(generation, sizeof generation, "%" PRIu64, condition->generation);
                r = path_append_parameter(path, "generation", strlen("generation"), generation);
        }
        return r < 0 ? error_set(&client->error, r, "Out of memory") : 0;
}

int hsv_device_update_if(HsvClient *client, const char *name, const char *spec, const HsvCondition *condition,
                         HsvDocument **ret) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = device_path(client, name, &path);
        if (r < 0)
                return r;
        r = append_condition(client, condition, &path);
        if (r < 0)
                return r;
        r = client_spec_body(client, spec, &body);
        if (r < 0)
                return r;
        return client_call(
                client,
                &(Request){ .method = "PATCH", .path = path, .body = body, .if_revision = condition->revision },
                NULL, ret);
}

int hsv_device_update(HsvClient *client, const char *name, const char *spec, uint64_t if_revision,
                      HsvDocument **ret) {
        return hsv_device_update_if(client, name, spec, &(HsvCondition){ .revision = if_revision }, ret);
}

/* Of what can be done to a device, beside the methods of HTTP. */
static int verb_path(HsvClient *client, const char *name, const char *verb, char **ret) {
        _cleanup_free_ char *device = NULL;
        int r = device_path(client, name, &device);

        return r < 0 ? r : client_verb_path(client, device, verb, ret);
}

int hsv_device_renew(HsvClient *client, const char *name, uint64_t lease_seconds, const HsvCondition *condition,
                     HsvDocument **ret) {
        static const HsvCondition none = {};
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        condition = condition ?: &none;
        r = verb_path(client, name, "renew", &path);
        if (r == 0)
                r = append_condition(client, condition, &path);
        if (r < 0)
                return r;
        if (lease_seconds > 0) {
                body = json_pack("{s:I}", "lease_seconds",
                                 (json_int_t) (lease_seconds < INT64_MAX ? lease_seconds : INT64_MAX));
                if (!body)
                        return error_set(&client->error, ENOMEM, "Out of memory");
        }
        return client_call(
                client,
                &(Request){ .method = "POST", .path = path, .body = body, .if_revision = condition->revision },
                NULL, ret);
}

int hsv_device_adopt(HsvClient *client, const char *name, const char *spec, HsvDocument **ret) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = verb_path(client, name, "adopt", &path);
        if (r == 0)
                r = client_spec_body(client, spec, &body);
        if (r < 0)
                return r;
        return client_call(client, &(Request){ .method = "POST", .path = path, .body = body }, NULL, ret);
}

static int delete_path(HsvClient *client, const char *name, const char *uid, unsigned flags, char **ret) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = device_path(client, name, &path);
        if (r < 0)
                return r;
        if (flags & HSV_DELETE_MISSING_OK)
                r = path_append_parameter(&path, "missing_ok", strlen("missing_ok"), "true");
        if (r == 0 && uid)
                r = path_append_parameter(&path, "uid", strlen("uid"), uid);
        if (r < 0)
                return error_set(&client->error, r, "Out of memory");

        *ret = TAKE_PTR(path);
        return 0;
}

int hsv_device_delete(HsvClient *client, const char *name, const char *uid, uint64_t if_revision, unsigned flags) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (flags & ~HSV_DELETE_MISSING_OK)
                return client_fail_argument(client, -EINVAL, "There is no such flag");
        r = delete_path(client, name, uid, flags, &path);
        if (r < 0)
                return r;
        return client_call(client, &(Request){ .method = "DELETE", .path = path, .if_revision = if_revision }, NULL,
                           NULL);
}

int hsv_device_get_stats(HsvClient *client, const char *name, HsvDocument **ret) {
        _cleanup_free_ char *device = NULL, *path = NULL;
        int r;

        r = device_path(client, name, &device);
        if (r < 0)
                return r;
        r = path_append_segment(device, "stats", &path);
        if (r < 0)
                return error_set(&client->error, r, "Out of memory");
        return client_get(client, path, ret);
}
