/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/router.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "http/handlers.h"

/* Names have no colon in them, so that "{name}:verb" stays free for more to come. */
static const HttpRoute routes[] = {
        { "GET", "/v1/devices", http_device_list, 0 },
        { "POST", "/v1/devices", http_device_post, HTTP_ROUTE_BODY },
        { "GET", "/v1/devices/{name}", http_device_get, 0 },
        { "PUT", "/v1/devices/{name}", http_device_put, HTTP_ROUTE_BODY },
        { "PATCH", "/v1/devices/{name}", http_device_patch,
          HTTP_ROUTE_BODY | HTTP_ROUTE_MERGE_PATCH | HTTP_ROUTE_IF_MATCH },
        { "DELETE", "/v1/devices/{name}", http_device_delete, HTTP_ROUTE_IF_MATCH },
        { "GET", "/v1/devices/{name}/stats", http_device_get_stats, 0 },
        { "GET", "/v1/mgmtdevs", http_mgmtdev_list, 0 },
        { "GET", "/v1/mgmtdevs/{handle}", http_mgmtdev_get, 0 },
        { "GET", "/v1/host", http_host_get, 0 },
        { "GET", "/healthz", http_health_get, 0 },
        { "GET", "/readyz", http_ready_get, 0 },
        { "GET", "/openapi.yaml", http_openapi_get, 0 },
};

/* The length of the parameter at the start of path, or 0 if it cannot be one. */
static size_t param_length(const char *pattern, const char *path) {
        size_t n = strcspn(path, "/"), second;

        if (strncmp(pattern, "{handle}", 8) == 0 && n > 0 && path[n] == '/') {
                second = strcspn(path + n + 1, "/");
                return second > 0 ? n + 1 + second : 0;
        }

        return n;
}

static bool path_matches(const char *pattern, const char *path, char *ret_param) {
        size_t n = strcspn(pattern, "{"), n_param;

        if (strncmp(pattern, path, n) != 0)
                return false;
        pattern += n;
        path += n;
        if (!*pattern) {
                ret_param[0] = '\0';
                return !*path;
        }

        n_param = param_length(pattern, path);
        pattern += strcspn(pattern, "}") + 1;
        if (n_param == 0 || strcmp(pattern, path + n_param) != 0)
                return false;

        if (n_param >= HTTP_PARAM_MAX)
                n_param = HTTP_PARAM_MAX - 1;
        memcpy(ret_param, path, n_param);
        ret_param[n_param] = '\0';
        return true;
}

/* Adds a method to what the field Allow lists. */
static void allow_add(char *allow, const char *method) {
        size_t n = strlen(allow);

        (void) snprintf(allow + n, HTTP_ALLOW_MAX - n, "%s%s%s", n > 0 ? ", " : "", method,
                        strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

ErrorCode http_router_find(const char *method, const char *path, const HttpRoute **ret, char *ret_param,
                           char *ret_allow) {
        if (strcmp(method, "HEAD") == 0)
                method = "GET";

        ret_allow[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
                if (!path_matches(routes[i].path, path, ret_param))
                        continue;
                if (strcmp(routes[i].method, method) == 0) {
                        *ret = &routes[i];
                        return ERROR_NONE;
                }
                allow_add(ret_allow, routes[i].method);
        }

        return ret_allow[0] ? ERROR_METHOD_NOT_ALLOWED : ERROR_NOT_FOUND;
}
