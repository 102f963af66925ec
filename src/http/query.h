/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strict decoding of query parameters, in the manner of util/json.h: http_query_take_*() reads one and marks it
 * as known, http_query_end() complains of the others. Every fault is listed with the pointer /query/PARAMETER.
 * Keys and values are borrowed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/json.h"

/* More parameters than this are a fault. */
#define HTTP_QUERY_MAX 32

typedef struct HttpQuery {
        JsonDecoder decoder;
        size_t n;
        struct {
                const char *key;
                const char *value; /* NULL: the key stands alone */
                bool taken;
        } item[HTTP_QUERY_MAX];
} HttpQuery;

void http_query_init(HttpQuery *q, JsonFaults *faults);

/* Adds what is in the query of a URL, which is decoded in place. NULL: there is none. */
void http_query_parse(HttpQuery *q, char *text);

/* key and value are decoded already. */
void http_query_add(HttpQuery *q, const char *key, const char *value);

/* Each reads one optional parameter: returns true and sets *ret if it is there and right. One that is there and
 * wrong, or there twice, is a fault. */
bool http_query_take_string(HttpQuery *q, const char *key, const char **ret);
bool http_query_take_integer(HttpQuery *q, const char *key, int64_t min, int64_t max, int64_t *ret);
bool http_query_take_bool(HttpQuery *q, const char *key, bool *ret);

/* Reads the next one of a parameter that may be there several times. */
bool http_query_take_next(HttpQuery *q, const char *key, const char **ret);

/* Adds a fault of one parameter. code must be static. */
void http_query_fault(HttpQuery *q, const char *key, const char *code, const char *detail);

void http_query_end(HttpQuery *q);
