/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"
#include "util/macro.h"

static char *format_string(const char *text) {
        return text_escape(text[0] ? text : "-", false);
}

static char *format_integer(const HsvValue *value) {
        int64_t number = 0;

        (void) hsv_value_integer(value, &number);
        return text_format("%" PRId64, number);
}

/* Writes the i-th part of an array or object. False when out of memory. */
static bool print_part(FILE *file, const HsvValue *value, size_t i) {
        _cleanup_free_ char *part = value_format(hsv_value_at(value, i), ", "), *key = NULL;

        if (hsv_value_kind(value) == HSV_KIND_OBJECT) {
                key = text_escape(hsv_value_key(value, i), false);
                if (!key)
                        return false;
                (void) fprintf(file, "%s%s", key,
                               hsv_value_kind(hsv_value_at(value, i)) == HSV_KIND_ARRAY ? ": " : "=");
        }
        return part && fputs(part, file) >= 0;
}

static char *format_parts(const HsvValue *value, const char *separator) {
        size_t n = hsv_value_count(value), size;
        bool ok = true;
        char *ret = NULL;
        FILE *file;

        if (n == 0)
                return strdup("-");
        file = open_memstream(&ret, &size);
        if (!file)
                return NULL;
        for (size_t i = 0; i < n && ok; i++)
                ok = fputs(i > 0 ? separator : "", file) >= 0 && print_part(file, value, i);
        if (fclose(file) != 0 || !ok) {
                free(ret);
                return NULL;
        }
        return ret;
}

char *value_format(const HsvValue *value, const char *separator) {
        switch (hsv_value_kind(value)) {
        case HSV_KIND_ABSENT:
        case HSV_KIND_NULL:
                return strdup("-");
        case HSV_KIND_BOOL:
                return strdup(hsv_value_is_true(value) ? "yes" : "no");
        case HSV_KIND_INTEGER:
                return format_integer(value);
        case HSV_KIND_REAL:
                return hsv_value_encode(value);
        case HSV_KIND_STRING:
                return format_string(hsv_value_string(value));
        case HSV_KIND_ARRAY:
        case HSV_KIND_OBJECT:
                return format_parts(value, separator);
        }
        return NULL;
}
