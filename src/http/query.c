/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "http/url.h"

void http_query_init(HttpQuery *q, JsonFaults *faults) {
        JsonDecoder document;

        json_decoder_init(&document, faults);
        json_decoder_enter(&q->decoder, &document, "query");
        q->n = 0;
}

void http_query_parse(HttpQuery *q, char *text) {
        char *key;

        while ((key = strsep(&text, "&"))) {
                char *value = key;

                if (!*key)
                        continue;
                for (char *c = key; (c = strchr(c, '+'));)
                        *c = ' ';
                (void) strsep(&value, "=");
                if (value)
                        (void) url_unescape(value);
                (void) url_unescape(key);
                http_query_add(q, key, value);
        }
}

void http_query_fault(HttpQuery *q, const char *key, const char *code, const char *detail) {
        json_fault(&q->decoder, key, code, "%s", detail);
}

void http_query_add(HttpQuery *q, const char *key, const char *value) {
        if (q->n == HTTP_QUERY_MAX) {
                http_query_fault(q, key, "too-many", "there are too many query parameters");
                return;
        }

        q->item[q->n].key = key;
        q->item[q->n].value = value;
        q->item[q->n].taken = false;
        q->n++;
}

bool http_query_take_next(HttpQuery *q, const char *key, const char **ret) {
        for (size_t i = 0; i < q->n; i++) {
                if (q->item[i].taken || strcmp(q->item[i].key, key) != 0)
                        continue;
                q->item[i].taken = true;
                if (q->item[i].value) {
                        *ret = q->item[i].value;
                        return true;
                }
                http_query_fault(q, key, "missing", "must have a value");
        }

        return false;
}

bool http_query_take_string(HttpQuery *q, const char *key, const char **ret) {
        const char *value, *again;

        if (!http_query_take_next(q, key, &value))
                return false;
        if (http_query_take_next(q, key, &again)) {
                http_query_fault(q, key, "duplicate", "must not be given twice");
                return false;
        }

        *ret = value;
        return true;
}

bool http_query_take_integer(HttpQuery *q, const char *key, int64_t min, int64_t max, int64_t *ret) {
        const char *value;
        long long number;
        char *end;

        if (!http_query_take_string(q, key, &value))
                return false;

        errno = 0;
        number = strtoll(value, &end, 10);
        if (!(*value >= '0' && *value <= '9') || *end) {
                http_query_fault(q, key, "wrong-type", "must be an integer");
                return false;
        }
        if (errno != 0 || number < min || number > max) {
                json_fault(&q->decoder, key, "out-of-range", "must be from %" PRId64 " to %" PRId64, min, max);
                return false;
        }

        *ret = number;
        return true;
}

bool http_query_take_bool(HttpQuery *q, const char *key, bool *ret) {
        const char *value;

        if (!http_query_take_string(q, key, &value))
                return false;
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
                http_query_fault(q, key, "wrong-type", "must be true or false");
                return false;
        }

        *ret = value[0] == 't';
        return true;
}

void http_query_end(HttpQuery *q) {
        for (size_t i = 0; i < q->n; i++)
                if (!q->item[i].taken)
                        http_query_fault(q, q->item[i].key, "unknown-parameter",
                                         "there is no such query parameter");
}
