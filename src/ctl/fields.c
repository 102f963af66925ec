/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"
#include "ctl/value.h"
#include "util/macro.h"

static bool is_shown(const Field *field, const HsvValue *value) {
        HsvKind kind = hsv_value_kind(value);

        return kind != HSV_KIND_ABSENT && (kind != HSV_KIND_NULL || field->keep_null);
}

static size_t label_width(const HsvValue *object, const Field *fields, size_t n_fields) {
        size_t width = 0;

        for (size_t i = 0; i < n_fields; i++)
                if (is_shown(&fields[i], hsv_value_get(object, fields[i].pointer)) &&
                    strlen(fields[i].label) > width)
                        width = strlen(fields[i].label);
        return width;
}

static char *format_field(const Field *field, const HsvValue *value) {
        int64_t number;

        if (field->format)
                return field->format(value);
        if (!field->is_hex || hsv_value_integer(value, &number) < 0)
                return value_format(value, hsv_value_kind(value) == HSV_KIND_OBJECT ? "\n" : ", ");
        return text_format("0x%" PRIx64, (uint64_t) number);
}

static int print_lines(const Screen *s, const Field *field, const HsvValue *value, size_t indent) {
        _cleanup_free_ char *text = format_field(field, value);
        Style style;

        if (!text)
                return -ENOMEM;
        style = field->style ? field->style(text) : STYLE_NONE;
        for (char *line = text, *end; line; line = end) {
                end = strchr(line, '\n');
                if (end)
                        *end++ = '\0';
                (void) fprintf(s->file, "%*s%s", line == text ? 0 : (int) indent, "", screen_style(s, style));
                text_wrap(s->file, line, indent, s->width);
                (void) fprintf(s->file, "%s\n", screen_plain(s, style));
        }
        return 0;
}

int fields_print(const Screen *screen, const HsvValue *object, const Field *fields, size_t n_fields) {
        size_t width = label_width(object, fields, n_fields);

        for (size_t i = 0; i < n_fields; i++) {
                const HsvValue *value = hsv_value_get(object, fields[i].pointer);
                int r;

                if (!is_shown(&fields[i], value))
                        continue;
                (void) fprintf(screen->file, "%s:%*s", fields[i].label, (int) (width - strlen(fields[i].label) + 2),
                               "");
                r = print_lines(screen, &fields[i], value, width + 3);
                if (r < 0)
                        return r;
        }
        return 0;
}
