/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/text.h"

#include <jansson.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Embeddings, overrides and isolates: harmless to a terminal's state, but they make a name look like another one.
 */
static bool turns_direction(wchar_t c) {
        return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
               (c >= 0x2066 && c <= 0x2069);
}

static bool is_harmless(wchar_t c, bool keep_lines) {
        if (keep_lines && (c == L'\n' || c == L'\t'))
                return true;
        return wcwidth(c) >= 0 && iswprint((wint_t) c) && !turns_direction(c);
}

char *text_escape(const char *text, bool keep_lines) {
        size_t left = strlen(text), size;
        mbstate_t state = {};
        char *ret = NULL;
        FILE *file = open_memstream(&ret, &size);

        if (!file)
                return NULL;
        while (left > 0) {
                wchar_t c;
                size_t n = mbrtowc(&c, text, left, &state);

                if (n > left) {
                        (void) fprintf(file, "\\x%02x", (unsigned char) *text);
                        state = (mbstate_t){};
                        n = 1;
                } else if (is_harmless(c, keep_lines))
                        (void) fwrite(text, 1, n, file);
                else
                        (void) fprintf(file, "\\u%04x", (unsigned) c);
                text += n;
                left -= n;
        }
        if (fclose(file) != 0) {
                free(ret);
                return NULL;
        }
        return ret;
}

char *text_format(const char *format, ...) {
        va_list ap;
        char *ret;
        int n;

        va_start(ap, format);
        n = vasprintf(&ret, format, ap);
        va_end(ap);
        return n < 0 ? NULL : ret;
}

char *text_quote(const char *text) {
        json_t *string = json_string(text);
        char *ret = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

        json_decref(string);
        return ret;
}

size_t text_fit(const char *text, size_t width, size_t *ret_columns) {
        size_t left = strlen(text), n_fit = 0, columns = 0;
        mbstate_t state = {};

        while (left > 0) {
                wchar_t c;
                size_t n = mbrtowc(&c, text + n_fit, left, &state);
                int w;

                if (n > left)
                        break;
                w = wcwidth(c);
                if (w > 0 && columns + (size_t) w > width)
                        break;
                columns += w > 0 ? (size_t) w : 0;
                n_fit += n;
                left -= n;
        }
        *ret_columns = columns;
        return n_fit;
}

size_t text_width(const char *text) {
        size_t columns;

        (void) text_fit(text, SIZE_MAX, &columns);
        return columns;
}

bool text_is_utf8(void) {
        return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *text_ellipsis(void) {
        return text_is_utf8() ? "\xe2\x80\xa6" : "...";
}

void text_wrap(FILE *file, const char *text, size_t indent, size_t width) {
        size_t column = indent;

        for (;;) {
                size_t n_blanks = strspn(text, " "), n_word = strcspn(text + n_blanks, " "), n_columns;
                _cleanup_free_ char *word = strndup(text + n_blanks, n_word);

                if (n_word == 0)
                        break;
                n_columns = word ? text_width(word) : n_word;
                if (width > 0 && column > indent && column + n_blanks + n_columns > width) {
                        (void) fprintf(file, "\n%*s", (int) indent, "");
                        column = indent;
                } else if (column > indent) {
                        (void) fprintf(file, "%*s", (int) n_blanks, "");
                        column += n_blanks;
                }
                (void) fwrite(text + n_blanks, 1, n_word, file);
                column += n_columns;
                text += n_blanks + n_word;
        }
}
