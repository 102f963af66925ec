/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON as text, written from its front to its end: for what is written by the million, of which jansson would make
 * a tree first and forget it afterwards, at five times the cost. What needs care is jansson's here, too: a string
 * that is not plain ASCII, and all parsing.
 *
 * Each function writes one value. key: the name of the member that it is, plain ASCII; NULL in an array, and of the
 * whole. When there is no memory the writer has failed: the rest is dropped, and json_writer_take() says so. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/macro.h"

/* All zero: empty. */
typedef struct JsonWriter {
        char *text; /* owned; not terminated */
        size_t n, size;
        bool wants_comma; /* before the next value */
        bool has_failed;
} JsonWriter;

void json_writer_done(JsonWriter *w);

/* The terminated text, which is the caller's to free, and the writer is empty again; NULL: out of memory. */
char *json_writer_take(JsonWriter *w);

/* The same as a tree: a new reference, or NULL. On the loop's thread only. */
json_t *json_writer_parse(JsonWriter *w);

/* bracket: '{' or '['. json_write_close() has the one that ends it. */
void json_write_open(JsonWriter *w, const char *key, char bracket);
void json_write_close(JsonWriter *w, char bracket);

/* text as json_text() takes it: what JSON cannot have becomes "?". NULL: null. */
void json_write_string(JsonWriter *w, const char *key, const char *text);
void json_write_integer(JsonWriter *w, const char *key, int64_t value);
void json_write_bool(JsonWriter *w, const char *key, bool value);
void json_write_null(JsonWriter *w, const char *key);

/* value: borrowed, and NULL if there was no memory for it. */
void json_write_tree(JsonWriter *w, const char *key, const json_t *value);

/* n bytes that are a value already. */
void json_write_value(JsonWriter *w, const char *key, const char *text, size_t n);

/* n bytes of what may stand around values; no comma comes before what follows. */
void json_write_frame(JsonWriter *w, const char *text, size_t n);

#define _cleanup_json_writer_ _cleanup_(json_writer_done)
