/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/router.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "http/handlers.h"
#include "http/url.h"

#define CHANGES (HTTP_ROUTE_IF_MATCH | HTTP_ROUTE_KEY)
#define CREATES (CHANGES | HTTP_ROUTE_CREATES)

/* Names have no colon in them, so that "{name}:verb" is free for verbs. */
static const HttpRoute routes[] = {
        { "GET", "/v1/devices", http_device_list, 0 },
        { "POST", "/v1/devices", http_device_post, HTTP_ROUTE_BODY | CREATES },
        { "POST", "/v1/devices:batchCreate", http_batch_create,
          HTTP_ROUTE_BODY | HTTP_ROUTE_BATCH | HTTP_ROUTE_KEY },
        { "POST", "/v1/devices:batchDelete", http_batch_delete,
          HTTP_ROUTE_BODY | HTTP_ROUTE_BATCH | HTTP_ROUTE_KEY },
        { "POST", "/v1/devices/{name}:renew", http_device_renew,
          HTTP_ROUTE_BODY | HTTP_ROUTE_OPTIONAL_BODY | CHANGES },
        { "GET", "/v1/devices/{name}", http_device_get, 0 },
        { "PUT", "/v1/devices/{name}", http_device_put, HTTP_ROUTE_BODY | CREATES },
        { "PATCH", "/v1/devices/{name}", http_device_patch, HTTP_ROUTE_BODY | HTTP_ROUTE_MERGE_PATCH | CHANGES },
        { "DELETE", "/v1/devices/{name}", http_device_delete, CHANGES },
        { "POST", "/v1/devices/{name}:adopt", http_device_adopt, HTTP_ROUTE_BODY },
        { "GET", "/v1/devices/{name}/stats", http_device_get_stats, 0 },
        { "GET", "/v1/events", http_events_get, 0 },
        { "GET", "/v1/mgmtdevs", http_mgmtdev_list, 0 },
        { "GET", "/v1/mgmtdevs/{handle}", http_mgmtdev_get, 0 },
        { "PATCH", "/v1/mgmtdevs/{handle}", http_mgmtdev_patch,
          HTTP_ROUTE_BODY | HTTP_ROUTE_MERGE_PATCH | CHANGES },
        { "GET", "/v1/pools", http_pool_list, 0 },
        { "GET", "/v1/pools/{name}", http_pool_get, 0 },
        { "PUT", "/v1/pools/{name}", http_pool_put, HTTP_ROUTE_BODY },
        { "DELETE", "/v1/pools/{name}", http_pool_delete, 0 },
        { "POST", "/v1/pools/{name}:claim", http_pool_claim,
          HTTP_ROUTE_BODY | HTTP_ROUTE_OPTIONAL_BODY | HTTP_ROUTE_KEY },
        { "POST", "/v1/pools/{name}:return", http_pool_return, HTTP_ROUTE_BODY | HTTP_ROUTE_KEY },
        { "GET", "/v1/drift", http_drift_list, 0 },
        { "POST", "/v1/drift:repair", http_drift_repair, HTTP_ROUTE_BODY },
        { "GET", "/v1/host", http_host_get, 0 },
        { "GET", "/v1/backup", http_backup_get, 0 },
        { "GET", "/healthz", http_health_get, 0 },
        { "GET", "/readyz", http_ready_get, 0 },
        { "GET", "/metrics", http_metrics_get, 0 },
        { "GET", "/openapi.yaml", http_openapi_get, 0 },
};
_Static_assert(ELEMENTSOF(routes) <= HTTP_ROUTES_MAX, "others have room for each");

const HttpRoute *http_router_at(size_t i) {
        return i < ELEMENTSOF(routes) ? &routes[i] : NULL;
}

size_t http_router_number(const HttpRoute *route) {
        return (size_t) (route - routes);
}

/* Decodes the n bytes of a raw path into buffer, cut to HTTP_PARAM_MAX. A byte takes three characters at most: what
 * is left out here would be cut in any case. */
