/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which handler a method and a path lead to. */

#include "inventory/error.h"
#include "inventory/spec.h"

typedef struct HttpRequest HttpRequest;
typedef struct HttpInput HttpInput;

/* A path parameter, decoded. Longer ones are cut, and are then still too long for a name or a handle. */
#define HTTP_PARAM_MAX (HANDLE_MAX + 1)
#define HTTP_ALLOW_MAX 48

/* There are not more. */
#define HTTP_ROUTES_MAX 40

typedef enum HttpRouteFlags {
        HTTP_ROUTE_BODY = 1 << 0,          /* takes a JSON body */
        HTTP_ROUTE_MERGE_PATCH = 1 << 1,   /* ... also as application/merge-patch+json */
        HTTP_ROUTE_IF_MATCH = 1 << 2,      /* honours If-Match */
        HTTP_ROUTE_BATCH = 1 << 3,         /* the body may be as large as that of a batch */
        HTTP_ROUTE_CREATES = 1 << 4,       /* honours If-None-Match: * */
        HTTP_ROUTE_KEY = 1 << 5,           /* honours Idempotency-Key */
        HTTP_ROUTE_OPTIONAL_BODY = 1 << 6, /* ... which may be absent */
} HttpRouteFlags;

typedef struct HttpRoute {
        const char *method; /* HEAD is where GET is */
        const char *path;   /* "{name}" is one segment, "{name}:verb" too, "{handle}" one or two at the end */
        void (*handler)(HttpRequest *r, HttpInput *in);
        unsigned flags;
} HttpRoute;

/* The routes, in their order; NULL behind the last one. And the place of one. */
const HttpRoute *http_router_at(size_t i);
size_t http_router_number(const HttpRoute *route);

/* path is as it came, without the query. Returns ERROR_NONE with the route and its parameter (HTTP_PARAM_MAX
 * bytes), or ERROR_NOT_FOUND, or ERROR_METHOD_NOT_ALLOWED with the methods that the path has (HTTP_ALLOW_MAX
 * bytes). */
ErrorCode http_router_find(const char *method, const char *path, const HttpRoute **ret, char *ret_param,
                           char *ret_allow);
