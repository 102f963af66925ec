/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strict decoding of JSON objects: every fault is found in one pass, and each has its JSON pointer (RFC 6901).
 *
 * A decoder stands at a place in the document. json_take_*() reads one member of the object there and marks it
 * as known; json_end() complains of the members that nobody has taken. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/macro.h"

/* More faults than this are not listed one by one; a client cannot make the answer grow. */
#define JSON_FAULTS_MAX  32
#define JSON_POINTER_MAX 256

typedef struct JsonFault {
        char pointer[JSON_POINTER_MAX];
        const char *code; /* static: "wrong-type", "out-of-range", "unknown-field", "missing", ... */
        char detail[160];
} JsonFault;

typedef struct JsonFaults {
        size_t n;         /* faults listed */
        size_t n_omitted; /* further ones */
        JsonFault fault[JSON_FAULTS_MAX];
} JsonFaults;

typedef struct JsonDecoder {
        JsonFaults *faults;
        char pointer[JSON_POINTER_MAX]; /* where it stands; "" is the whole document */
        const char *known[24];          /* members taken, static strings */
        size_t n_known;
} JsonDecoder;

/* Adds a fault at the pointer of d, extended by member unless that is NULL. code must be static. */
void json_fault(JsonDecoder *d, const char *member, const char *code, const char *format, ...) _printf_(4, 5);

/* A decoder for the whole document. */
void json_decoder_init(JsonDecoder *d, JsonFaults *faults);

/* A decoder for a member of the object where parent stands. */
void json_decoder_enter(JsonDecoder *d, const JsonDecoder *parent, const char *member);

/* Each reads one optional member: returns true and sets *ret if it is there and right; a member that is there and
 * wrong is a fault. null counts as absent. Strings and values are borrowed from object. member must be static. */
bool json_take_string(JsonDecoder *d, json_t *object, const char *member, size_t max_bytes, const char **ret);
bool json_take_integer(JsonDecoder *d, json_t *object, const char *member, int64_t min, int64_t max, int64_t *ret);
bool json_take_bool(JsonDecoder *d, json_t *object, const char *member, bool *ret);
bool json_take_object(JsonDecoder *d, json_t *object, const char *member, json_t **ret);
bool json_take_array(JsonDecoder *d, json_t *object, const char *member, size_t max_items, json_t **ret);

/* As json_loadb(), with the same flags, but for one thing: jansson overlooks when it has no memory for a part of a
 * string, and goes on with what it has. Here *ret_out_of_memory is true then, and NULL is returned. On the loop's
 * thread only. */
json_t *json_parse(const char *text, size_t n, size_t flags, json_error_t *error, bool *ret_out_of_memory);

/* The compact text of value, which is taken over; NULL: there was no value, or no memory. To be freed. */
char *json_text_of(json_t *value);

/* Complains of every member of object that was not taken. */
void json_end(JsonDecoder *d, json_t *object);

/* A JSON string of text that others wrote and that may not be UTF-8, or was cut in the middle of a character:
 * what JSON cannot have becomes "?". NULL: out of memory. */
json_t *json_text(const char *text);

#define _cleanup_json_ _cleanup_(json_decrefp)
