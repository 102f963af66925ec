/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/value.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl/text.h"
#include "util/macro.h"

/* All of these return false when out of memory. */
static bool print_value(FILE *file, const HsvValue *value, const char *separator);

static bool print_string(FILE *file, const char *text) {
        _cleanup_free_ char *escaped = text_escape(text, false);

        return escaped && fputs(escaped[0] ? escaped : "-", file) >= 0;
}

static bool print_number(FILE *file, const HsvValue *value) {
        _cleanup_free_ char *text = hsv_value_encode(value);

        return text && fputs(text, file) >= 0;
}

static bool print_key(FILE *file, const HsvValue *object, size_t i) {
        bool is_list = hsv_value_kind(hsv_value_at(object, i)) == HSV_KIND_ARRAY;

        return print_string(file, hsv_value_key(object, i)) && fputs(is_list ? ": " : "=", file) >= 0;
}

/* Goes as deep as the document, which jansson's parser bounds. */
static bool print_parts(FILE *file, const HsvValue *value, const char *separator) {
        size_t n = hsv_value_count(value);
        bool ok = n > 0 || fputs("-", file) >= 0;

        for (size_t i = 0; ok && i < n; i++) {
                ok = fputs(i > 0 ? separator : "", file) >= 0;
                if (ok && hsv_value_kind(value) == HSV_KIND_OBJECT)
                        ok = print_key(file, value, i);
                ok = ok && print_value(file, hsv_value_at(value, i), ", ");
        }
        return ok;
}

static bool print_value(FILE *file, const HsvValue *value, const char *separator) {
        switch (hsv_value_kind(value)) {
        case HSV_KIND_ABSENT:
        case HSV_KIND_NULL:
                return fputs("-", file) >= 0;
        case HSV_KIND_BOOL:
                return fputs(hsv_value_is_true(value) ? "yes" : "no", file) >= 0;
        case HSV_KIND_INTEGER:
        case HSV_KIND_REAL:
                return print_number(file, value);
        case HSV_KIND_STRING:
                return print_string(file, hsv_value_string(value));
        case HSV_KIND_ARRAY:
        case HSV_KIND_OBJECT:
                return print_parts(file, value, separator);
        }
        return false;
}

static bool print_elements(FILE *file, const HsvValue *array, const char *pointer, const char *separator) {
        size_t n = hsv_value_count(array);
        bool ok = n > 0 || fputs("-", file) >= 0;

        for (size_t i = 0; ok && i < n; i++)
                ok = fputs(i > 0 ? separator : "", file) >= 0 &&
                     print_value(file, hsv_value_get(hsv_value_at(array, i), pointer), ", ");
        return ok;
}

char *value_format_elements(const HsvValue *value, const char *pointer, const char *separator) {
        bool is_array = hsv_value_kind(value) == HSV_KIND_ARRAY, ok;
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        ok = is_array ? print_elements(file, value, pointer, separator) : print_value(file, value, separator);
        if (fclose(file) == 0 && ok)
                return text;
        free(text);
        return NULL;
}

char *value_format(const HsvValue *value, const char *separator) {
        return value_format_elements(value, "", separator);
}
