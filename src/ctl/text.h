/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text that is not ours on its way to a terminal: measured in columns, and with nothing in it that the
 * terminal would obey. All of it in the locale's encoding. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/macro.h"

/* A copy in which control characters, and those that turn the direction of writing, are \uXXXX, and bytes
 * that are not text \xXX; to be freed. keep_lines: newlines and tabs stay. NULL when out of memory. */
char *text_escape(const char *text, bool keep_lines);

/* Like asprintf(3), but NULL when out of memory. */
char *text_format(const char *format, ...) _printf_(1, 2);

/* Text as a JSON string, with its quotes; to be freed. NULL when out of memory. */
char *text_quote(const char *text);

/* Columns that escaped text takes. */
size_t text_width(const char *text);

/* Bytes of escaped text that fit into width columns, and how many columns these take. */
size_t text_fit(const char *text, size_t width, size_t *ret_columns);

/* Whether the locale can show more than ASCII. */
bool text_is_utf8(void);

/* What stands for the part of a text that was cut off. */
const char *text_ellipsis(void);

/* Writes words separated by blanks, with a new line, indented, before one that would pass width columns;
 * the first line begins at column indent already. width 0: no limit. The last line is not ended. */
void text_wrap(FILE *file, const char *text, size_t indent, size_t width);
