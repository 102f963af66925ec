/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/screen.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ctl/text.h"
#include "util/macro.h"

#define WIDTH_DEFAULT 80

/* COLUMNS comes first: a user who sets it means it. */
static size_t terminal_width(FILE *file) {
        const char *columns = getenv("COLUMNS");
        struct winsize size;
        char *end;

        if (columns && columns[0] >= '1' && columns[0] <= '9') {
                unsigned long n = strtoul(columns, &end, 10);

                if (*end == '\0' && n <= INT_MAX)
                        return n;
        }
        if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
                return size.ws_col;
        return WIDTH_DEFAULT;
}

static bool wants_colours(bool is_terminal, ColorChoice color) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        if (color != COLOR_AUTO)
                return color == COLOR_ALWAYS;
        return is_terminal && (!no_color || !*no_color) && term && strcmp(term, "dumb") != 0;
}

ColorChoice color_choice_parse(const char *name) {
        static const char *const names[_COLOR_CHOICE_MAX] = {
                [COLOR_AUTO] = "auto",
                [COLOR_ALWAYS] = "always",
                [COLOR_NEVER] = "never",
        };

        for (int i = 0; i < _COLOR_CHOICE_MAX; i++)
                if (strcmp(names[i], name) == 0)
                        return (ColorChoice) i;
        return _COLOR_CHOICE_INVALID;
}

void screen_open(Screen *s, FILE *file, ColorChoice color) {
        *s = (Screen){ .file = file, .is_terminal = isatty(fileno(file)) };
        screen_measure(s);
        s->has_colours = wants_colours(s->is_terminal, color);
}

void screen_measure(Screen *s) {
        s->width = s->is_terminal ? terminal_width(s->file) : 0;
}

size_t screen_height(const Screen *s) {
        struct winsize size;

        return s->is_terminal && ioctl(fileno(s->file), TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

Style style_of_state(const char *text) {
        if (strcmp(text, "ready") == 0)
                return STYLE_GOOD;
        return strcmp(text, "failed") == 0 || strcmp(text, "lost") == 0 ? STYLE_BAD : STYLE_BUSY;
}

Style style_of_good(const char *text) {
        return strcmp(text, "yes") == 0 ? STYLE_GOOD : STYLE_BAD;
}

const char *screen_style(const Screen *s, Style style) {
        static const char *const codes[] = {
                [STYLE_NONE] = "",
                [STYLE_GOOD] = "\033[32m",
                [STYLE_BAD] = "\033[31m",
                [STYLE_BUSY] = "\033[33m",
        };

        return s->has_colours ? codes[style] : "";
}

const char *screen_plain(const Screen *s, Style style) {
        return s->has_colours && style != STYLE_NONE ? "\033[0m" : "";
}

int screen_print_document(const Screen *s, const char *text) {
        _cleanup_free_ char *escaped = NULL;
        size_t n;

        if (s->is_terminal) {
                text = escaped = text_escape(text, true);
                if (!text)
                        return -ENOMEM;
        }
        n = strlen(text);
        (void) fwrite(text, 1, n, s->file);
        if (n == 0 || text[n - 1] != '\n')
                (void) fputc('\n', s->file);
        return 0;
}
