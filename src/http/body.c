/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * jansson says at which byte it stopped, but not at which member. Some of what it refuses is well-formed JSON
 * (a key twice, too big a number) and so deserves a pointer, which a short scan of the text before that byte
 * finds: that text has been found good, so the scan need not check it. */
#include "http/body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* No object of the API is nested deeper; what is, is pointed at by its outer levels. */
#define LEVELS_MAX 16

typedef struct Level {
        bool is_array;
        bool wants_key;
        size_t index;
        const char *key; /* with its quotes, as it stands in the text; or NULL */
        size_t key_size;
} Level;

/* The byte after the string that starts with the quote at text[i]. */
static size_t skip_string(const char *text, size_t n, size_t i) {
        for (i++; i < n && text[i] != '"'; i++)
                if (text[i] == '\\')
                        i++;

        return i < n ? i + 1 : n;
}

/* Fills levels with the way to byte n of the text; returns their number. */
static size_t locate(const char *text, size_t n, Level levels[static LEVELS_MAX]) {
        size_t depth = 0, next;

        for (size_t i = 0; i < n; i = next) {
                Level *level = depth > 0 && depth <= LEVELS_MAX ? &levels[depth - 1] : NULL;
                char c = text[i];

                next = c == '"' ? skip_string(text, n, i) : i + 1;
                if (c == '{' || c == '[') {
                        if (depth < LEVELS_MAX)
                                levels[depth] = (Level){ .is_array = c == '[', .wants_key = c == '{' };
                        depth++;
                } else if ((c == '}' || c == ']') && depth > 0) {
                        depth--;
                } else if (level && c == ',') {
                        level->wants_key = !level->is_array;
                        level->index++;
                } else if (level && c == '"' && level->wants_key) {
                        level->wants_key = false;
                        level->key = text + i;
                        level->key_size = next - i;
                }
        }

        return depth < LEVELS_MAX ? depth : LEVELS_MAX;
}

/* Moves d from where it stands to the member of level. */
static void enter_level(JsonDecoder *d, const Level *level) {
        _cleanup_json_ json_t *key = NULL;
        char index[24];
        JsonDecoder parent = *d;

        if (level->is_array) {
                (void) snprintf(index, sizeof index, "%zu", level->index);
                json_decoder_enter(d, &parent, index);
        } else if (level->key) {
                key = json_loadb(level->key, level->key_size, JSON_DECODE_ANY, NULL);
                if (key)
                        json_decoder_enter(d, &parent, json_string_value(key));
        }
}

/* What jansson refuses although it is well-formed. */
static const struct {
        enum json_error_code error;
        const char *code;
        const char *detail;
} refusals[] = {
        { json_error_duplicate_key, "duplicate", "must not be given twice" },
        { json_error_numeric_overflow, "out-of-range", "is too large a number" },
        { json_error_stack_overflow, "too-deep", "is nested too deeply" },
        { json_error_null_character, "bad-string", "must not have a NUL character in it" },
        { json_error_null_byte_in_key, "bad-string", "a key must not have a NUL character in it" },
};

/* At the place of byte n of the text. */
static int refuse_at(const char *text, size_t n, const char *code, const char *detail, JsonFaults *faults,
                     Failure *f) {
        Level levels[LEVELS_MAX];
        JsonDecoder d;

        json_decoder_init(&d, faults);
        n = locate(text, n, levels);
        for (size_t i = 0; i < n; i++)
                enter_level(&d, &levels[i]);
        json_fault(&d, NULL, code, "%s", detail);
        return failure_set(f, ERROR_INVALID_REQUEST, EINVAL, "%s: %s", d.pointer, detail);
}

/* What jansson would take a lot of memory for, and what it would stop at with all of the stack used that there is
 * for it. The text need not be good: what is wrong with it is for jansson to say. */
static int refuse_excess(const char *text, size_t n, JsonFaults *faults, Failure *f) {
        size_t depth = 0, n_values = 1, next;

        for (size_t i = 0; i < n; i = next) {
                char c = text[i];

                next = c == '"' ? skip_string(text, n, i) : i + 1;
                if (c == '{' || c == '[')
                        depth++;
                else if ((c == '}' || c == ']') && depth > 0)
                        depth--;
                n_values += c == ',' || c == '{' || c == '[';
                if (depth > HTTP_BODY_DEPTH_MAX)
                        return refuse_at(text, i, "too-deep", "is nested too deeply", faults, f);
                if (n_values > HTTP_BODY_VALUES_MAX)
                        return refuse_at(text, i, "too-many", "there are too many values", faults, f);
        }

        return 0;
}

static int refuse(const char *text, const json_error_t *error, JsonFaults *faults, Failure *f) {
        enum json_error_code code = json_error_code(error);
        JsonDecoder d;

        for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
                if (refusals[i].error == code)
                        return refuse_at(text, (size_t) error->position, refusals[i].code, refusals[i].detail,
                                         faults, f);

        json_decoder_init(&d, faults);
        json_fault(&d, NULL, "malformed", "line %d, column %d: %s", error->line, error->column, error->text);
        return failure_set(f, ERROR_MALFORMED_JSON, EBADMSG, "Line %d, column %d: %s", error->line, error->column,
                           error->text);
}

int http_body_parse(const char *text, size_t n, JsonFaults *faults, Failure *f, json_t **ret) {
        _cleanup_json_ json_t *body = NULL;
        bool out_of_memory;
        json_error_t error;
        JsonDecoder d;
        int r;

        json_decoder_init(&d, faults);
        if (n == 0) {
                json_fault(&d, NULL, "missing", "a JSON body is required");
                return failure_set(f, ERROR_INVALID_REQUEST, EINVAL, "There is no body");
        }

        r = refuse_excess(text, n, faults, f);
        if (r < 0)
                return r;
        body = json_parse(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error, &out_of_memory);
        if (out_of_memory)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "The body could not be parsed");
        if (!body)
                return refuse(text, &error, faults, f);
        if (!json_is_object(body)) {
                json_fault(&d, NULL, "wrong-type", "must be an object");
                return failure_set(f, ERROR_INVALID_REQUEST, EINVAL, "The body is not an object");
        }

        *ret = TAKE_PTR(body);
        return 0;
}
