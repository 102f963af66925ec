/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The URL of a daemon, taken apart, and the making of paths below it. Pure functions. */

#include "util/macro.h"

typedef struct ServerUrl {
        char *base;        /* "http://host:port", without a slash at the end */
        char *socket_path; /* of a Unix socket to send it over, or NULL */
} ServerUrl;

/* Returns 0, -EINVAL, -ENAMETOOLONG, -EPROTONOSUPPORT or -ENOMEM: see hsv_client_new(). */
int server_url_parse(const char *text, ServerUrl *ret);
void server_url_done(ServerUrl *url);

/* prefix and then text as one path segment, percent-encoded, to be freed. Returns 0, -EINVAL if text is
 * empty (the path would then name something else), or -ENOMEM. */
int path_append_segment(const char *prefix, const char *text, char **ret);

/* As above for a management device's handle: one segment, or two at its first slash. */
int path_append_handle(const char *prefix, const char *handle, char **ret);

/* Extends *path, which was allocated, by '?' if it has no query yet, else '&', and name=value,
 * percent-encoded. n_name: bytes of name. Returns 0, or -ENOMEM with *path as it was. */
int path_append_parameter(char **path, const char *name, size_t n_name, const char *value);
