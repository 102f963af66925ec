/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/json.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Appends "/" and member, escaped as RFC 6901 asks: "~" is "~0", "/" is "~1". A pointer that does not fit is cut.
 */
static void pointer_append(char pointer[static JSON_POINTER_MAX], const char *member) {
        size_t n = strlen(pointer);

        if (n + 1 < JSON_POINTER_MAX)
                pointer[n++] = '/';
        for (; *member && n + 2 < JSON_POINTER_MAX; member++) {
                if (*member == '~' || *member == '/') {
                        pointer[n++] = '~';
                        pointer[n++] = *member == '~' ? '0' : '1';
                } else
                        pointer[n++] = *member;
        }
        if (*member) {
                while ((pointer[n - 1] & 0xc0) == 0x80)
                        n--;
                if (pointer[n - 1] & 0x80)
                        n--;
        }
        pointer[n] = '\0';
}

void json_fault(JsonDecoder *d, const char *member, const char *code, const char *format, ...) {
        JsonFaults *faults = d->faults;
        JsonFault *fault;
        va_list ap;

        if (faults->n == JSON_FAULTS_MAX) {
                faults->n_omitted++;
                return;
        }

        fault = &faults->fault[faults->n++];
        strcpy(fault->pointer, d->pointer);
        if (member)
                pointer_append(fault->pointer, member);
        fault->code = code;
        va_start(ap, format);
        (void) vsnprintf(fault->detail, sizeof fault->detail, format, ap);
        va_end(ap);
}

void json_decoder_init(JsonDecoder *d, JsonFaults *faults) {
        d->faults = faults;
        d->pointer[0] = '\0';
        d->n_known = 0;
}

void json_decoder_enter(JsonDecoder *d, const JsonDecoder *parent, const char *member) {
        json_decoder_init(d, parent->faults);
        strcpy(d->pointer, parent->pointer);
        pointer_append(d->pointer, member);
}

/* The member, or NULL if it is absent (or null). */
static json_t *take(JsonDecoder *d, json_t *object, const char *member) {
        json_t *value;

        assert(d->n_known < ELEMENTSOF(d->known));
        d->known[d->n_known++] = member;
        value = json_object_get(object, member);
        return json_is_null(value) ? NULL : value;
}

bool json_take_string(JsonDecoder *d, json_t *object, const char *member, size_t max_bytes, const char **ret) {
        json_t *value = take(d, object, member);

        if (!value)
                return false;
        if (!json_is_string(value)) {
                json_fault(d, member, "wrong-type", "must be a string");
                return false;
        }
        /* JSON can have a NUL in a string; nothing here can. */
        if (strlen(json_string_value(value)) != json_string_length(value)) {
                json_fault(d, member, "bad-string", "must not have a NUL character in it");
                return false;
        }
        if (json_string_length(value) > max_bytes) {
                json_fault(d, member, "too-long", "must have %zu bytes at the most", max_bytes);
                return false;
        }

        *ret = json_string_value(value);
        return true;
}

bool json_take_integer(JsonDecoder *d, json_t *object, const char *member, int64_t min, int64_t max, int64_t *ret) {
        json_t *value = take(d, object, member);

        if (!value)
                return false;
        if (!json_is_integer(value)) {
                json_fault(d, member, "wrong-type", "must be an integer");
                return false;
        }
        if (json_integer_value(value) < min || json_integer_value(value) > max) {
                json_fault(d, member, "out-of-range", "must be from %lld to %lld", (long long) min,
                           (long long) max);
                return false;
        }

        *ret = json_integer_value(value);
        return true;
}

bool json_take_bool(JsonDecoder *d, json_t *object, const char *member, bool *ret) {
        json_t *value = take(d, object, member);

        if (!value)
                return false;
        if (!json_is_boolean(value)) {
                json_fault(d, member, "wrong-type", "must be true or false");
                return false;
        }

        *ret = json_is_true(value);
        return true;
}

bool json_take_object(JsonDecoder *d, json_t *object, const char *member, json_t **ret) {
        json_t *value = take(d, object, member);

        if (!value)
                return false;
        if (!json_is_object(value)) {
                json_fault(d, member, "wrong-type", "must be an object");
                return false;
        }

        *ret = value;
        return true;
}

bool json_take_array(JsonDecoder *d, json_t *object, const char *member, size_t max_items, json_t **ret) {
        json_t *value = take(d, object, member);

        if (!value)
                return false;
        if (!json_is_array(value)) {
                json_fault(d, member, "wrong-type", "must be an array");
                return false;
        }
        if (json_array_size(value) > max_items) {
                json_fault(d, member, "out-of-range", "must have %zu items at the most", max_items);
                return false;
        }

        *ret = value;
        return true;
}

static bool is_known(const JsonDecoder *d, const char *member) {
        for (size_t i = 0; i < d->n_known; i++)
                if (strcmp(d->known[i], member) == 0)
                        return true;

        return false;
}

/* Whether there was no memory for something since json_parse() has last asked. */
static _Thread_local bool ran_out;

static void *allocate(size_t size) {
        void *p = malloc(size);

        if (!p)
                ran_out = true;
        return p;
}

json_t *json_parse(const char *text, size_t n, size_t flags, json_error_t *error, bool *ret_out_of_memory) {
        static bool is_set_up;
        json_t *value;

        if (!is_set_up)
                json_set_alloc_funcs(allocate, free);
        is_set_up = true;

        ran_out = false;
        value = json_loadb(text, n, flags, error);
        *ret_out_of_memory = ran_out;
        if (ran_out) {
                json_decref(value);
                return NULL;
        }
        return value;
}

char *json_text_of(json_t *value) {
        char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

        json_decref(value);
        return text;
}

void json_end(JsonDecoder *d, json_t *object) {
        const char *member;
        json_t *value;

        json_object_foreach(object, member, value) {
                if (!is_known(d, member))
                        json_fault(d, member, "unknown-field", "there is no such field");
        }
}

json_t *json_text(const char *text) {
        _cleanup_free_ char *copy = NULL;
        json_t *value = json_string(text);

        if (value)
                return value;

        copy = strdup(text);
        if (!copy)
                return NULL;
        for (char *c = copy; *c; c++)
                if ((unsigned char) *c >= 0x80)
                        *c = '?';
        return json_string(copy);
}
