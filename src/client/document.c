/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/document.h"

#include <errno.h>
#include <string.h>

struct HsvDocument {
        char *text;
        json_t *root;
};

/* Longer than any member's name that the daemon sends. */
#define TOKEN_MAX 512

static const json_t *to_json(const HsvValue *value) {
        return (const json_t *) value;
}

static const HsvValue *to_value(const json_t *json) {
        return (const HsvValue *) json;
}

int document_new(char *text, size_t n, HsvDocument **ret) {
        _cleanup_(hsv_document_freep) HsvDocument *document = NULL;
        json_error_t error;

        document = calloc(1, sizeof *document);
        if (!document)
                return -ENOMEM;
        document->root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
        if (!document->root)
                return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
        if (!json_is_object(document->root))
                return -EBADMSG;

        document->text = text;
        *ret = TAKE_PTR(document);
        return 0;
}

HsvDocument *hsv_document_free(HsvDocument *document) {
        if (!document)
                return NULL;
        json_decref(document->root);
        free(document->text);
        free(document);
        return NULL;
}

const char *hsv_document_text(const HsvDocument *document) {
        return document->text;
}

const HsvValue *hsv_document_root(const HsvDocument *document) {
        return document ? to_value(document->root) : NULL;
}

HsvKind hsv_value_kind(const HsvValue *value) {
        static const HsvKind kinds[] = {
                [JSON_OBJECT] = HSV_KIND_OBJECT,   [JSON_ARRAY] = HSV_KIND_ARRAY, [JSON_STRING] = HSV_KIND_STRING,
                [JSON_INTEGER] = HSV_KIND_INTEGER, [JSON_REAL] = HSV_KIND_REAL,   [JSON_TRUE] = HSV_KIND_BOOL,
                [JSON_FALSE] = HSV_KIND_BOOL,      [JSON_NULL] = HSV_KIND_NULL,
        };

        return value ? kinds[json_typeof(to_json(value))] : HSV_KIND_ABSENT;
}

/* Reads the token after a slash, up to the next one, with ~0 and ~1 undone. Returns where it ends, or NULL
 * if it is not a token or too long. */
static const char *take_token(const char *pointer, char token[TOKEN_MAX]) {
        size_t n = 0;

        for (; *pointer && *pointer != '/'; pointer++) {
                char c = *pointer;

                if (c == '~') {
                        pointer++;
                        if (*pointer != '0' && *pointer != '1')
                                return NULL;
                        c = *pointer == '0' ? '~' : '/';
                }
                if (n + 1 >= TOKEN_MAX)
                        return NULL;
                token[n++] = c;
        }
        token[n] = '\0';
        return pointer;
}

static const json_t *array_token(const json_t *array, const char *token) {
        size_t i = 0, n = strlen(token);

        /* RFC 6901: digits only, no leading zero. Nine of them cannot overflow, and no answer holds more. */
        if (n == 0 || n > 9 || strspn(token, "0123456789") != n || (token[0] == '0' && n > 1))
                return NULL;
        for (; *token; token++)
                i = i * 10 + (size_t) (*token - '0');
        return json_array_get(array, i);
}

const HsvValue *hsv_value_get(const HsvValue *value, const char *pointer) {
        const json_t *json = to_json(value);
        char token[TOKEN_MAX];

        while (json && *pointer) {
                if (*pointer != '/')
                        return NULL;
                pointer = take_token(pointer + 1, token);
                if (!pointer)
                        return NULL;
                json = json_is_array(json) ? array_token(json, token) : json_object_get(json, token);
        }
        return to_value(json);
}

size_t hsv_value_count(const HsvValue *value) {
        const json_t *json = to_json(value);

        return json_is_array(json) ? json_array_size(json) : json_object_size(json);
}

/* jansson's iterators take an object that could be changed through them, which is not done here. */
static void *nth_member(const json_t *object, size_t i) {
        void *iter = json_object_iter((json_t *) object);

        for (; iter && i > 0; i--)
                iter = json_object_iter_next((json_t *) object, iter);
        return iter;
}

const HsvValue *hsv_value_at(const HsvValue *value, size_t i) {
        const json_t *json = to_json(value);

        if (json_is_array(json))
                return to_value(json_array_get(json, i));
        return to_value(json_object_iter_value(nth_member(json, i)));
}

const char *hsv_value_key(const HsvValue *value, size_t i) {
        return json_object_iter_key(nth_member(to_json(value), i));
}

const char *hsv_value_string(const HsvValue *value) {
        return json_string_value(to_json(value));
}

int hsv_value_integer(const HsvValue *value, int64_t *ret) {
        if (!value)
                return -ENOENT;
        if (!json_is_integer(to_json(value)))
                return -EINVAL;
        *ret = json_integer_value(to_json(value));
        return 0;
}

bool hsv_value_is_true(const HsvValue *value) {
        return json_is_true(to_json(value));
}

char *hsv_value_encode(const HsvValue *value) {
        return json_dumps(to_json(value), JSON_COMPACT | JSON_ENCODE_ANY);
}
