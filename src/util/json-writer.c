/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/json-writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "util/decimal.h"
#include "util/json.h"

/* Most devices fit into it. */
#define SIZE_MIN 1280

/* Room for n bytes more, where they go; NULL: there is no memory for them. */
static char *reserve(JsonWriter *w, size_t n) {
        size_t size = MAX(MAX(2 * w->size, w->n + n), SIZE_MIN);
        char *text;

        if (w->has_failed)
                return NULL;
        if (w->size - w->n >= n)
                return w->text + w->n;

        text = realloc(w->text, size);
        if (!text) {
                w->has_failed = true;
                return NULL;
        }
        w->text = text;
        w->size = size;
        return text + w->n;
}

/* What stands before a value of n bytes at the most; where that goes, or NULL. */
static char *begin(JsonWriter *w, const char *key, size_t n) {
        size_t n_key = key ? strlen(key) : 0;
        char *p = reserve(w, n_key + 4 + n);

        if (!p)
                return NULL;
        if (w->wants_comma)
                *p++ = ',';
        if (key) {
                *p++ = '"';
                p = mempcpy(p, key, n_key);
                *p++ = '"';
                *p++ = ':';
        }
        w->wants_comma = true;
        return p;
}

static void end(JsonWriter *w, const char *p) {
        w->n = (size_t) (p - w->text);
}

void json_writer_done(JsonWriter *w) {
        free(w->text);
        *w = (JsonWriter){};
}

char *json_writer_take(JsonWriter *w) {
        char *p = reserve(w, 1), *text = NULL;

        if (p) {
                *p = '\0';
                text = TAKE_PTR(w->text);
        }
        json_writer_done(w);
        return text;
}

json_t *json_writer_parse(JsonWriter *w) {
        bool out_of_memory;
        json_t *value = w->has_failed ? NULL : json_parse(w->text, w->n, JSON_DECODE_ANY, NULL, &out_of_memory);

        json_writer_done(w);
        return value;
}

void json_write_open(JsonWriter *w, const char *key, char bracket) {
        char *p = begin(w, key, 1);

        if (!p)
                return;
        *p++ = bracket;
        end(w, p);
        w->wants_comma = false;
}

void json_write_close(JsonWriter *w, char bracket) {
        json_write_frame(w, &bracket, 1);
        w->wants_comma = true;
}

static bool is_plain(const char *text, size_t n) {
        unsigned char bad = 0;

        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char) text[i];

                bad |= (unsigned char) ((c < 0x20) | (c > 0x7e) | (c == '"') | (c == '\\'));
        }
        return !bad;
}

void json_write_string(JsonWriter *w, const char *key, const char *text) {
        size_t n = text ? strlen(text) : 0;
        char *p;

        if (!text) {
                json_write_null(w, key);
                return;
        }
        if (!is_plain(text, n)) {
                _cleanup_json_ json_t *value = json_text(text);

                json_write_tree(w, key, value);
                return;
        }

        p = begin(w, key, n + 2);
        if (!p)
                return;
        *p++ = '"';
        p = mempcpy(p, text, n);
        *p++ = '"';
        end(w, p);
}

void json_write_integer(JsonWriter *w, const char *key, int64_t value) {
        char *p = begin(w, key, 1 + DECIMAL_MAX);

        if (!p)
                return;
        if (value < 0)
                *p++ = '-';
        end(w, decimal_write(p, value < 0 ? -(uint64_t) value : (uint64_t) value));
}

void json_write_bool(JsonWriter *w, const char *key, bool value) {
        if (value)
                json_write_value(w, key, "true", 4);
        else
                json_write_value(w, key, "false", 5);
}

void json_write_null(JsonWriter *w, const char *key) {
        json_write_value(w, key, "null", 4);
}

void json_write_tree(JsonWriter *w, const char *key, const json_t *value) {
        _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

        if (text)
                json_write_value(w, key, text, strlen(text));
        else
                w->has_failed = true;
}

void json_write_value(JsonWriter *w, const char *key, const char *text, size_t n) {
        char *p = begin(w, key, n);

        if (p)
                end(w, mempcpy(p, text, n));
}

void json_write_frame(JsonWriter *w, const char *text, size_t n) {
        char *p = reserve(w, n);

        if (p)
                end(w, mempcpy(p, text, n));
        w->wants_comma = false;
}