static void decode(const char *raw, size_t n, char *buffer) {
        char text[3 * HTTP_PARAM_MAX];

        if (n >= sizeof text)
                n = sizeof text - 1;
        memcpy(text, raw, n);
        text[n] = '\0';
        n = url_unescape(text);
        if (n >= HTTP_PARAM_MAX)
                n = HTTP_PARAM_MAX - 1;
        memcpy(buffer, text, n);
        buffer[n] = '\0';
}

/* The length of the parameter at the start of path: one segment, or two for a handle. */
static size_t param_length(const char *pattern, const char *path) {
        size_t n = strcspn(path, "/"), second;

        if (strncmp(pattern, "{handle}", 8) != 0 || path[n] != '/')
                return n;

        second = strcspn(path + n + 1, "/");
        return n > 0 && second > 0 ? n + 1 + second : n;
}

/* What a parameter's segment of a pattern goes on with: ":verb", or nothing. */
static const char *param_verb(const char *pattern) {
        return pattern + strcspn(pattern, "}") + 1;
}

static bool ends_with_verb(const char *segment, const char *verb) {
        size_t n = strlen(segment), n_verb = strcspn(verb, "/");

        return n > n_verb && strncmp(segment + n - n_verb, verb, n_verb) == 0;
}

/* A name with the verb of another route is not a name to this one. */
static bool has_any_verb(const char *segment) {
        for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
                const char *verb = strchr(routes[i].path, '{');

                if (verb && param_verb(verb)[0] == ':' && ends_with_verb(segment, param_verb(verb)))
                        return true;
        }

        return false;
}

static bool take_param(const char *pattern, char *segment, char *ret_param) {
        const char *verb = param_verb(pattern);

        if (*verb != ':' ? strchr(segment, ':') && has_any_verb(segment) : !ends_with_verb(segment, verb))
                return false;
        if (*verb == ':')
                segment[strlen(segment) - strcspn(verb, "/")] = '\0';
        strcpy(ret_param, segment);
        return true;
}

/* Most segments have nothing to decode, and most routes are others. */
static bool is_literal(const char *pattern, size_t n_pattern, const char *path, size_t n) {
        char segment[HTTP_PARAM_MAX];

        if (!memchr(path, '%', n))
                return n == n_pattern && memcmp(path, pattern, n) == 0;

        decode(path, n, segment);
        return strlen(segment) == n_pattern && strncmp(segment, pattern, n_pattern) == 0;
}

/* Segment by segment, as they came: a slash that is encoded in one does not end it. */
static bool path_matches(const char *pattern, const char *path, char *ret_param) {
        char segment[HTTP_PARAM_MAX];

        ret_param[0] = '\0';
        while (*pattern == '/' && *path == '/') {
                size_t n_pattern = strcspn(++pattern, "/"), n = param_length(pattern, ++path);

                if (n == 0)
                        return false;
                if (*pattern == '{') {
                        decode(path, n, segment);
                        if (!take_param(pattern, segment, ret_param))
                                return false;
                } else if (!is_literal(pattern, n_pattern, path, n))
                        return false;
                pattern += n_pattern;
                path += n;
        }

        return !*pattern && !*path;
}

/* Adds a method to what the field Allow lists. */
static void allow_add(char *allow, const char *method) {
        size_t n = strlen(allow);

        (void) snprintf(allow + n, HTTP_ALLOW_MAX - n, "%s%s%s", n > 0 ? ", " : "", method,
                        strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

ErrorCode http_router_find(const char *method, const char *path, const HttpRoute **ret, char *ret_param,
                           char *ret_allow) {
        const char *matched = NULL;

        if (strcmp(method, "HEAD") == 0)
                method = "GET";

        ret_allow[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
                /* A verb of a device is no other device. */
                if (matched && strcmp(routes[i].path, matched) != 0)
                        continue;
                if (!path_matches(routes[i].path, path, ret_param))
                        continue;
                matched = routes[i].path;
                if (strcmp(routes[i].method, method) == 0) {
                        *ret = &routes[i];
                        return ERROR_NONE;
                }
                allow_add(ret_allow, routes[i].method);
        }

        return ret_allow[0] ? ERROR_METHOD_NOT_ALLOWED : ERROR_NOT_FOUND;
}
