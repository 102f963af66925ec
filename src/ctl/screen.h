/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where output goes, and what may be done there: a terminal has a width and colours, a pipe has neither. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct Screen {
        FILE *file;
        size_t width; /* columns; 0: no limit */
        bool is_terminal;
        bool has_colours;
} Screen;

typedef enum Style {
        STYLE_NONE,
        STYLE_GOOD,
        STYLE_BAD,
        STYLE_BUSY,
} Style;

typedef enum ColorChoice {
        COLOR_AUTO, /* on a terminal that is not dumb, unless NO_COLOR (any value but an empty one) says no */
        COLOR_ALWAYS,
        COLOR_NEVER,
        _COLOR_CHOICE_MAX,
        _COLOR_CHOICE_INVALID = -EINVAL,
} ColorChoice;

/* By name: auto, always, never. _COLOR_CHOICE_INVALID if it is none of them. */
ColorChoice color_choice_parse(const char *name);

/* What file is, by TIOCGWINSZ, COLUMNS, TERM and NO_COLOR. */
void screen_open(Screen *s, FILE *file, ColorChoice color);

/* Asks again how wide it is. */
void screen_measure(Screen *s);

/* Lines of a terminal; 0: no limit. It may have changed since it was last asked. */
size_t screen_height(const Screen *s);

/* The style of a device's state, or of a yes or no that is better a yes. */
Style style_of_state(const char *text);
Style style_of_good(const char *text);

/* What switches a style on and off there; "" where there are no colours. */
const char *screen_style(const Screen *s, Style style);
const char *screen_plain(const Screen *s, Style style);

/* Writes JSON or YAML text as it came, with a newline at its end; on a terminal with control characters escaped,
 * which inside a JSON string mean the same. Returns 0 or -ENOMEM. */
int screen_print_document(const Screen *s, const char *text);
